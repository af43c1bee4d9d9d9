"""Copies of a place that was run, for tests that change it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from upath import UPath

from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table
from pipelines.store.shard_manifest import URL, is_manifest, replace_urls
from tests.pipelines.conftest import Databases, Place


@contextmanager
def copied(place: Place, databases: Databases, home: Path) -> Iterator[Place]:
    """A copy of the place in another home and database; nothing may be connected to the place itself."""
    shutil.copytree(place.home, home)
    for path in map(UPath, (home / "store").glob("*.parquet")):
        if is_manifest(table := read_table(path)):
            urls = table.column(URL).to_pylist()
            write_table(replace_urls(table, {url: url.replace(str(place.home), str(home)) for url in urls}), path)
    with databases(place.database_url) as url:
        yield Place(home, url)


def get_frame_path(place: Place, asset: str) -> UPath:
    return UPath(place.home / "store" / f"{asset}.parquet")


def read_frame(place: Place, asset: str) -> pd.DataFrame:
    return convert_from_table(read_table(get_frame_path(place, asset)))


def write_frame(place: Place, asset: str, frame: pd.DataFrame) -> None:
    write_table(convert_to_table(frame), get_frame_path(place, asset))
