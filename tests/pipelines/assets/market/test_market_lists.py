"""The market in the real job: configuration, policies, metadata, most compatible candidates, and order."""

import base64
from collections.abc import Iterator
from io import BytesIO
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from upath import UPath

from models.db.publications import roll_back
from models.ml.evaluation.monitoring.fairness import MIN_GROUP
from models.ml.market import POLICIES
from models.ml.market.attention.attention_model import LATER_ANSWERS
from pipelines.assets.market.attention_estimates import AttentionEstimate
from pipelines.assets.market.market_config import MarketConfig, Policy
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import COMPARISON_JOB
from pipelines.store.frame_store import read_table, write_table
from tests.pipelines.conftest import Databases, Place, TellingPlace
from tests.serving.conftest import serving, token_for
from tests.support.places import copied, get_frame_path, read_frame

MOST_COMPATIBLE = """
SELECT viewer_id::text, most_compatible_id::text FROM matching.match_lists
JOIN matching.publications ON id = publication_id WHERE state = 'live' AND most_compatible_id IS NOT NULL
"""
INELIGIBLE = """
SELECT count(*) FROM matching.match_lists AS list
JOIN app.profiles AS viewer ON viewer.id = list.viewer_id
JOIN app.profiles AS candidate ON candidate.id = list.most_compatible_id
WHERE NOT matching.is_eligible(viewer, candidate, current_date) OR EXISTS (
  SELECT FROM app.interactions WHERE (actor_id, target_id) IN ((viewer.id, candidate.id), (candidate.id, viewer.id)))
"""
OUTCOME = ["expected_matches", "expected_matches_flat", "people_matched", "views_gini", "views_top_share"]
COSTS = ("cost_of_most_views", "cost_of_least_views")


@pytest.fixture(scope="module")
def market(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("market") / "home") as place:
        yield place


def make_lists(place: Place, **config: object) -> tuple["pd.Series[list[str]]", dict[str, float]]:
    """The lists by this configuration by viewer, without being published, and the figures of their metadata."""
    place.materialize("match_lists", **config)
    lists = read_frame(place, "match_lists").set_index("viewer_id").sort_index()
    figures = {name: value for name, value in place.metadata("match_lists").items() if isinstance(value, int | float)}
    return lists["candidate_ids"].map(list), figures


def read_most_compatible(place: Place) -> dict[str, str]:
    return dict(place.ask(MOST_COMPATIBLE))


def test_every_policy_is_a_choice_of_the_configuration() -> None:
    assert {each.value for each in Policy} == {each.name for each in Policy} == set(POLICIES)


def test_the_estimate_holds_unless_the_configuration_replaces_it() -> None:
    measured = AttentionEstimate(np.array([0.9, 0.4]), 0.8)
    by_logs = MarketConfig.model_validate({}).build_attention(measured, told=True)
    assert by_logs.compute_list_examination()[:3].tolist() == [0.9, 0.4, 0.4]
    assert by_logs.compute_inbox_examination()[:2].tolist() == pytest.approx([1, 0.2 + 0.8 / 2])
    asked = MarketConfig.model_validate({"list_examination": "flat", "inbox_examination": "log2", "inbox_trust": 0})
    assert asked.build_attention(measured, told=True).compute_list_examination()[:2].tolist() == [1, 1]
    assert asked.build_attention(measured, told=True).compute_inbox_examination()[:2].tolist() == [1, 1]


@pytest.mark.parametrize("policy", ["naive", "product"])
def test_a_policy_orders_lists_of_the_candidates(market: Place, policy: str) -> None:
    candidates, figures = make_lists(market, policy=policy, places_per_vote=None)
    assert market.metadata("match_lists")["policy"] == policy
    assert len(candidates) > 70
    lengths = candidates.map(len)
    assert lengths.sum() == figures["pairs"]
    assert lengths.max() <= 50
    assert candidates.map(set).map(len).tolist() == lengths.tolist()
    lists = read_frame(market, "match_lists")
    state = read_frame(market, "market_state")
    raised = set(state[["viewer_id", "candidate_id"]].itertuples(index=False, name=None))
    assert raised
    for name, orders in (("p_like", "naive"), ("p_match", "product")):
        plain = [
            values[[(viewer, candidate) not in raised for candidate in candidates]]
            for viewer, candidates, values in zip(lists["viewer_id"], lists["candidate_ids"], lists[name], strict=True)
        ]
        assert all((np.diff(row) <= 0).all() for row in plain) == (policy == orders)


def test_the_figures_compare_the_lists_with_every_policy(market: Place) -> None:
    candidates, chosen = make_lists(market)
    assert not set(COSTS) & set(chosen)
    assert chosen["inbox_trust"] == 0.5  # no logs yet
    assert chosen["dagster/row_count"] == len(candidates)
    assert chosen["most_compatible_viewers"] == read_frame(market, "match_lists")["most_compatible_id"].notna().sum()
    run_job(market.settings, COMPARISON_JOB)
    compared = read_frame(market, "policy_comparison")
    assert set(compared["policy"]) == set(POLICIES)
    assert list(compared.columns) == ["policy", *OUTCOME, "seconds"]
    figures = compared.set_index("policy")
    assert figures["expected_matches"].idxmin() == "random"
    ours, product = figures.T["best_response"], figures.T["product"]
    assert [chosen[name] for name in OUTCOME] == pytest.approx([ours[name] for name in OUTCOME], rel=5e-3)
    assert chosen["over_product"] > 0
    gain = ours["expected_matches"] / product["expected_matches"] - 1
    assert chosen["over_product"] == pytest.approx(gain, abs=1e-4)
    flat = ours["expected_matches_flat"] / product["expected_matches_flat"]
    assert chosen["lost_if_inboxes_are_flat"] == pytest.approx(1 - flat, abs=1e-4)
    metadata = market.metadata("policy_comparison")
    assert all(policy.replace("_", " ") in str(metadata["policies"]) for policy in POLICIES)
    for name in ("policies_picture", "exposure_picture"):
        data = str(metadata[name]).removeprefix("![picture](data:image/png;base64,").removesuffix(")")
        assert imread(BytesIO(base64.b64decode(data)), format="png").std() > 0.05
    fairness, chances = market.metadata("match_fairness"), read_frame(market, "match_fairness")
    assert fairness["people_matched"] == pytest.approx(ours["people_matched"], abs=1e-3)
    assert {"best_response", "product", "random"} < set(chances["policy"])
    assert (chances["people"] >= MIN_GROUP).all()
    assert chances["mean"].between(chances["low"], chances["high"]).all()
    newest = chances[(chances["by"] == "tenure") & (chances["policy"] == "best_response")]
    assert newest["group"].tolist() == ["first week"]


def test_bounds_on_exposure_are_kept_and_priced(market: Place) -> None:
    free, unbounded = make_lists(market, places_per_vote=None)
    _, figures = make_lists(market, most_views=1.5, least_views=0.25)
    assert "people_outside_the_bounds" in figures
    assert figures["views_gini"] < unbounded["views_gini"]
    cost = sum(figures[name] for name in COSTS)
    assert figures["expected_matches"] == pytest.approx(unbounded["expected_matches"] * (1 - cost), rel=1e-3)
    default, fewest = (make_lists(market, **config)[0] for config in ({}, {"places_per_vote": 0}))
    assert default.tolist() != free.tolist()
    assert (2 * default.map(len) >= free.map(len)).all()
    most_first = [lists.str[0].value_counts().max() for lists in (fewest, free)]
    assert most_first[0] < most_first[1]


def test_examination_decides_the_lists_where_likes_are_told(market: Place) -> None:
    telling = TellingPlace(market.home, market.database_url)
    (crowded, _), (flat, figures) = (make_lists(telling, inbox_trust=trust) for trust in (1, 0))
    assert crowded.tolist() != flat.tolist()
    assert figures["inbox_trust"] == 0
    assert figures["expected_matches"] == figures["expected_matches_flat"]
    steep, usual = make_lists(telling, list_examination="exp")[0], make_lists(telling)[0]
    assert steep.tolist() != usual.tolist()


def test_later_answers_decide_the_lists_where_likes_are_secret(market: Place) -> None:
    none, some, every = (make_lists(market, later_answers=answers) for answers in (0, LATER_ANSWERS, 1e9))
    assert none[0].tolist() != some[0].tolist() != every[0].tolist()
    assert none[1]["expected_matches"] < some[1]["expected_matches"] < every[1]["expected_matches"]
    assert every[1]["expected_matches"] == pytest.approx(every[1]["expected_matches_flat"], rel=1e-3)
    assert make_lists(market, inbox_trust=0)[0].tolist() == some[0].tolist()


def test_frames_in_another_order_give_the_same_lists(market: Place) -> None:
    make_lists(market)
    before = read_frame(market, "match_lists").sort_values("viewer_id", ignore_index=True)
    rng = np.random.default_rng(7)
    shards = [UPath(url) for url in read_frame(market, "scored_candidates")["url"]]
    paths = [*shards, *(get_frame_path(market, name) for name in ("profiles", "scored_candidates"))]
    kept = {path: read_table(path) for path in paths}
    try:
        for path, table in kept.items():
            write_table(table.take(rng.permutation(table.num_rows)), path)
        make_lists(market)
    finally:
        for path, table in kept.items():
            write_table(table, path)
    after = read_frame(market, "match_lists").sort_values("viewer_id", ignore_index=True)
    pd.testing.assert_frame_equal(after, before)


def test_the_most_compatible_are_mutual_eligible_and_new(
    market: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    days = []
    for _ in range(2):
        market.materialize("match_lists", "publication")
        days.append(read_most_compatible(market))
        assert len(days[-1]) > 40
        assert {candidate: viewer for viewer, candidate in days[-1].items()} == days[-1]
    assert not days[0].items() & days[1].items()
    assert market.ask(INELIGIBLE) == [(0,)]
    roll_back(market.engine)
    assert read_most_compatible(market) == days[0]
    market.materialize("match_lists", "publication")
    assert read_most_compatible(market) == days[1]  # by history alone: nothing else has changed
    couple = min(days[1].items())
    with serving(market.database_url, tmp_path_factory.mktemp("api") / "log") as api:
        responses = [api.get("/v1/me/most-compatible", token_for(UUID(user))).json()["match"] for user in couple]
    assert [match["candidate"]["id"] for match in responses] == [*reversed(couple)]
    assert responses[0]["p_match_percent"] == responses[1]["p_match_percent"]
    assert all(match["reasons"] for match in responses)


def add_users(place: Place, gender: str, seeks: str, count: int) -> None:
    """Users without answers who are all alike."""
    place.tell(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks, texts)"
        f" SELECT 'Somebody', '1990-01-01', '{gender}', '{{{seeks}}}', '{{}}' FROM generate_series(1, {count})"
    )


def test_after_one_side_decided_on_all_only_the_other_has_lists(place: Place) -> None:
    """And where all are alike, exposure is spread evenly."""
    add_users(place, "woman", "man", 4)
    add_users(place, "man", "woman", 6)
    place.tell(
        "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT she.id, he.id, 'like'"
        " FROM app.profiles AS she, app.profiles AS he WHERE she.gender = 'woman' AND he.gender = 'man'"
    )
    add_users(place, "nonbinary", "nonbinary", 30)
    place.run()
    lists = "FROM matching.matches JOIN app.profiles ON id = viewer_id GROUP BY gender ORDER BY gender"
    assert place.ask(f"SELECT gender, count(DISTINCT viewer_id) {lists}") == [("man", 6), ("nonbinary", 30)]
    assert place.ask(f"SELECT count(*) {lists}")[0] == (24,)
    first = "SELECT count(*) AS times FROM matching.matches WHERE rank = 1 GROUP BY candidate_id"
    assert place.ask(f"SELECT max(times) < 8 FROM ({first})") == [(True,)]
    alike = {str(user) for (user,) in place.ask("SELECT id FROM app.profiles WHERE gender = 'nonbinary'")}
    assert set(read_most_compatible(place)) == alike
