"""The view `matching.visible_candidates` over tables without our constraints, as an app's own views may be."""

import pytest
from sqlalchemy import Connection, text

from tests.models_db.conftest import person_id, settle

HER, HIM = 1, 2
COLUMNS = "name, age, gender, distance_km, interests, texts"


def shown(connection: Connection) -> list[tuple[object, ...]]:
    """How he is shown to her."""
    query = f"SELECT {COLUMNS} FROM matching.visible_candidates WHERE viewer_id = :her AND candidate_id = :him"
    return [tuple(row) for row in connection.execute(text(query), {"her": person_id(HER), "him": person_id(HIM)})]


def test_what_is_missing_is_shown_as_nothing(connection: Connection) -> None:
    for column in ("display_name", "interests", "texts"):
        connection.execute(text(f"ALTER TABLE app.profiles ALTER {column} DROP NOT NULL"))
    settle(connection, [HER])
    settle(connection, [HIM], display_name=None, interests=None)
    connection.execute(text("UPDATE app.profiles SET texts = NULL"))
    ((name, age, gender, distance_km, interests, texts),) = shown(connection)
    assert (name, gender, distance_km, interests, texts) == ("", "man", None, [], {})
    assert isinstance(age, int)


@pytest.mark.parametrize("column", ["birth_date", "gender", "seeks", "paused"])
def test_who_lacks_what_eligibility_asks_for_is_not_shown(connection: Connection, column: str) -> None:
    settle(connection, [HER, HIM])
    assert shown(connection)
    connection.execute(text(f"ALTER TABLE app.profiles ALTER {column} DROP NOT NULL"))
    connection.execute(text(f"UPDATE app.profiles SET {column} = NULL WHERE id = :him"), {"him": person_id(HIM)})
    assert not shown(connection)
