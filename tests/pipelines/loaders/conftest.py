"""What the tests of the loaders share: an engine on a database of their own and the folder of the public files."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

PUBLIC_FILES = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool)


@pytest.fixture(scope="session")
def speed_dating_file() -> Path:
    return public_file("speed_dating.csv")


@pytest.fixture(scope="session")
def okcupid_file() -> Path:
    return public_file("okcupid_profiles_revised.csv.zip")


def public_file(name: str) -> Path:
    path = PUBLIC_FILES / name
    if not path.exists():
        pytest.skip(f"needs the public file ../shared/data/{name}")
    return path
