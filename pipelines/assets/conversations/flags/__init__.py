"""Flags of messages for reviewers: the job `message_flags`."""
