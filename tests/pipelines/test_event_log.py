"""What Dagster and MLflow keep names nobody, because no erasure reaches it."""

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from pipelines.resources import DatabaseResource
from tests.pipelines.conftest import Place

SOMEBODY = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
DOUBLED = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks)
SELECT CAST(:id AS uuid), 'Ann', '1990-01-01', 'woman', '{man}' FROM generate_series(1, 2)
"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (DOUBLED, b"duplicate key value violates"),
        ("SELECT CAST('x' || CAST(:id AS text) AS uuid)", b"invalid input syntax for type uuid"),
        (None, b"KeyError"),
    ],
)
def test_a_step_that_fails_in_the_database_names_nobody(
    database_url: str, tmp_path: Path, statement: str | None, said: bytes
) -> None:
    @dg.asset
    def fails(database: DatabaseResource) -> None:
        with database.open_engine() as engine, engine.begin() as connection:
            if statement is None:
                raise KeyError(SOMEBODY)
            connection.execute(text(statement), {"id": SOMEBODY})

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        resources = {"database": DatabaseResource(home=str(tmp_path), url=database_url)}
        done = dg.materialize([fails], resources=resources, instance=instance, raise_on_error=False)
        assert not done.success
    kept = written_in(tmp_path)
    assert said in kept
    assert SOMEBODY.encode() not in kept


def written_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_a_run_leaves_names_nobody(settled: Place) -> None:
    kept = written_in(settled.home / "dagster") + written_in(settled.home / "mlflow")
    assert b"profile_embeddings" in kept
    people = settled.ask("SELECT id::text, source_key, texts FROM app.profiles")
    answers = [answer for *_, texts in people for answer in texts.values()]
    words = [word for person, key, _ in people for word in (person, key)] + [word for word in answers if word]
    assert len(words) > 2 * len(people)
    assert [word for word in words if word.encode() in kept] == []
