"""The tag that assigns a run of `matching` to the code location of the workspace.

Dagster's UI shows such a run in the list of all runs and among the runs of its job. The timeline leaves it out: that
page needs an origin that only Dagster itself can record, when it launches the run.
"""

# The code location that `workspace.yaml` names. A location loaded from `@dg.definitions` holds one repository, which
# Dagster names so.
CODE_LOCATION = "matching"
REPOSITORY = "__repository__"
RUN_TAGS = {".dagster/repository": f"{REPOSITORY}@{CODE_LOCATION}"}
