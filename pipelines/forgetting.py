"""Take a person out of the frames that the pipeline keeps between its steps."""

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from models.db.errors import InputError, MatchingError
from models.db.settings import Settings
from pipelines.frame_store import UNFINISHED, read_table, store_url, write_table

PERSON = ("profile_id", "viewer_id", "candidate_id", "actor_id", "target_id")
# The match lists name people inside lists; the next run makes them anew, so the frame goes as a whole.
WHOLE = "match_lists.parquet"


def forget(settings: Settings, profile_id: str) -> int:
    """Delete the person's rows from every frame and shard of the store; return how many files had any.

    Files that a run which died left unfinished go too: they cannot be read, and may hold the person. What is done stays
    done: after an error this can be called again. Raises InputError if the store or a file cannot be read or written.
    """
    url = store_url(settings)
    try:
        store = UPath(url)
        for unfinished in store.rglob(f"*{UNFINISHED}"):
            unfinished.unlink(missing_ok=True)
        return sum(_forgotten(path, profile_id) for path in sorted(store.rglob("*.parquet")))
    except MatchingError:
        raise
    except Exception as error:  # every object store has errors of its own
        raise InputError(f"the frames at {url} cannot be changed: {error}; mend that, then run this again") from error


def _forgotten(path: UPath, profile_id: str) -> bool:
    """Whether a file had rows of the person; it has none any more."""
    try:
        table = read_table(path)
    except FileNotFoundError:  # a run that is under way needs it no longer
        return False
    kept = _without(table, profile_id)
    if path.name == WHOLE:
        path.unlink(missing_ok=True)
    elif kept.num_rows < table.num_rows:
        write_table(kept, path)
    return bool(kept.num_rows < table.num_rows)


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
