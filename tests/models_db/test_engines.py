"""Connection strings, as SQLAlchemy and psycopg read them."""

from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from models.db.engines import database_url, libpq_url
from models.db.settings import Settings


@pytest.mark.parametrize("password", ["plain", "two words", "a+b%20c", "ä:/@?#"])
def test_a_password_of_any_characters_reaches_the_driver(password: str) -> None:
    settings = Settings(database_url=f"postgresql://me:{quote(password, safe='')}@somewhere:5433/town")
    read = conninfo_to_dict(libpq_url(database_url(settings)))
    assert read == {"user": "me", "password": password, "host": "somewhere", "port": "5433", "dbname": "town"}
