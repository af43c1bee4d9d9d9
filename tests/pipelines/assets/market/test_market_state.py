"""The state of the market in a run where likes are secret: who is raised, and who was shown without a decision."""

from collections.abc import Iterator

import pandas as pd
import pytest

from models.ml.market.attention.attention_model import LIST_LENGTH
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import COMPARISON_JOB
from tests.pipelines.assets.market.test_likes_received import PENDING
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame

SHOW_FIRST = """
INSERT INTO app.views (viewer_id, candidate_id, surface, shown_at)
SELECT viewer_id, candidate_id, 'list', now() - interval '1 day' * days
FROM matching.matches CROSS JOIN generate_series(0, 4) AS days
WHERE state = 'live' AND rank = 1
"""


@pytest.fixture(scope="module")
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("raised") / "home") as place:
        yield place


def read_raised(place: Place) -> pd.MultiIndex:
    state = read_frame(place, "market_state")
    return pd.MultiIndex.from_frame(state.loc[state["p_pending"] > 0, ["viewer_id", "candidate_id"]])


def read_places(place: Place) -> "pd.Series[int]":
    """The place of each listed pair in its list."""
    lists = read_frame(place, "match_lists")[["viewer_id", "candidate_ids"]].explode("candidate_ids").dropna()
    pairs = pd.MultiIndex.from_frame(lists.set_axis(["viewer_id", "candidate_id"], axis=1))
    return pd.Series(lists.groupby("viewer_id").cumcount().to_numpy(), pairs)


@pytest.mark.parametrize(("most_telling", "decoys"), [(0.25, 3), (1.0, 0)])
def test_each_raised_like_stands_among_decoys(town: Place, most_telling: float, decoys: int) -> None:
    (town.home / "store" / "market_state.parquet").unlink()
    town.materialize("match_lists", most_telling=most_telling)
    raised, pending = read_raised(town), pd.MultiIndex.from_tuples(town.ask(PENDING))
    assert read_frame(town, "market_state")["p_pending"].unique().tolist() == pytest.approx([most_telling])
    likes = pd.Series(raised.isin(pending), raised).groupby("viewer_id").agg(["sum", "size"])
    assert likes["sum"].sum() > 20
    assert (likes["size"] >= (1 + decoys) * likes["sum"]).all()
    if not decoys:
        assert raised.isin(pending).all()


def test_the_raised_stay_until_the_viewer_decides(town: Place) -> None:
    town.materialize("match_lists")
    before = read_raised(town)
    town.materialize("match_lists")
    assert read_raised(town).equals(before)
    viewer, candidate = before[0]
    town.tell(f"INSERT INTO app.interactions (actor_id, target_id, kind) VALUES ('{viewer}', '{candidate}', 'pass')")
    town.materialize("interactions", "rejected_interactions", "scored_candidates", "match_lists")
    after = read_raised(town)
    assert (viewer, candidate) not in after
    assert before.drop((viewer, candidate)).difference(after).empty


def test_raised_candidates_rise(town: Place) -> None:
    """Against lists of the same candidates in which a like would count for next to nothing."""
    town.materialize("match_lists", most_telling=0.5)
    raised, risen = read_raised(town), read_places(town)
    (town.home / "store" / "market_state.parquet").unlink()
    town.materialize("match_lists", most_telling=0.001)
    plain = read_places(town)
    both = risen.index.intersection(plain.index)
    moved = (plain[both] - risen[both]).groupby(both.isin(raised)).mean()
    assert moved[True] > 1 > 0 > moved[False]


def test_who_was_shown_without_a_decision_sinks(town: Place) -> None:
    """The comparison of policies sees them as the lists do."""
    town.materialize("match_lists", "publication")
    before, places = town.metadata("match_lists")["expected_matches"], read_places(town)
    town.tell(SHOW_FIRST)
    town.materialize("match_lists")
    first, after = places[places == 0].index, town.metadata("match_lists")["expected_matches"]
    assert read_places(town).reindex(first).fillna(LIST_LENGTH).mean() > 3
    state = read_frame(town, "market_state").set_index(["viewer_id", "candidate_id"])
    assert (state.loc[first, "freshness"] < 0.5).all()
    assert set(state.index[state["freshness"] < 1]) == set(first)
    run_job(town.settings, COMPARISON_JOB)
    compared = read_frame(town, "policy_comparison").set_index("policy")["expected_matches"]
    assert compared["best_response"] == pytest.approx(after, rel=1e-3) != pytest.approx(before, rel=1e-2)
