"""What a response says of a candidate, and what it never says."""

import re
from datetime import UTC, date, datetime
from typing import get_args

from models.ml.scoring.match_reasons import EXPLAINED, FALLBACK
from serving.queries.reason_sentences import SENTENCES, ReasonCode
from serving.schemas import Matches
from tests.serving.conftest import ALIKE, DETAIL, Api, Users


def test_the_whole_response_is_known(api: Api, users: Users) -> None:
    """No birth date, place, source key, preference or one-sided probability is in it."""
    me = users.add(latitude=52.0, longitude=13.0, interests=["hiking", "rock, pop", "{detail}", "a\\1"])
    he = users.add(
        "man",
        display_name='Zoë "Zo" O\'Neil {detail}',
        source_key="speed-dating:77123",
        birth_date=date(datetime.now(UTC).year - 30, 1, 1),
        max_distance_km=4321.5,
        age_min=19,
        latitude=52.1,
        longitude=13.0,
        interests=["a\\1", "chess", "{detail}", "rock, pop"],
        texts={"About me": 'I say "hi"\nand 50% more'},
    )
    reasons = [
        {"code": "shared_interests", "detail": ["hiking", "rock, pop", "{detail}", "a\\1"]},
        {"code": "close_by", "detail": []},
    ]
    made_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    publication = users.publish({me: [he]}, p_match=[0.286], reasons=[reasons], made_at=made_at)

    response = api.matches(me)

    assert response.json() == {
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
                    "interests": ["a\\1", "chess", "{detail}", "rock, pop"],
                    "texts": {"About me": 'I say "hi"\nand 50% more'},
                },
                "p_match_percent": 29,
                "reasons": [
                    {"code": "shared_interests", "sentence": "You both like rock, pop, {detail} and a\\1."},
                    {"code": "close_by", "sentence": "You live close to each other."},
                ],
                "source": "published",
            }
        ],
        "next_cursor": None,
        "topped_up": False,
        "empty_because": None,
    }
    assert response.headers["content-type"] == "application/json"


def test_every_reason_of_the_pipeline_has_a_sentence(api: Api, users: Users) -> None:
    """A code without one, of a newer pipeline, is left out."""
    assert {code for code, _ in EXPLAINED.values()} | {FALLBACK} == set(SENTENCES)
    me, *men = (users.add(gender, **ALIKE) for gender in ("woman", "man", "man", "man"))
    codes = list(get_args(ReasonCode))
    reasons = [{"code": code, "detail": DETAIL.get(code, [])} for code in ["made up later", *codes]]
    users.publish({me: men}, p_match=[1.0, 0.4, 0.0], reasons=[reasons] * 3)
    response = api.matches(me)
    matches = Matches.model_validate_json(response.content, strict=True)
    assert matches.model_dump(mode="json")["matches"] == response.json()["matches"]
    for match in matches.matches:
        assert [reason.code for reason in match.reasons] == codes == list(SENTENCES)
        assert all(re.fullmatch(r"[A-Z][^{}]*\.", reason.sentence) for reason in match.reasons)


def test_distance_is_rounded_or_unknown(api: Api, users: Users) -> None:
    """Of places rounded to a hundredth of a degree: 0.0149 is 1.7 km away, but its cell is at 0.01."""
    places = {(0.0, 0.0065): 1, (0.0, 0.898): 100, (0.0, 180.0): 100, (0.0149, 0.0): 1, (None, None): None}
    places[float("nan"), 0.0] = None
    me = users.add(latitude=0, longitude=0)
    users.publish({me: [users.add("man", latitude=latitude, longitude=longitude) for latitude, longitude in places]})
    assert [match["candidate"]["distance_km"] for match in api.read(me)["matches"]] == list(places.values())


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


def test_values_outside_the_schema_are_left_out(api: Api, users: Users) -> None:
    me, men = users.viewer(len(UNFIT))
    for man, change in zip(men, UNFIT, strict=True):
        users.run(f"UPDATE app.profiles SET {change} WHERE id = %(man)s", man=man)
    matches = Matches.model_validate_json(api.matches(me).content, strict=True).matches
    nothing: dict[str, object] = {"texts": {}, "interests": [], "distance_km": None}
    shown = [match.candidate.model_dump(include={*nothing}) for match in matches]
    assert shown == [nothing | expected for expected in UNFIT.values()]
