"""The vectors of profiles: those of all in the nightly job, and those of new profiles about once a minute."""
