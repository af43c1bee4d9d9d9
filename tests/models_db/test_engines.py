"""Connection strings, as SQLAlchemy and psycopg read them, and what is said of them: never a password."""

import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from models.db.engines import convert_to_libpq_url, open_database, resolve_database_url
from models.db.errors import DatabaseUnavailable, InputError, MatchingError
from models.db.settings import Settings


@pytest.mark.parametrize("given", ["postgresql://u:p@h:1/d", "postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"])
def test_a_database_url_has_one_form_and_starts_nothing(given: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=given)
    assert resolve_database_url(settings) == "postgresql+psycopg://u:p@h:1/d"
    assert not settings.home.exists()


@pytest.mark.parametrize("password", ["two words", "a+b%20c", "ä:/@?#"])
def test_a_password_of_any_characters_reaches_the_driver(password: str) -> None:
    settings = Settings(database_url=f"postgresql://me:{quote(password, safe='')}@/town?host=a,b&port=5432,5433")
    read = conninfo_to_dict(convert_to_libpq_url(resolve_database_url(settings)))
    assert read == {"user": "me", "password": password, "host": "a,b", "port": "5432,5433", "dbname": "town"}


UNREADABLE = {
    "nothing": "",
    "another database": "mysql://sesame@here/town",
    "no URL": "sesame",
    "an @ and a colon": "postgresql://me:open@ses:same@here/town",
    "an @": "postgresql://me:open@sesame@here/town",
    "an @ and a slash": "postgresql://me:open@ses/same@here/town",
    "an @ and a question mark": "postgresql://me:open@sesame?x@here/town",
    "an unknown option": "postgresql://here/town?sesame=1",
    "several hosts": "postgresql://me:sesame@here:1,there:2/town",
    "a port that is none": "postgresql://me:sesame@here:sesame/town",
    "hosts and ports that do not match": "postgresql://me:sesame@/town?host=a,b&port=1,2,3",
}


def show(error: BaseException) -> str:
    """All that a traceback of the error shows."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_url_is_refused_and_not_quoted(case: str) -> None:
    with pytest.raises(InputError, match="DATABASE_URL") as raised:
        resolve_database_url(Settings(database_url=UNREADABLE[case]))
    assert not any(part in show(raised.value) for part in ("sesame", "ses:same", "ses/same", "open"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sesame@127.0.0.1:1/town",
        "postgresql://127.0.0.1:1/town?user=me&password=sesame",
        "postgresql:///town?host=127.0.0.1&port=1&user=me&password=sesame",
    ],
)
def test_an_unreachable_server_is_named_without_the_password(url: str) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match=r"town at 127.0.0.1, port 1,.*refused") as raised,
        open_database(Settings(database_url=url)) as engine,
        engine.connect(),
    ):
        pass
    assert "sesame" not in show(raised.value)


def test_what_a_failing_statement_was_given_is_not_shown(database_url: str) -> None:
    def fail() -> None:
        with open_database(Settings(database_url=database_url)) as engine, engine.connect() as connection:
            connection.execute(text("SELECT CAST(:who AS text), 1 / 0"), {"who": "somebody"})

    with pytest.raises(Exception, match="division by zero") as raised:
        fail()
    assert not isinstance(raised.value, MatchingError)
    assert "somebody" not in show(raised.value).replace('"who": "somebody"', "")
