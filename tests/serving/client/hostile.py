"""Profiles of people who write what nobody expects, on every surface of the example."""

import math
from typing import NamedTuple
from uuid import UUID

from tests.serving.conftest import Users

LONG = "Donaudampfschifffahrtsgesellschaftskapitaenspatent" * 10
"""A word of 500 characters."""
ARABIC = "أحب القراءة والسفر"
LINES = "First line\n\nשורה שנייה\nThird line"  # noqa: RUF001 -- Hebrew
PROFILES: dict[str, dict[str, object]] = {
    "long words": {"display_name": LONG, "interests": [LONG[:499] + "s", LONG], "texts": {LONG: LONG * 20}},
    "emoji": {
        "display_name": "👨‍👩‍👧‍👦🏳️‍🌈 🇩🇪🇫🇷",
        "interests": ["👩‍🚀" * 60, "🏳️‍🌈"],
        "texts": {"about_me": "🎉" * 5000, "emoji_only": "👨‍👩‍👧‍👦" * 900},
    },
    "right to left": {
        "display_name": "ליאור בן־דוד",
        "interests": ["טיולים", ARABIC],
        "texts": {"about_me": LINES, "looking_for": f"{ARABIC} " * 100, "שאלה": "שלום\nworld"},
    },
    "CJK": {
        "display_name": "寿限無" * 60,
        "interests": ["写真" * 100, "写真"],
        "texts": {"about_me": "東京に住んでいます。" * 1000},
    },
    "empty": {"display_name": "x" * 501, "interests": [], "texts": {}},
    "ten thousand characters": {
        "display_name": "Z̷̢̛̘͓͎̀͒a̵̡͕͐̓l̶̨̛͇̑g̷͙̈́o̴̲͋ \u202eevil",
        "interests": [f"interest {number} {'i' * number}" for number in range(200)],
        "texts": {"about_me": ("w" * 99 + " ") * 100, "ideal_weekend": "a\n" * 5000},
    },
}
FACTS = {"occupation": "public_service", "star_sign": LONG}
REASONS = [
    {"code": "shared_interests", "detail": [LONG, ARABIC, "写真"]},
    {"code": "in_common", "detail": ["occupation (public_service)", f"star sign ({LONG})"]},
    {"code": "similar_answers", "detail": []},
]


class Crowd(NamedTuple):
    """A woman who meets all of them."""

    me: UUID
    published: dict[str, UUID]
    """By name of the profile."""


def add_hostile(users: Users) -> Crowd:
    """All profiles on a list, again as similar people, again as likes, and long words as most compatible."""
    common: dict[str, object] = {"facts": FACTS, "latitude": 52.5, "longitude": 13.4}
    shared = [LONG, ARABIC, "写真"]
    me = users.add("woman", **common, interests=shared, texts={"about_me": "x"})

    def add(name: str) -> UUID:
        mine = PROFILES[name]
        interests = [*shared, *mine["interests"]] if mine["interests"] else []  # type: ignore[misc]
        return users.add("man", **common | mine | {"interests": interests})

    published = {name: add(name) for name in PROFILES}
    publication = users.publish({me: list(published.values())}, reasons=[REASONS] * len(PROFILES))
    users.pair(publication, me, add("long words"), 0.5, "likely_mutual")
    users.embed(me, 1, 0)
    for number, name in enumerate(PROFILES):
        users.embed(add(name), math.cos(number / 9), math.sin(number / 9))
        users.act(add(name), "like", me)
    return Crowd(me, published)
