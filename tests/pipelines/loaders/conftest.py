"""An engine on a database of the test's own, and the public files."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

PUBLIC_FILES = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool)


def public_file(name: str) -> Path:
    path = PUBLIC_FILES / name
    if not path.exists():
        pytest.skip(f"needs the public file ../shared/data/{name}")
    return path
