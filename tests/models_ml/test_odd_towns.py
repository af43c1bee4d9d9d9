"""Populations that lack something, all the way from profiles and likes to lists."""

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
from models.ml.scoring.scoring_context import NO_BLOCKS, build_scoring_context
from models.ml.training.train import train_ranker
from tests.models_ml.conftest import answers, direction, interactions, somebody

Columns = dict[str, object]

PEOPLE = 40


def one_of_two(who: int, of_even: object, of_odd: object) -> object:
    return of_odd if who % 2 else of_even


POPULATIONS: dict[str, Callable[[int], Columns]] = {
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
# Where a ranker learns nothing special, the prior ranks.
NOT_FOR_TRAINING = ("ages apart", "one looks for nobody", "all over the globe")
SAID = {
    "one": answers(("000", "about", direction(1))),
    "all the same": answers(*((f"{who:03d}", "about", direction(1)) for who in range(PEOPLE))),
}


def draw_decisions(count: int) -> pd.DataFrame:
    """So many decisions at random, of which half are likes."""
    random = np.random.default_rng(count)
    two = random.permuted(np.tile(np.arange(PEOPLE), (count, 1)), axis=1)[:, :2]
    return interactions(
        *((f"{one:03d}", f"{other:03d}", "like" if day % 2 else "pass", day) for day, (one, other) in enumerate(two, 1))
    )


def make_lists(frame: pd.DataFrame, decided: pd.DataFrame, said: AnswerEmbeddings) -> pd.DataFrame:
    accepted, rejected = check_profiles(frame)
    assert len(rejected) == 0
    pairs = build_training_pairs(decided, pd.Index(accepted["profile_id"]))
    ranker = train_ranker(accepted, said, pairs, seed=0).rankers.full
    context = build_scoring_context(ranker, accepted, decided, NO_BLOCKS, said)
    scored = score_both_ways(
        context, *select_candidates(context, build_retrieval_vectors(context), np.arange(len(accepted)))
    )
    graph = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back)
    listed = rank_pairs(graph, "best_response", AttentionModel())
    couples = np.flatnonzero(scored.candidate == match_most_compatible(graph)[scored.viewer])
    explained = np.concatenate([listed, couples])
    why = explain_pairs(ranker, context.build_pairs(scored.viewer[explained], scored.candidate[explained]))
    return build_list_frame(scored, listed, couples, why, context.profiles.ids)


@pytest.mark.parametrize(
    ("name", "said", "count"),
    [
        *((name, "all the same", 0) for name in ("all the same", *NOT_FOR_TRAINING)),
        *((name, "one", 200) for name in POPULATIONS if name not in NOT_FOR_TRAINING),
    ],
)
def test_all_are_listed_but_for_excluded_pairs(name: str, said: str, count: int) -> None:
    frame = pd.DataFrame([somebody(f"{who:03d}", **POPULATIONS[name](who)) for who in range(PEOPLE)])
    decided = draw_decisions(count)
    found = make_lists(frame, decided, SAID[said]).set_index("viewer_id")
    last = decided.drop_duplicates(["actor_id", "target_id"], keep="last")
    excluded = set(zip(last["actor_id"], last["target_id"], strict=True))
    passed = last[last["kind"] == "pass"]
    excluded |= set(zip(passed["target_id"], passed["actor_id"], strict=True))
    users = set(frame["profile_id"]) - ({"000"} if name == "one looks for nobody" else set())
    listed = {(viewer, candidate) for viewer, each in found["candidate_ids"].items() for candidate in each}
    assert listed == {(one, two) for one in users for two in users if one != two} - excluded
    assert set(found.index) == users
    chances = np.concatenate([np.concatenate(found[side].tolist()) for side in ("p_like", "p_liked_back")])
    assert 0 < chances.min() <= chances.max() < 1
    assert all(1 <= len(why) <= 3 for each in found["reasons"] for why in json.loads(each))


@pytest.mark.parametrize("people", [2, PEOPLE])
def test_users_of_whom_nothing_is_known_have_the_same_chances(people: int) -> None:
    found = make_lists(pd.DataFrame([somebody(f"{who:03d}") for who in range(people)]), draw_decisions(0), NO_ANSWERS)
    assert found["candidate_ids"].map(len).tolist() == [people - 1] * people
    assert len(set(np.concatenate(found["p_match"].tolist()))) == 1
    reasons = {each["code"] for one in found["reasons"] for why in json.loads(one) for each in why}
    assert reasons == {"likely_mutual"}
