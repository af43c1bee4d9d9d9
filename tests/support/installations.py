"""Installations that a test may change, copied from one that only serves as a template."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.pipelines.conftest import Databases, Place


@contextmanager
def copied(place: Place, databases: Databases, home: Path) -> Iterator[Place]:
    """A copy of an installation in another home and database, for the length of a block."""
    with databases(place.database_url) as url:
        yield Place(shutil.copytree(place.home, home), url)
