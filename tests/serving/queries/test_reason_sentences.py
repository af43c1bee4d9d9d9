"""A reason is said only while both profiles support it, whatever was published."""

import itertools
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from serving.queries.reason_sentences import SENTENCES
from tests.serving.conftest import ALIKE, DETAIL, Api, Users

# What either of the two changes, and the one reason that it makes untrue.
UNTRUE = {
    "no interests": ("shared_interests", "interests = '{}'"),
    "other interests": ("shared_interests", "interests = '{sailing,Jazz}'"),
    "interests that are not shown": ("shared_interests", "interests = array_fill('jazz'::text, ARRAY[1000000])"),
    "no facts": ("in_common", "facts = '{}'"),
    "another answer": ("in_common", """facts = '{"smokes_at": "home"}'"""),
    "the same answer to something else": ("in_common", """facts = '{"drinks_at": "parties"}'"""),
    "a move": ("close_by", "latitude = 52.3"),
    "an unknown place": ("close_by", "longitude = NULL"),
    "another birthday": ("similar_age", "birth_date = birth_date - 365 * 6"),
    "no answers": ("similar_answers", "texts = '{}'"),
    "an empty answer": ("similar_answers", """texts = '{"About me": "  \\n"}'"""),
    "an answer that is not shown": ("similar_answers", "texts = jsonb_build_object('About me', repeat('a', 10001))"),
}
UNTRUE_OF_ME = {
    "no traits": ("similar_nature", "traits = '{}'"),
    "no wants": ("what_you_look_for", "wants = '{}'"),
    "a want of no importance": ("what_you_look_for", """wants = '{"humour": 0}'"""),
    "a want of something else": ("what_you_look_for", """wants = '{"wealth": 1}'"""),
}


def card(api: Api, me: UUID, he: UUID) -> dict[str, Any]:
    """His card, with the same reasons everywhere that he is shown as published."""
    cards = [*api.read(me)["matches"], api.open(me, he).json(), api.read(me, "most-compatible")["match"]]
    assert len(cards) == 3
    assert all(each["reasons"] == cards[0]["reasons"] for each in cards)
    return dict(cards[0])


def codes(api: Api, me: UUID, he: UUID) -> list[str]:
    return [reason["code"] for reason in card(api, me, he)["reasons"]]


def published(users: Users, learned: object = None) -> tuple[UUID, UUID]:
    me, he = (users.add(gender, **ALIKE) for gender in ("woman", "man"))
    reasons = [{"code": code, "detail": DETAIL.get(code, [])} for code in SENTENCES]
    publication = users.publish({me: [he]}, reasons=[reasons])
    users.pair(publication, me, he, 0.5, *SENTENCES)
    metrics = Jsonb({} if learned is None else {"reasons": learned})
    users.run("UPDATE matching.publications SET metrics = %(metrics)s", metrics=metrics)
    return me, he


@pytest.mark.parametrize(
    ("what", "whose"), [*itertools.product(UNTRUE, ("mine", "his")), *((what, "mine") for what in UNTRUE_OF_ME)]
)
def test_what_has_become_untrue_is_not_said(api: Api, users: Users, what: str, whose: str) -> None:
    me, he = published(users)
    assert codes(api, me, he) == list(SENTENCES)
    code, change = (UNTRUE | UNTRUE_OF_ME)[what]
    users.run(f"UPDATE app.profiles SET {change} WHERE id = %(who)s", who=me if whose == "mine" else he)
    assert codes(api, me, he) == [each for each in SENTENCES if each != code]


def test_details_that_are_still_true_are_said_alone(api: Api, users: Users) -> None:
    me, he = published(users)
    users.change(he, interests=["sailing", "jazz"])
    shown = card(api, me, he)
    assert shown["reasons"][0] == {"code": "shared_interests", "sentence": "You both like jazz."}
    assert shown["candidate"]["interests"] == ["sailing", "jazz"]


LEARNED = {"traits": {"humour": [5.0, 2.0]}, "wants": {"humour": [0.5, 0.2]}, "texts_cosine": 0.3}


def test_what_the_ranker_learned_says_who_is_alike_now(api: Api, users: Users) -> None:
    """Both are above the median in humour, until one is below; both have a trait all the time."""
    me, he = published(users, LEARNED)
    users.embed(me, 1, 0)
    users.embed(he, 1, 0.1)
    assert codes(api, me, he) == list(SENTENCES)
    users.change(he, traits=Jsonb({"humour": 2}))
    left = [each for each in SENTENCES if each not in ("similar_nature", "what_you_look_for")]
    assert codes(api, me, he) == left
    users.run("DELETE FROM matching.embeddings WHERE profile_id = %(he)s", he=he)
    users.embed(he, 0, 1)
    assert codes(api, me, he) == [each for each in left if each != "similar_answers"]
