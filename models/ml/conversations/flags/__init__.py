"""Flags of messages for reviewers: rules, a classifier, and what both find. No flag has an effect by itself."""
