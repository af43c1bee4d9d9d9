"""Whether a run trains the ranker: weekly, or when the town is not what it was when the champion was trained."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from models.db.errors import NoChampion
from pipelines.resources import ShardStore
from pipelines.store.frame_store import count_rows
from pipelines.store.model_registry import TABLES, ModelRegistry

# Every run scores everybody anew, from all that is known by then: what the champion learned of people lasts longer.
MAX_CHAMPION_AGE = timedelta(days=7)
# By so much the clocks of two machines may differ.
A_CLOCK = timedelta(hours=1)
MAX_CHANGED_SHARE = 0.05
# All rows, as a training counts them too: those that are refused, or decide anew what was decided, are no change.
COUNTS = """
SELECT (SELECT count(*) FROM app.profiles) AS profiles, (SELECT count(*) FROM app.interactions) AS interactions
"""


def find_training_reason(registry: ModelRegistry, connection: Connection) -> str | None:
    """Why the next run is to train the ranker; None while the champion is good enough."""
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
    """What speaks against a champion of this age, from how many rows the app's tables had for its training and now."""
    if age < -A_CLOCK:
        return f"is of a time to come, by {-age}"
    if age > MAX_CHAMPION_AGE:
        return f"is {age.days} days old"
    for name, count in now.items():
        if abs(count - trained_on[name]) > MAX_CHANGED_SHARE * trained_on[name]:
            return f"was trained when app.{name} had {trained_on[name]:,} rows, and it has {count:,}"
    return None


def count_extracted_rows(store: ShardStore) -> dict[str, int]:
    """How many rows the app's tables had when they were last extracted: those accepted and those refused."""
    return {name: sum(count_rows(store.get_frame_path(each)) for each in (name, f"rejected_{name}")) for name in TABLES}
