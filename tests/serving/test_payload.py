"""What the answer says of a candidate, and what it never says."""

import re
from datetime import UTC, date, datetime
from typing import get_args

import pytest

from models.ml.scoring.match_reasons import EXPLAINED, FALLBACK
from serving.queries.reason_sentences import SENTENCES, ReasonCode
from serving.schemas import Matches
from tests.serving.conftest import ALIKE, DETAIL, Api, Town


def test_the_whole_answer_is_known(api: Api, town: Town) -> None:
    me = town.person(latitude=52.0, longitude=13.0, interests=["hiking", "jazz", "films"])
    he = town.person(
        "man",
        display_name='Zoë "Zo" O\'Neil {detail}',
        birth_date=date(datetime.now(UTC).year - 30, 1, 1),
        latitude=52.1,
        longitude=13.0,
        interests=["jazz", "chess", "films"],
        texts={"About me": 'I say "hi"\nand 50% more'},
    )
    reasons = [{"code": "shared_interests", "detail": ["hiking", "jazz", "films"]}, {"code": "close_by", "detail": []}]
    made_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    publication = town.publish({me: [he]}, p_match=[0.286], reasons=[reasons], made_at=made_at)

    answer = api.matches(me)

    assert answer.json() == {
        "publication": {"id": publication, "made_at": "2026-01-02T03:04:05+00:00"},
        "matches": [
            {
                "rank": 1,
                "candidate": {
                    "id": str(he),
                    "name": 'Zoë "Zo" O\'Neil {detail}',
                    "age": 30,
                    "gender": "man",
                    "distance_km": 11,  # a tenth of a degree of latitude is 11.1 km
                    "interests": ["jazz", "chess", "films"],
                    "texts": {"About me": 'I say "hi"\nand 50% more'},
                },
                "p_match_percent": 29,
                "reasons": [
                    {"code": "shared_interests", "sentence": "You both like jazz and films."},
                    {"code": "close_by", "sentence": "You live close to each other."},
                ],
                "source": "published",
            }
        ],
        "next_cursor": None,
        "topped_up": False,
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (["jazz"], "You both like jazz."),
        (["jazz", "chess"], "You both like jazz and chess."),
        (["rock, pop", "{detail}", "a\\1"], "You both like rock, pop, {detail} and a\\1."),
    ],
)
def test_details_are_listed_in_words(api: Api, town: Town, detail: list[str], sentence: str) -> None:
    me, he = (town.person(gender, interests=["more", *reversed(detail)]) for gender in ("woman", "man"))
    town.publish({me: [he]}, reasons=[[{"code": "shared_interests", "detail": detail}]])
    assert api.matches(me).json()["matches"][0]["reasons"] == [{"code": "shared_interests", "sentence": sentence}]


def test_the_pipeline_knows_the_same_reasons() -> None:
    assert {code for code, _ in EXPLAINED.values()} | {FALLBACK} == set(SENTENCES)


def test_every_reason_has_a_sentence_and_an_unknown_one_is_left_out(api: Api, town: Town) -> None:
    me, he = (town.person(gender, **ALIKE) for gender in ("woman", "man"))
    codes = list(get_args(ReasonCode))
    reasons = [{"code": code, "detail": DETAIL.get(code, [])} for code in ["made up later", *codes]]
    town.publish({me: [he]}, reasons=[reasons])
    shown = api.matches(me).json()["matches"][0]["reasons"]
    assert [reason["code"] for reason in shown] == codes == list(SENTENCES)
    assert all(re.fullmatch(r"[A-Z][^{}]*\.", reason["sentence"]) for reason in shown)


def test_the_answer_fits_its_documentation(api: Api, town: Town) -> None:
    me, *men = (town.person(gender, **ALIKE) for gender in ("woman", "man", "man", "man"))
    reasons = [{"code": code, "detail": DETAIL.get(code, [])} for code in get_args(ReasonCode)]
    town.publish({me: men}, p_match=[1.0, 0.4, 0.0], reasons=[reasons] * 3)
    matches = Matches.model_validate_json(api.matches(me).content, strict=True)
    assert matches.model_dump(mode="json")["matches"] == api.matches(me).json()["matches"]


@pytest.mark.parametrize(
    ("latitude", "longitude", "kilometres"),
    [
        (0.0, 0.0, 0),
        (0.0, 0.0065, 1),
        (0.0, 0.89, 99),
        (0.0, 0.898, 100),
        (0.0, 0.903, 100),
        (0.0, 180.0, 100),
        (0.0149, 0.0, 1),  # 1.7 km, but the cell is at 0.01
        (0.0051, 0.0, 1),
        (0.0049, 0.0049, 0),
        (None, None, None),
        (float("nan"), 0.0, None),
    ],
)
def test_distance_is_rounded_or_unknown(
    api: Api, town: Town, latitude: float | None, longitude: float | None, kilometres: int | None
) -> None:
    me, he = town.person(latitude=0, longitude=0), town.person("man", latitude=latitude, longitude=longitude)
    town.publish({me: [he]})
    assert api.matches(me).json()["matches"][0]["candidate"]["distance_km"] == kilometres


UNFIT: dict[str, dict[str, object]] = {
    "texts = '[]'": {},
    "texts = '\"none\"'": {},
    "texts = 'null'": {},
    """texts = '["hello"]'""": {},
    """texts = '[{"About me": "I sail"}]'""": {},
    """texts = '{"About me": {"a": 1}, "Work": "Baker"}'""": {"texts": {"Work": "Baker"}},
    """texts = '{"About me": null, "Work": 7, "Fun": ["a", "b"], "Home": true}'""": {},
    "interests = '{jazz,NULL,chess}'": {"interests": ["jazz", "chess"]},
    "interests = '{NULL}'": {},
    "interests = '{{jazz,chess},{films,NULL}}'": {},
    "latitude = 'NaN', longitude = 'NaN'": {},
}


@pytest.mark.parametrize("change", UNFIT)
def test_what_does_not_fit_the_documentation_is_left_out_and_the_person_stays(
    api: Api, town: Town, change: str
) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    town.run(f"UPDATE app.profiles SET {change} WHERE id = %(he)s", he=he)
    matches = Matches.model_validate_json(api.matches(me).content, strict=True)
    shown = matches.matches[0].candidate.model_dump(include={"texts", "interests", "distance_km"})
    nothing: dict[str, object] = {"texts": {}, "interests": [], "distance_km": None}
    assert shown == nothing | UNFIT[change]


SECRETS = [
    "birth",
    "1987",
    "-06-05",
    "lat",
    "lon",
    "52.12",
    "13.65",
    "p_like",
    "0.12",
    "speed",
    "77123",
    "4321",
    "seeks",
]


def test_the_payload_gives_nobody_away(api: Api, town: Town) -> None:
    me, he = (
        town.person(),
        town.person(
            "man",
            source_key="speed-dating:77123",
            birth_date=date(1987, 6, 5),
            latitude=52.123456,
            longitude=13.654321,
            max_distance_km=4321.5,
            age_min=19,
            age_max=87,
        ),
    )
    town.publish({me: [he]}, p_match=[0.123456])
    body = api.matches(me).text
    for secret in SECRETS:
        assert secret not in body, secret
    assert str(me) not in body
