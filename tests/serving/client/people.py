"""A town with long lists, for those who page through them."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from tests.serving.conftest import Town

NAMES = ("Emeka", "Jonas", "Luís", "Omar", "Kenji", "Mateo", "Ravi", "Søren", "Tomasz", "Yusuf", "Anton", "Zoltán")
PARTNER = "Bo"
INTERESTS = ("hiking", "jazz", "pottery", "board games", "sailing", "permaculture", "old films")
ANSWERS = (
    "Bread on Sunday mornings, and a walk by the river whatever the weather.",
    "Learning the cello at thirty. My neighbours are very patient people.",
    "Long train rides, short emails, and soup.",
)


class Viewer(NamedTuple):
    """Somebody who looks at matches."""

    id: UUID
    listed: list[UUID]
    """Her list, best first."""
    partner: UUID | None
    """Her partner of the day, who is not on her list; nobody if she has none."""
    others: list[UUID]
    """Who would be shown to her as well, nearest in embedding first."""
    publication: int


def settle(town: Town, listed: int = 64, others: int = 6) -> Viewer:
    """A woman with a list of so many men, a partner of the day who is not on it, and other men who fit."""
    me = town.person(display_name="Helena", latitude=52.5, longitude=13.4, interests=list(INTERESTS))
    town.embed(me, 1, 0)
    men = [_man(town, number) for number in range(listed + others)]
    for place, man in enumerate(reversed(men)):
        town.embed(man, math.cos(place / len(men)), math.sin(place / len(men)))
    hers, rest = men[:listed], men[listed:][::-1]
    chances = [0.9 - number / 100 for number in range(listed)]
    publication = town.publish({me: hers}, chances, [_reasons(number) for number in range(listed)])
    partner = _man(town, listed + others, PARTNER) if hers else None
    if partner is not None:
        town.pair(publication, me, partner, 0.27, "likely_mutual", "similar_answers")
    return Viewer(me, hers, partner, rest, publication)


def _man(town: Town, number: int, name: str | None = None) -> UUID:
    return town.person(
        "man",
        display_name=name or NAMES[number % len(NAMES)],
        birth_date=date(1985 + number % 12, 1 + number % 12, 1),
        latitude=52.5 + number / 400,
        longitude=13.4,
        interests=[INTERESTS[(number + step) % len(INTERESTS)] for step in range(3)],
        texts={"What I love": ANSWERS[number % 3], "You should know": ANSWERS[(number + 1) % 3]},
    )


def _reasons(number: int) -> Sequence[Mapping[str, object]]:
    shared = {"code": "shared_interests", "detail": [INTERESTS[number % 7], INTERESTS[(number + 1) % 7]]}
    codes = ("close_by", "similar_age", "similar_answers", "similar_nature")
    return [shared, *({"code": codes[(number + step) % 4], "detail": []} for step in range(number % 3))]
