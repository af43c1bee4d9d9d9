"""Take a person out of the frames that the pipeline keeps between its steps."""

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from models.db.settings import Settings
from pipelines.definitions import store_url
from pipelines.frame_store import read_table, write_table

PERSON = ("profile_id", "viewer_id", "candidate_id", "actor_id", "target_id")
# The match lists name people inside lists; the next run makes them anew, so the frame goes as a whole.
WHOLE = "match_lists.parquet"


def forget(settings: Settings, profile_id: str) -> int:
    """Delete the person's rows from every frame and shard of the store; return how many files had any."""
    changed = 0
    for path in sorted(UPath(store_url(settings)).rglob("*.parquet")):
        table = read_table(path)
        kept = _without(table, profile_id)
        changed += kept.num_rows < table.num_rows
        if path.name == WHOLE:
            path.unlink()
        elif kept.num_rows < table.num_rows:
            write_table(kept, path)
    return changed


def _without(table: pa.Table, profile_id: str) -> pa.Table:
    for name in PERSON:
        if name in table.column_names:
            table = table.filter(pc.not_equal(pc.cast(table.column(name), pa.string()), profile_id))
    return table
