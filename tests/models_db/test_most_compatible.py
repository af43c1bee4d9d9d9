"""The one partner of the day beside a list: stored, verified, and forgotten with the person."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList, MostCompatibleEntry
from tests.models_db.conftest import BEFORE, SCORED_AT, list_for, person_id, publish_lists, run

LATER = SCORED_AT + timedelta(hours=1)
WHY = [{"code": "close_by", "detail": []}]


NOTHING: Any = None
NO_LIST = json.dumps({"code": "close_by"})


def partner(number: int, p_match: float = 0.25) -> MostCompatibleEntry:
    return MostCompatibleEntry(person_id(number), p_match, json.dumps(WHY))


def paired(viewer: int, candidates: list[int], other: int) -> MatchList:
    return replace(list_for(viewer, candidates), most_compatible=partner(other))


LISTS = [paired(1, [4, 2, 6], 4), paired(2, [5, 1], 3), paired(3, [6], 2), list_for(5, [])]
"""The partners of 2 and 3 are not on their lists; 5 has none."""


def partners(engine: Engine) -> Mapping[int, tuple[object, ...]]:
    query = "SELECT viewer_id, most_compatible_id, most_compatible_p_match, most_compatible_reasons"
    query += " FROM matching.match_lists JOIN matching.publications ON id = publication_id WHERE state = 'live'"
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {viewer.int: (other and other.int, p_match, reasons) for viewer, other, p_match, reasons in rows}


def test_partners_are_stored_as_sent(town: Engine) -> None:
    published = publish_lists(town, LISTS)
    none = (None, None, None)
    assert partners(town) == {1: (4, 0.25, WHY), 2: (3, 0.25, WHY), 3: (2, 0.25, WHY), 5: none}
    assert (published.pair_count, published.metrics["dropped_since_scoring"]) == (6, 0)


REFUSED: dict[str, tuple[MostCompatibleEntry, str]] = {
    "oneself": (partner(1), "1 viewers most compatible with themselves;"),
    "above 1": (partner(4, 1.5), r"1 most compatible people with a probability outside \[0, 1\]"),
    "below 0": (partner(4, -0.5), "1 most compatible people"),
    "not a number": (partner(4, float("nan")), "1 most compatible people"),
    "reasons that are no list": (replace(partner(4), reasons=NO_LIST), "without an array of reasons"),
    "no probability": (partner(4, NOTHING), "is not made of uuids and numbers"),
    "no id": (MostCompatibleEntry("town:4", 0.5, json.dumps(WHY)), "is not made of uuids and numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_partners_are_refused(town: Engine, case: str) -> None:
    wrong, message = REFUSED[case]
    with pytest.raises(PublicationRefused, match=message):
        publish_lists(town, [list_for(2, [5, 1]), replace(list_for(1, [2]), most_compatible=wrong)])


AGAINST = {
    "she blocked him": "INSERT INTO app.blocks VALUES (:she, :he, :at)",
    "he blocked her": "INSERT INTO app.blocks VALUES (:he, :she, :at)",
    "she passed him": "INSERT INTO app.interactions (actor_id, target_id, kind, created_at)"
    " VALUES (:she, :he, 'pass', :at)",
    "he is too young for her": "UPDATE app.profiles SET age_min = 90, updated_at = :at WHERE id = CAST(:she AS uuid)"
    " AND CAST(:he AS uuid) IS NOT NULL",
}


def against(engine: Engine, what: str, at: datetime) -> None:
    run(engine, AGAINST[what], she=person_id(3), he=person_id(2), at=at)


@pytest.mark.parametrize("what", AGAINST)
@pytest.mark.parametrize("at", [BEFORE, LATER])
def test_an_impossible_partner_is_dropped_whatever_the_stamp(town: Engine, what: str, at: datetime) -> None:
    against(town, what, at)
    published = publish_lists(town, [list_for(1, [4]), paired(3, [], 2)])
    assert partners(town)[3] == (None, None, None)
    assert published.metrics["dropped_since_scoring"] == 1


def test_a_pair_on_the_list_and_of_the_day_is_one_pair(town: Engine) -> None:
    against(town, "she blocked him", LATER)
    assert publish_lists(town, [list_for(1, [4]), paired(3, [2], 2)]).metrics["dropped_since_scoring"] == 1


def test_erasing_a_person_makes_them_nobodys_partner(town: Engine) -> None:
    publish_lists(town, LISTS)
    run(town, "DELETE FROM app.profiles WHERE id = :id", id=person_id(3))
    assert partners(town) == {1: (4, 0.25, WHY), 2: (None, None, None), 5: (None, None, None)}
    run(town, "DELETE FROM app.profiles WHERE id IN (:a, :b)", a=person_id(4), b=person_id(6))
    assert partners(town)[1] == (None, None, None)


def test_somebody_erased_while_a_publication_is_built_is_nobodys_partner(town: Engine) -> None:
    """The lists were read before, and nothing of the erasure is left to see but that the person is gone."""
    run(town, "DELETE FROM app.profiles WHERE id = :id", id=person_id(2))
    published = publish_lists(town, [list_for(1, [4]), paired(3, [6], 2)])
    assert partners(town)[3] == (None, None, None)
    assert published.metrics["dropped_since_scoring"] == 1


def test_a_partner_is_whole_or_none(town: Engine) -> None:
    publish_lists(town, LISTS)
    for column in ("most_compatible_id", "most_compatible_p_match", "most_compatible_reasons"):
        with pytest.raises(IntegrityError, match="most_compatible_whole"):
            run(town, f"UPDATE matching.match_lists SET {column} = NULL WHERE viewer_id = :id", id=person_id(1))
