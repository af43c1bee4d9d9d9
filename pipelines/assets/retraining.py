"""Decide whether a run trains the ranker: weekly, or when the app tables have changed since the last training."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from models.db.errors import NoChampion
from pipelines.resources import ShardStore
from pipelines.store.frame_store import count_rows
from pipelines.store.model_registry import TABLES, ModelRegistry

# Each run scores all users with all decisions known by then, so the weights of the ranker may be older than that.
MAX_CHAMPION_AGE = timedelta(days=7)
# The clocks of two machines may differ by this much.
A_CLOCK = timedelta(hours=1)
MAX_CHANGED_SHARE = 0.05
# All rows, as the training counts them, so that refused rows and repeated decisions are no change.
COUNTS = """
SELECT (SELECT count(*) FROM app.profiles) AS profiles, (SELECT count(*) FROM app.interactions) AS interactions
"""


def find_training_reason(registry: ModelRegistry, connection: Connection) -> str | None:
    """Return why the next run must train the ranker; None while the champion is good enough."""
    if registry.find_champion_version() is None:
        return "there is no champion to score with"
    try:
        champion = registry.get_champion()
    except NoChampion as error:
        return str(error)
    trained_at, trained_on = registry.describe_training_data(champion.version)
    now = {name: int(count) for name, count in connection.execute(text(COUNTS)).mappings().one().items()}
    found = explain_retraining(datetime.now(UTC) - trained_at, trained_on, now)
    return f"the champion, version {champion.version}, {found}" if found else None


def explain_retraining(age: timedelta, trained_on: Mapping[str, int], now: Mapping[str, int]) -> str | None:
    """Return why a champion must be replaced; None if it is good enough.

    Args:
        age: Time since its training.
        trained_on: Rows of each app table at its training.
        now: Rows of each app table now.
    """
    if age < -A_CLOCK:
        return f"is of a time to come, by {-age}"
    if age > MAX_CHAMPION_AGE:
        return f"is {age.days} days old"
    for name, count in now.items():
        if abs(count - trained_on[name]) > MAX_CHANGED_SHARE * trained_on[name]:
            return f"was trained when app.{name} had {trained_on[name]:,} rows, and it has {count:,}"
    return None


def count_extracted_rows(store: ShardStore) -> dict[str, int]:
    """Count the rows of each app table at the last extraction, both accepted and refused ones."""
    return {name: sum(count_rows(store.get_frame_path(each)) for each in (name, f"rejected_{name}")) for name in TABLES}
