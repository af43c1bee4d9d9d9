"""Tables of schema `matching` that each run replaces: vectors of profiles, facts of conversations."""
