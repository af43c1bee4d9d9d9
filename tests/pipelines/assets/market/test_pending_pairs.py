"""Pending likes in the lists of a run where likes are secret: raised among decoys, the same ones each night."""

from collections.abc import Iterator

import pandas as pd
import pytest

from tests.pipelines.assets.market.test_likes_received import PENDING
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame

Places = "pd.Series[int]"


@pytest.fixture(scope="module")
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("raised") / "home") as place:
        yield place


def read_raised(place: Place) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(read_frame(place, "pending_pairs")[["viewer_id", "candidate_id"]])


def read_places(place: Place) -> "pd.Series[int]":
    """The place of each listed pair in its list."""
    lists = read_frame(place, "match_lists")[["viewer_id", "candidate_ids"]].explode("candidate_ids").dropna()
    pairs = pd.MultiIndex.from_frame(lists.set_axis(["viewer_id", "candidate_id"], axis=1))
    return pd.Series(lists.groupby("viewer_id").cumcount().to_numpy(), pairs)


@pytest.mark.parametrize(("most_telling", "decoys"), [(0.5, 1), (0.25, 3), (1.0, 0)])
def test_each_raised_like_stands_among_decoys(town: Place, most_telling: float, decoys: int) -> None:
    (town.home / "store" / "pending_pairs.parquet").unlink()
    town.materialize("match_lists", most_telling=most_telling)
    raised, pending = read_raised(town), pd.MultiIndex.from_tuples(town.ask(PENDING))
    assert read_frame(town, "pending_pairs")["p_pending"].unique().tolist() == pytest.approx([most_telling])
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
    (town.home / "store" / "pending_pairs.parquet").unlink()
    town.materialize("match_lists", most_telling=0.001)
    plain = read_places(town)
    both = risen.index.intersection(plain.index)
    moved = (plain[both] - risen[both]).groupby(both.isin(raised)).mean()
    assert moved[True] > 1 > 0 > moved[False]
