"""Whether a run trains the ranker: weekly, or when the town is not what it was when the champion was trained."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from models.db.errors import NoChampion
from pipelines.frame_store import row_count
from pipelines.registry import TABLES, Registry
from pipelines.resources import ShardStore

# Every run scores everybody anew, from all that is known by then: what the champion learned of people lasts longer.
GOOD_FOR = timedelta(days=7)
# By so much the clocks of two machines may differ.
A_CLOCK = timedelta(hours=1)
MOST_CHANGED = 0.05
# All rows, as a training counts them too: those that are refused, or decide anew what was decided, are no change.
COUNTS = """
SELECT (SELECT count(*) FROM app.profiles) AS profiles, (SELECT count(*) FROM app.interactions) AS interactions
"""


def training_due(registry: Registry, connection: Connection) -> str | None:
    """Why the next run is to train the ranker; None while the champion is good enough."""
    if registry.champion_version() is None:
        return "there is no champion to score with"
    try:
        champion = registry.champion()
    except NoChampion as error:
        return str(error)
    trained_at, trained_on = registry.trained_on(champion.version)
    now = {name: int(count) for name, count in connection.execute(text(COUNTS)).one()._asdict().items()}
    found = reason(datetime.now(UTC) - trained_at, trained_on, now)
    return f"the champion, version {champion.version}, {found}" if found else None


def reason(age: timedelta, trained_on: Mapping[str, int], now: Mapping[str, int]) -> str | None:
    """What speaks against a champion of this age, from how many rows the app's tables had for its training and now."""
    if age < -A_CLOCK:
        return f"is of a time to come, by {-age}"
    if age > GOOD_FOR:
        return f"is {age.days} days old"
    for name, count in now.items():
        if abs(count - trained_on[name]) > MOST_CHANGED * trained_on[name]:
            return f"was trained when app.{name} had {trained_on[name]:,} rows, and it has {count:,}"
    return None


def rows_extracted(store: ShardStore) -> dict[str, int]:
    """How many rows the app's tables had when they were last extracted: those accepted and those refused."""
    return {name: sum(row_count(store.frame(each)) for each in (name, f"rejected_{name}")) for name in TABLES}
