"""The data of the last trainings, kept in the store so that a training can be repeated.

Erasure reaches these files as all others of the store. A training with an erased user cannot be repeated to the bit.
"""

from collections.abc import Collection, Mapping

import pandas as pd
import pyarrow as pa
from upath import UPath

from models.db.errors import InputError
from pipelines.store.frame_store import convert_from_table, read_table, write_table

FOLDER = "trainings"
PROFILES, DECISIONS = "profiles", "training_pairs"
KEPT = 3
"""Versions whose data is kept, beside the champion's."""


def write_training_data(store: UPath, version: str, tables: Mapping[str, pa.Table], champion: str | None) -> None:
    """Write the tables that a version was trained on, and delete those of old versions.

    Args:
        store: Folder of the store.
        version: The registered version, a whole number.
        tables: The tables by name: PROFILES and DECISIONS.
        champion: The version that is champion, whose data stays however old it is.
    """
    for name, table in tables.items():
        write_table(table, get_path(store, version, name))
    _delete_old(store, {champion})


def read_training_data(store: UPath, version: str) -> dict[str, pd.DataFrame]:
    """Read the frames that a version was trained on, by name: PROFILES and DECISIONS.

    Raises:
        InputError: The data of this version is not kept.
    """
    try:
        return {name: convert_from_table(read_table(get_path(store, version, name))) for name in (PROFILES, DECISIONS)}
    except FileNotFoundError as error:
        kept = ", ".join(map(str, sorted(map(int, _list_versions(store))))) or "none"
        raise InputError(
            f"the data of version {version} is not kept in {store / FOLDER} (kept: {kept}); name one of these"
        ) from error


def get_path(store: UPath, version: str, name: str) -> UPath:
    """Return the file of a table that a version was trained on."""
    return store / FOLDER / version / f"{name}.parquet"


def _list_versions(store: UPath) -> list[str]:
    folder = store / FOLDER
    return sorted({path.parent.name for path in folder.glob("*/*.parquet")}) if folder.exists() else []


def _delete_old(store: UPath, champions: Collection[str | None]) -> None:
    newest = sorted(_list_versions(store), key=int)[-KEPT:]
    for version in _list_versions(store):
        if version not in newest and version not in champions:
            for name in (PROFILES, DECISIONS):
                get_path(store, version, name).unlink(missing_ok=True)
