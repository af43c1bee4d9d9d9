"""Take people who were erased out of the frames and shards that the pipeline keeps between its steps."""

import logging
from collections.abc import Collection, Iterable
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, String, cast, select
from upath import UPath

from models.db.engines import open_database
from models.db.errors import InputError, MatchingError
from models.db.schema.tables import profiles
from models.db.settings import Settings
from models.ml.scoring import list_frames
from pipelines.store.frame_store import read_columns, read_table, remove_unfinished, store_url, write_table
from pipelines.store.run_lock import try_run_lock
from pipelines.store.shard_manifest import is_manifest, replace_urls

PROFILE_COLUMNS = (
    *("profile_id", "viewer_id", "candidate_id", "actor_id", "target_id", "blocker_id", "blocked_id"),
    *("candidate_ids", "most_compatible_id", "withheld_ids"),
)
LISTS = "candidate_ids"

logger = logging.getLogger(__name__)


def erase_from_store(settings: Settings, profile_id: str) -> int:
    """Delete the person from every frame and shard of the store; return how many files had them.

    While a run is going on its files are not touched, as it would write the person back: when it ends, it takes out
    of them whoever is gone. What is done stays done: after an error this can be called again. Raises InputError if the
    store or a file cannot be read or written.
    """
    with open_database(settings) as engine, try_run_lock(engine) as free:
        if free:
            return _rewrite_store(store_url(settings), {profile_id})
    logger.warning("a run is going on: when it ends, it takes them out of the frames on disk")
    return 0


def purge_deleted_profiles(engine: Engine, store: UPath, files: Iterable[UPath] | None = None) -> int:
    """Delete whoever these files name, or any of the store, and `app.profiles` does not; as `erase_from_store` does.

    For the holder of the lock of runs. Who was erased while files were being written is in them, and nowhere else.
    """
    named = set[str]().union(*map(_read_profile_ids, store.rglob("*.parquet") if files is None else files))
    with engine.connect() as connection:  # after the files: somebody who has joined since is not gone
        gone = named.difference(connection.scalars(select(cast(profiles.c.id, String))))
    return _remove_profiles(store, gone)


def _rewrite_store(url: str, people: Collection[str]) -> int:
    """As `_remove_profiles` of the store at a URL, with an error that says what to do."""
    try:
        return _remove_profiles(UPath(url), people)
    except MatchingError:
        raise
    except Exception as error:  # every object store has errors of its own
        raise InputError(f"the frames at {url} cannot be changed: {error}; mend that, then run this again") from error


def _remove_profiles(store: UPath, people: Collection[str]) -> int:
    """Rewrite the files that name these people; how many did. What dead writers left is removed: it may name them."""
    remove_unfinished(store)
    moved: dict[str, str] = {}
    changed = 0
    for path in sorted(store.rglob("*.parquet")) if people else []:
        try:
            table = read_table(path)
        except FileNotFoundError:  # a run that has lost the lock with its server needs it no longer
            continue
        kept = _drop_rows(table, people)
        if kept is not table:
            changed += 1
            write_table(kept, place := _choose_target(path, store))
            moved[str(path)] = str(place)
    _update_manifests(store, {old: new for old, new in moved.items() if old != new})
    return changed


def _choose_target(path: UPath, store: UPath) -> UPath:
    """Where a changed file goes. A shard's name says what it was made from, so it counts as not there from then on."""
    if path.parent == store:
        return path
    number, _, _ = path.name.partition("-")
    return path.with_name(f"{number}-{uuid4().hex[:16]}{path.suffix}")


def _update_manifests(store: UPath, moved: dict[str, str]) -> None:
    """Name shards that have moved where they are named, then remove them."""
    for path in store.glob("*.parquet") if moved else []:
        if is_manifest(table := read_table(path)):
            write_table(replace_urls(table, moved), path)
    for old in moved:
        UPath(old).unlink()


def _read_profile_ids(path: UPath) -> set[str]:
    """Everybody in a file."""
    table = read_columns(path, PROFILE_COLUMNS).unify_dictionaries()
    columns = (pc.list_flatten(each) if pa.types.is_list(each.type) else each for each in table)
    return {person for column in columns for person in pc.unique(column).to_pylist() if isinstance(person, str)}


def _drop_rows(table: pa.Table, people: Collection[str]) -> pa.Table:
    """The table without these people's rows and places; the table itself if they have none."""
    if LISTS in table.column_names:
        return list_frames.remove_profiles(table, people)
    named = [name for name in PROFILE_COLUMNS if name in table.column_names]
    kept = table
    for name in named:
        kept = kept.filter(pc.invert(list_frames.find_members(kept.column(name), people)))
    if kept.num_rows == table.num_rows:
        return table
    for name in named:
        # A filtered dictionary still holds the values that no row has any more.
        if pa.types.is_dictionary(kept.schema.field(name).type):
            words = kept.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
            kept = kept.set_column(kept.column_names.index(name), name, words)
    return kept
