"""The role of analysts: it reads figures of at least 20 people, and nothing else."""

import pytest
from psycopg import Connection
from psycopg.errors import CheckViolation, InsufficientPrivilege, UniqueViolation
from sqlalchemy import Engine

from models.db.schema.analyst_role import ROLE
from tests.models_db.conftest import session

CELL = "INSERT INTO matching.town_insights VALUES (NULL, 'opened', 'all', 0.8, 0.7, 0.9, %s)"
RELATIONS = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace IN ('app'::regnamespace, 'matching'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm')
"""


def read_as_analyst(owner: Connection, relation: str) -> int:
    owner.execute(f"SET ROLE {ROLE}".encode())
    try:
        return len(owner.execute(f"SELECT FROM {relation}".encode()).fetchall())
    finally:
        owner.execute("RESET ROLE")


def test_analysts_read_town_insights_and_nothing_else(engine: Engine) -> None:
    with session(engine.url) as owner:
        owner.execute(CELL, [20])
        assert read_as_analyst(owner, "matching.town_insights") == 1
        others = {relation for (relation,) in owner.execute(RELATIONS)} - {"matching.town_insights"}
        assert {"app.profiles", "app.messages", "matching.conversation_facts", "matching.matches"} <= others
        for relation in others:
            with pytest.raises(InsufficientPrivilege):
                read_as_analyst(owner, relation)
        owner.execute(f"SET ROLE {ROLE}".encode())
        for statement in ("DELETE FROM matching.town_insights", "CREATE TABLE matching.mine ()"):
            with pytest.raises(InsufficientPrivilege):
                owner.execute(statement.encode())


def test_a_cell_of_few_people_is_refused_and_each_is_there_once(engine: Engine) -> None:
    with session(engine.url) as owner:
        with pytest.raises(CheckViolation):
            owner.execute(CELL, [19])
        owner.execute(CELL, [20])
        with pytest.raises(UniqueViolation):
            owner.execute(CELL, [30])
