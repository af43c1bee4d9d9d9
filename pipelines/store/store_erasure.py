"""Remove erased users from the frames and shards that the pipeline keeps between its steps."""

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
    *("candidate_ids", "most_compatible_id", "withheld_ids", "likes_ids"),
    *("person_a", "person_b"),
)
LISTS = "candidate_ids"

logger = logging.getLogger(__name__)


def erase_from_store(settings: Settings, profile_id: str) -> int:
    """Remove a user from every frame and shard of the store.

    During a run no file is changed, because the run would write the user again; it removes deleted profiles when it
    ends. After an error, call this again: files that are already rewritten stay so.

    Returns:
        The number of files that held the user.

    Raises:
        InputError: The store or a file cannot be read or written.
    """
    with open_database(settings) as engine, try_run_lock(engine) as free:
        if free:
            return _rewrite_store(store_url(settings), {profile_id})
    logger.warning("a run is going on: when it ends, it takes them out of the frames on disk")
    return 0


def purge_deleted_profiles(engine: Engine, store: UPath, files: Iterable[UPath] | None = None) -> int:
    """Remove the users that the files name and `app.profiles` does not, as `erase_from_store` does.

    A user who was erased while files were being written is only in them. The caller holds the run lock.

    Args:
        engine: The database.
        store: Folder of the store.
        files: The files to search for deleted users; None: all of the store.

    Returns:
        The number of files that held such users.
    """
    named = set[str]().union(*map(_read_profile_ids, store.rglob("*.parquet") if files is None else files))
    with engine.connect() as connection:  # after the files, so that new users do not count as deleted
        gone = named.difference(connection.scalars(select(cast(profiles.c.id, String))))
    return _remove_profiles(store, gone)


def _rewrite_store(url: str, people: Collection[str]) -> int:
    """Call `_remove_profiles` for the store at a URL; an error says what to do."""
    try:
        return _remove_profiles(UPath(url), people)
    except MatchingError:
        raise
    except Exception as error:  # each object store has its own errors
        raise InputError(f"the frames at {url} cannot be changed: {error}; fix that, then run this again") from error


def _remove_profiles(store: UPath, people: Collection[str]) -> int:
    """Rewrite the files that name these users, and return their number.

    Unfinished files of dead writers may name them too, and are deleted.
    """
    remove_unfinished(store)
    moved: dict[str, str] = {}
    changed = 0
    for path in sorted(store.rglob("*.parquet")) if people else []:
        try:
            table = read_table(path)
        except FileNotFoundError:  # removed by a run that lost its lock in a restart of the server
            continue
        kept = _drop_rows(table, people)
        if kept is not table:
            changed += 1
            write_table(kept, place := _choose_target(path, store))
            moved[str(path)] = str(place)
    _update_manifests(store, {old: new for old, new in moved.items() if old != new})
    return changed


def _choose_target(path: UPath, store: UPath) -> UPath:
    """Return the path of a changed file.

    The name of a shard's file holds the fingerprint of its inputs. Under a new name the shard counts as missing, and is
    computed again.
    """
    if path.parent == store:
        return path
    number, _, _ = path.name.partition("-")
    return path.with_name(f"{number}-{uuid4().hex[:16]}{path.suffix}")


def _update_manifests(store: UPath, moved: dict[str, str]) -> None:
    """Write the new URLs of moved shards to the manifests, then delete the old files."""
    for path in store.glob("*.parquet") if moved else []:
        if is_manifest(table := read_table(path)):
            write_table(replace_urls(table, moved), path)
    for old in moved:
        UPath(old).unlink()


def _read_profile_ids(path: UPath) -> set[str]:
    """Read the ids of all users in a file."""
    table = read_columns(path, PROFILE_COLUMNS).unify_dictionaries()
    columns = (pc.list_flatten(each) if pa.types.is_list(each.type) else each for each in table)
    return {person for column in columns for person in pc.unique(column).to_pylist() if isinstance(person, str)}


def _drop_rows(table: pa.Table, people: Collection[str]) -> pa.Table:
    """Remove the rows and list entries of these users; return the table itself if they have none."""
    if LISTS in table.column_names:
        return list_frames.remove_profiles(table, people)
    named = [name for name in PROFILE_COLUMNS if name in table.column_names]
    kept = table
    for name in named:
        kept = kept.filter(pc.invert(list_frames.find_members(kept.column(name), people)))
    if kept.num_rows == table.num_rows:
        return table
    for name in named:
        # A filtered dictionary still holds values that are in no row.
        if pa.types.is_dictionary(kept.schema.field(name).type):
            words = kept.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
            kept = kept.set_column(kept.column_names.index(name), name, words)
    return kept
