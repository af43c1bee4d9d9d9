"""Tables of schema `matching` that runs write to: vectors of profiles, facts of conversations, arms of experiments."""
