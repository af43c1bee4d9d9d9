"""Asset checks: the results of a run are checked before they are published."""
