"""A reason is said only while both profiles bear it out, whatever was published."""

import itertools
import uuid
from collections.abc import Iterator, Mapping

import pytest
from psycopg.types.json import Jsonb

from serving.queries.reason_sentences import SENTENCES
from tests.serving.conftest import ALIKE, DETAIL, Api, Town, token_for

PUBLISHED = [{"code": code, "detail": DETAIL.get(code, [])} for code in SENTENCES]
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


def cards(api: Api, me: uuid.UUID, he: uuid.UUID) -> Iterator[Mapping[str, object]]:
    """Everywhere that he is shown as published."""
    token = token_for(me)
    yield from api.get("/v1/me/matches", token).json()["matches"]
    yield api.get(f"/v1/me/matches/{he}", token).json()
    yield api.get("/v1/me/most-compatible", token).json()["match"]


def said(api: Api, me: uuid.UUID, he: uuid.UUID) -> list[dict[str, str]]:
    everywhere = [card["reasons"] for card in cards(api, me, he)]
    assert len(everywhere) == 3
    assert all(reasons == everywhere[0] for reasons in everywhere)
    return list(everywhere[0])  # type: ignore[call-overload, no-any-return]


def published(town: Town, learned: object = None) -> tuple[uuid.UUID, uuid.UUID]:
    me, he = (town.person(gender, **ALIKE) for gender in ("woman", "man"))
    publication = town.publish({me: [he]}, reasons=[PUBLISHED])
    town.run(
        "UPDATE matching.match_lists SET most_compatible_id = %(he)s, most_compatible_p_match = 0.5,"
        " most_compatible_reasons = %(why)s",
        he=he,
        why=Jsonb(PUBLISHED),
    )
    metrics = Jsonb({} if learned is None else {"reasons": learned})
    town.run(
        "UPDATE matching.publications SET metrics = %(metrics)s WHERE id = %(id)s", metrics=metrics, id=publication
    )
    return me, he


@pytest.mark.parametrize(
    ("what", "whose"), [*itertools.product(UNTRUE, ("mine", "his")), *((what, "mine") for what in UNTRUE_OF_ME)]
)
def test_what_has_become_untrue_is_not_said(api: Api, town: Town, what: str, whose: str) -> None:
    me, he = published(town)
    assert [reason["code"] for reason in said(api, me, he)] == list(SENTENCES)
    code, change = (UNTRUE | UNTRUE_OF_ME)[what]
    town.run(f"UPDATE app.profiles SET {change} WHERE id = %(who)s", who=me if whose == "mine" else he)
    assert [reason["code"] for reason in said(api, me, he)] == [each for each in SENTENCES if each != code]


def test_details_that_are_still_true_are_said_alone(api: Api, town: Town) -> None:
    me, he = published(town)
    town.change(he, interests=["sailing", "jazz"])
    assert said(api, me, he)[0] == {"code": "shared_interests", "sentence": "You both like jazz."}
    assert next(iter(cards(api, me, he)))["candidate"]["interests"] == ["sailing", "jazz"]  # type: ignore[index]


LEARNED = {"traits": {"humour": [5.0, 2.0]}, "wants": {"humour": [0.5, 0.2]}, "texts_cosine": 0.3}


def test_what_the_ranker_learned_says_who_is_alike_now(api: Api, town: Town) -> None:
    """Both are above the median in humour, until one is below; both have a trait all the time."""
    me, he = published(town, LEARNED)
    town.embed(me, 1, 0)
    town.embed(he, 1, 0.1)
    assert [reason["code"] for reason in said(api, me, he)] == list(SENTENCES)
    town.change(he, traits=Jsonb({"humour": 2}))
    left = [each for each in SENTENCES if each not in ("similar_nature", "what_you_look_for")]
    assert [reason["code"] for reason in said(api, me, he)] == left
    town.run("DELETE FROM matching.embeddings WHERE profile_id = %(he)s", he=he)
    town.embed(he, 0, 1)
    assert [reason["code"] for reason in said(api, me, he)] == [each for each in left if each != "similar_answers"]
