"""Export what frames and shards keep about a user, as the user may see it."""

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from models.db.settings import Settings
from models.ml.scoring import list_frames
from pipelines.store.frame_store import read_table, store_url
from pipelines.store.store_erasure import PROFILE_COLUMNS

# Whose row it is. A row that names the user in another column is another user's.
OWNERS = ("profile_id", "viewer_id", "actor_id", "blocker_id", "person_a", "person_b")
# What others decided, or are thought to decide.
HIDDEN = ("withheld_ids", "likes_ids", "likes_p_like", "likes_p_match", "likes_reasons", "p_liked_back")
OTHER_SIDE: Mapping[str, tuple[str, ...]] = {
    "person_a": ("median_reply_b_h", "questions_b"),
    "person_b": ("median_reply_a_h", "questions_a"),
}

Rows = list[dict[str, object]]


def export_from_store(settings: Settings, profile_id: str) -> dict[str, Rows]:
    """Return the user's rows in all frames and shards, by asset.

    An asset that names the user only in rows of others is there with no rows. Erasure removes the user from the same
    assets (`pipelines.store.store_erasure`).

    Raises:
        InputError: A file cannot be read.
    """
    store, found = UPath(store_url(settings)), dict[str, Rows]()
    for path in sorted(store.rglob("*.parquet")):
        table = read_table(path)
        if names_user(table, profile_id):
            asset = path.stem if path.parent == store else path.parent.name
            found.setdefault(asset, []).extend(_list_rows(table, profile_id))
    return found


def names_user(table: pa.Table, profile_id: str) -> bool:
    """Return whether a stored table names the user in any column of people."""
    columns = [table.column(name) for name in PROFILE_COLUMNS if name in table.column_names]
    flat = (pc.list_flatten(each) if pa.types.is_list(each.type) else each for each in columns)
    return any(pc.any(list_frames.find_members(each, {profile_id})).as_py() for each in flat)


def _list_rows(table: pa.Table, profile_id: str) -> Rows:
    rows = Rows()
    for name in (each for each in OWNERS if each in table.column_names):
        mine = table.filter(list_frames.find_members(table.column(name), {profile_id}))
        kept = [each for each in mine.column_names if each not in (*HIDDEN, *OTHER_SIDE.get(name, ()))]
        rows += json.loads(json.dumps(mine.select(kept).to_pylist(maps_as_pydicts="strict"), default=str))
    return rows
