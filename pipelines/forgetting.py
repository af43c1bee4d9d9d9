"""Take a person out of the frames that the pipeline keeps between its steps."""

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from models.db.settings import Settings
from pipelines.frame_store import read_table, remove_unfinished, store_url, write_table

PERSON = ("profile_id", "viewer_id", "candidate_id", "actor_id", "target_id")
# The match lists name people inside lists; the next run makes them anew, so the frame goes as a whole.
WHOLE = "match_lists.parquet"


def forget(settings: Settings, profile_id: str) -> int:
    """Delete the person's rows from every frame and shard of the store; return how many files had any.

    Files that a run which died left unfinished go too: they cannot be read, and may hold the person.
    """
    store, changed = UPath(store_url(settings)), 0
    remove_unfinished(store)
    for path in sorted(store.rglob("*.parquet")):
        table = read_table(path)
        kept = _without(table, profile_id)
        changed += kept.num_rows < table.num_rows
        if path.name == WHOLE:
            path.unlink()
        elif kept.num_rows < table.num_rows:
            write_table(kept, path)
    return changed


def _without(table: pa.Table, profile_id: str) -> pa.Table:
    named = [name for name in PERSON if name in table.column_names]
    for name in named:
        table = table.filter(pc.not_equal(table.column(name).cast(pa.string()), profile_id))
    for name in named:
        # A filtered dictionary still holds the values that no row has any more.
        if pa.types.is_dictionary(table.schema.field(name).type):
            words = table.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
            table = table.set_column(table.column_names.index(name), name, words)
    return table
