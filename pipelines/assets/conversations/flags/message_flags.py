"""The job `message_flags`: new messages, reports and blocks become entries of the review queue within minutes.

A flag has no effect by itself. A person looks at it and decides.
"""

import logging
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from models.db.errors import IncompatibleModelError
from models.db.redaction import redact
from models.ml.conversations.flags.flag_messages import CLASSIFIED, flag_messages
from models.ml.conversations.flags.flag_model import FlagModel, load_flag_model
from pipelines.assets.conversations.flags.queue_entries import has_queue_news, update_queue
from pipelines.assets.conversations.flags.queue_figures import QueueFigures, read_queue_figures
from pipelines.assets.conversations.flags.unsearched_messages import (
    has_unsearched,
    read_unsearched,
    remember_searched,
)
from pipelines.checks.check_results import WARN, make_check_result
from pipelines.resources import DatabaseResource, FlagModels

GROUP, OWNERS, JOB = "flags", ["team:matching"], "message_flags"
SECONDS_BETWEEN = 60
BUDGET, MOST_MESSAGES = 100, 5_000
# Fewer decisions judge nothing.
ENOUGH_DECISIONS = 20
MIN_PRECISION, MIN_RECALL, MAX_HOURS = 0.2, 0.3, 72.0

logger = logging.getLogger(__name__)


class FlagConfig(dg.Config):
    """The configuration of `review_queue`."""

    budget: int = Field(BUDGET, ge=0, le=100_000, description="Flags that are open for reviewers at a time.")
    most_messages: int = Field(MOST_MESSAGES, ge=1, le=100_000, description="Messages that one run searches.")


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    check_specs=[
        dg.AssetCheckSpec(
            "flag_precision", asset="review_queue", description="At least 20 % of the decided flags were upheld."
        ),
        dg.AssetCheckSpec(
            "flag_recall",
            asset="review_queue",
            description="At least 30 % of the messages whose reports were upheld had been flagged.",
        ),
        dg.AssetCheckSpec(
            "decisions_in_time", asset="review_queue", description="No entry has been open for more than 72 hours."
        ),
    ],
)
def review_queue(
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - before the first step
    config: FlagConfig,
    database: DatabaseResource,
    flag_models: FlagModels,
) -> Iterator[dg.MaterializeResult[None]]:
    """Search new messages for flags, and bring the queue up to date.

    In: messages of the last day in conversations in which both agreed, `app.reports`, `app.blocks`. Out:
    `matching.review_queue`. Bodies are in memory until they are searched. The metadata are numbers.
    """
    models = _load_models(flag_models)
    with database.open_engine() as engine:
        with engine.connect() as connection:
            found = read_unsearched(connection, config.most_messages)
        flags = flag_messages(found.bodies, models)
        with engine.begin() as connection:
            changes = update_queue(connection, found.ids, flags, config.budget)
            remember_searched(connection, found.ids)
            figures = read_queue_figures(connection)
    yield dg.MaterializeResult(
        metadata={
            "messages": len(found.ids),
            "words_readable": found.readable,
            "classifiers": len(models),
            "flags_added": changes.flags,
            "reports_added": changes.reports,
            "blocked_added": changes.blocked,
            "removed": changes.removed,
            **figures.describe(),
        },
        check_results=judge_queue(figures),
    )


def judge_queue(figures: QueueFigures) -> list[dg.AssetCheckResult]:
    """Judge precision, recall and hours; what nothing can be judged by yet passes and says so."""
    return [
        _judge_share("flag_precision", figures.precision, figures.decided_flags, MIN_PRECISION, "decided flags upheld"),
        _judge_share("flag_recall", figures.recall, figures.upheld_messages, MIN_RECALL, "upheld messages flagged"),
        make_check_result(
            passed=(hours := figures.oldest_open_hours or 0.0) <= MAX_HOURS,
            severity=WARN,
            said=f"{figures.open:,} entries are open, the oldest for {hours:.1f} hours; {MAX_HOURS:.0f} are usual",
            figures={"open": figures.open, "oldest_open_hours": round(hours, 2)},
            check_name="decisions_in_time",
            asset_key="review_queue",
        ),
    ]


def _judge_share(name: str, share: float | None, of: int, least: float, what: str) -> dg.AssetCheckResult:
    enough = share is not None and of >= ENOUGH_DECISIONS
    told = f"{share:.0%} of {of:,} {what}; at least {least:.0%} is usual" if share is not None else f"no {what} yet"
    return make_check_result(
        passed=not enough or (share or 0.0) >= least,
        severity=WARN,
        said=told if enough else f"{told}: fewer than {ENOUGH_DECISIONS} judge nothing",
        figures={"of": of} | ({"share": round(share, 4)} if share is not None else {}),
        check_name=name,
        asset_key="review_queue",
    )


def _load_models(flag_models: FlagModels) -> dict[str, FlagModel]:
    """Load the classifiers that there are; one that cannot be read counts as none, with a warning."""
    models = {}
    for kind in CLASSIFIED:
        try:
            if model := load_flag_model(flag_models.path, kind):
                models[kind] = model
        except IncompatibleModelError as error:
            redact(error)
            logger.warning("%s; until then the rules alone flag", error)
    return models


message_flags = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.groups(GROUP),
    executor_def=dg.in_process_executor,
    description="Searches new messages for flags, and updates the review queue. A flag has no effect by itself.",
)


@dg.sensor(
    job_name=JOB,
    minimum_interval_seconds=SECONDS_BETWEEN,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks the database every minute whether there is anything that the review queue does not know, and "
    "starts the job message_flags for it.",
)
def message_flag_sensor(
    context: dg.SensorEvaluationContext,  # noqa: ARG001 - Dagster passes it
    database: DatabaseResource,
) -> dg.RunRequest | dg.SkipReason:
    """Request a run while there is anything to search, to add, to open or to remove."""
    with database.open_engine() as engine:
        with engine.connect() as connection:
            news = has_queue_news(connection, BUDGET)
        with engine.connect() as connection:
            news = news or has_unsearched(connection)
    return dg.RunRequest() if news else dg.SkipReason("no new messages or reports, and nothing to open or to remove")
