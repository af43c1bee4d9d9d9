"""Towns that lack something, all the way from profiles and likes to lists."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from models.ml.features.training_pairs import build_training_pairs
from models.ml.market import AttentionModel, build_market_graph, match_most_compatible, rank_pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.frame_contracts import check_profiles
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.list_frames import build_list_frame
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import build_scoring_context
from models.ml.training.train import train_ranker
from tests.models_ml.conftest import answers, direction, interactions, somebody

Columns = dict[str, object]

PEOPLE = 40
NO_BLOCKS = pd.DataFrame(columns=["blocker_id", "blocked_id"], dtype=str)


def one_of_two(who: int, of_even: object, of_odd: object) -> object:
    return of_odd if who % 2 else of_even


TOWNS: dict[str, Callable[[int], Columns]] = {
    "says nothing": lambda _: {},
    "all the same": lambda _: {
        "interests": ["cats"], "traits": {"warmth": 1.0}, "wants": {"warmth": 0.5}, "facts": {"smokes": "no"},
        "latitude": 52.0, "longitude": 5.0,
    },
    "one interest": lambda who: {"interests": one_of_two(who, ["cats"], [])},
    "one place known": lambda who: {"latitude": 52.0 if who == 0 else np.nan, "longitude": 5.0, "max_distance_km": 1.0},
    "one wants something": lambda who: {"wants": {"warmth": 1.0} if who == 0 else {}, "traits": {"warmth": who}},
    "wants without traits": lambda who: {"wants": {"warmth": who / PEOPLE}},
    "facts of one half": lambda who: {"facts": one_of_two(who, {"smokes": str(who % 4)}, {})},
    "ages apart": lambda who: {"age": 18 + 2 * who, "age_min": 0, "age_max": 150},
    "one looks for nobody": lambda who: {"seeks": one_of_two(min(who, 1), [], ["woman"])},
    "all over the globe": lambda who: {"latitude": 90.0 - 4.5 * who, "longitude": -180 + 9.0 * who},
    "tiny and huge traits": lambda who: {"traits": {"tiny": 1e-200 * who, "huge": 1e9 * (who % 2), "odd": 1e-9 * who}},
}  # fmt: skip
SAID = {
    "nobody": NO_ANSWERS,
    "one": answers(("000", "about", direction(1))),
    "all the same": answers(*((f"{who:03d}", "about", direction(1)) for who in range(PEOPLE))),
}


def acts(count: int) -> pd.DataFrame:
    """So many decisions at random, of which half are likes."""
    random = np.random.default_rng(count)
    two = random.permuted(np.tile(np.arange(PEOPLE), (count, 1)), axis=1)[:, :2]
    return interactions(
        *((f"{one:03d}", f"{other:03d}", "like" if day % 2 else "pass", day) for day, (one, other) in enumerate(two, 1))
    )


def lists(town: pd.DataFrame, happened: pd.DataFrame, said: AnswerEmbeddings) -> pd.DataFrame:
    profiles, rejected = check_profiles(town)
    assert len(rejected) == 0
    pairs = build_training_pairs(happened, pd.Index(profiles["profile_id"]))
    ranker = train_ranker(profiles, said, pairs, seed=0).rankers.full
    made = build_scoring_context(ranker, profiles, happened, NO_BLOCKS, said)
    viewer, candidate = select_candidates(made, build_retrieval_vectors(made), np.arange(len(profiles)))
    scored = score_both_ways(made, viewer, candidate)
    market = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back)
    listed = rank_pairs(market, "best_response", AttentionModel())
    couples = np.flatnonzero(scored.candidate == match_most_compatible(market)[scored.viewer])
    explained = np.concatenate([listed, couples])
    viewer, candidate = scored.viewer[explained], scored.candidate[explained]
    why = explain_pairs(ranker, made.build_pairs(viewer, candidate))
    return build_list_frame(scored, listed, couples, why, made.profiles.ids)


@pytest.mark.parametrize(("said", "count"), [("nobody", 0), ("one", 0), ("all the same", 0), ("one", 200)])
@pytest.mark.parametrize("name", TOWNS)
def test_everybody_has_a_list_of_everybody_unless_they_decided_or_were_passed(name: str, said: str, count: int) -> None:
    town = pd.DataFrame([somebody(f"{who:03d}", **TOWNS[name](who)) for who in range(PEOPLE)])
    happened = acts(count)
    found = lists(town, happened, SAID[said]).set_index("viewer_id")
    last = happened.drop_duplicates(["actor_id", "target_id"], keep="last")
    closed = {(one, two) for one, two in zip(last["actor_id"], last["target_id"], strict=True)}
    passed = last[last["kind"] == "pass"]
    closed |= {(two, one) for one, two in zip(passed["actor_id"], passed["target_id"], strict=True)}
    alone = {"000"} if name == "one looks for nobody" else set()
    expected = (PEOPLE - len(alone)) * (PEOPLE - len(alone) - 1)
    expected -= sum(not alone & set(pair) for pair in closed)
    assert found["candidate_ids"].map(len).sum() == expected
    assert set(found.index) == set(town["profile_id"]) - alone
    chances = np.concatenate([np.concatenate(found[side].tolist()) for side in ("p_like", "p_liked_back")])
    assert chances.min() > 0
    assert chances.max() < 1
    assert all(1 <= len(why) <= 3 for one in found["reasons"] for why in json.loads(one))


def test_people_of_whom_the_same_is_known_have_the_same_chances() -> None:
    town = pd.DataFrame([somebody(f"{who:03d}") for who in range(PEOPLE)])
    found = lists(town, acts(0), NO_ANSWERS)
    assert len(set(np.concatenate(found["p_match"].tolist()))) == 1
    assert {each["code"] for one in found["reasons"] for why in json.loads(one) for each in why} == {"likely_mutual"}


def test_two_people_are_a_town() -> None:
    found = lists(pd.DataFrame([somebody("000"), somebody("001")]), acts(0), NO_ANSWERS)
    assert found[["viewer_id", "candidate_ids"]].to_numpy().tolist() == [["000", ["001"]], ["001", ["000"]]]
