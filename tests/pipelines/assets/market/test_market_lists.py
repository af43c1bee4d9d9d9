"""The market in the real job: configuration, policies, metadata, most compatible candidates, and order."""

import base64
import re
from collections.abc import Iterator
from io import BytesIO
from uuid import UUID

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from upath import UPath

from models.db.publications import roll_back
from models.ml.market import POLICIES
from pipelines.assets.market.attention_estimates import AttentionEstimate
from pipelines.assets.market.market_config import MarketConfig, Policy
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import COMPARISON_JOB
from pipelines.store.frame_store import convert_from_table, read_table, write_table
from tests.pipelines.conftest import Place, RunOnce
from tests.serving.conftest import Api, serving, token_for

PARTNERS = """
SELECT viewer_id::text, most_compatible_id::text FROM matching.match_lists
JOIN matching.publications ON id = publication_id WHERE state = 'live' AND most_compatible_id IS NOT NULL
"""
NOT_FOR_EACH_OTHER = """
SELECT count(*) FROM matching.match_lists AS list
JOIN app.profiles AS viewer ON viewer.id = list.viewer_id
JOIN app.profiles AS partner ON partner.id = list.most_compatible_id
WHERE NOT matching.is_eligible(viewer, partner, current_date) OR EXISTS (
  SELECT FROM app.interactions WHERE (actor_id, target_id) IN ((viewer.id, partner.id), (partner.id, viewer.id)))
"""
OUTCOME = ["expected_matches", "expected_matches_flat", "people_matched", "views_gini", "views_top_share"]
FIGURES = {*OUTCOME, "over_product", "lost_if_inboxes_are_flat", "inbox_trust"}
BOUNDS = {"cost_of_most_views", "cost_of_least_views", "people_outside_the_bounds"}


@pytest.fixture(scope="module")
def market(run_once: RunOnce) -> Iterator[Place]:
    """A town of 120 that was run once, large enough to learn something of."""
    with run_once(120, 2) as place:
        yield place


def frame(place: Place, asset: str) -> pd.DataFrame:
    return convert_from_table(read_table(UPath(place.home / "store" / f"{asset}.parquet")))


def made(place: Place, **config: object) -> pd.DataFrame:
    """The lists by this configuration, in order of viewer, without being published."""
    place.materialize("match_lists", **config)
    return frame(place, "match_lists").sort_values("viewer_id", ignore_index=True)


def partners(place: Place) -> dict[str, str]:
    return dict(place.ask(PARTNERS))


def test_the_configuration_offers_every_policy() -> None:
    assert {each.value for each in Policy} == set(POLICIES)
    assert all(each.name == each.value for each in Policy)  # Dagster shows the one and stores the other


def test_what_is_measured_holds_unless_the_configuration_says_otherwise() -> None:
    measured = AttentionEstimate(np.array([0.9, 0.4]), 0.8)
    by_logs = MarketConfig.model_validate({}).build_attention(measured)
    assert by_logs.compute_list_examination()[:3].tolist() == [0.9, 0.4, 0.4]
    assert by_logs.compute_inbox_examination()[:2].tolist() == pytest.approx([1, 0.2 + 0.8 / 2])
    asked = MarketConfig.model_validate({"list_examination": "flat", "inbox_examination": "log2", "inbox_trust": 0})
    assert asked.build_attention(measured).compute_list_examination()[:2].tolist() == [1, 1]
    assert asked.build_attention(measured).compute_inbox_examination()[:2].tolist() == [1, 1]


def best_first(chances: pd.Series) -> bool:
    return all((np.diff(row) <= 0).all() for row in chances)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_makes_lists_of_everybody_s_candidates(market: Place, policy: str) -> None:
    ours = made(market, policy=policy, places_per_vote=None)
    told = market.metadata("match_lists")
    assert told["policy"] == policy
    assert len(ours) > 70
    lengths = ours["candidate_ids"].map(len)
    assert lengths.sum() == told["pairs"]
    assert lengths.max() <= 50
    assert ours["candidate_ids"].map(lambda each: len(set(each))).tolist() == lengths.tolist()
    assert best_first(ours["p_like"]) == (policy == "naive")
    assert best_first(ours["p_match"]) == (policy == "product")


def test_the_metadata_compare_the_lists_with_the_order_of_p_match(market: Place) -> None:
    ours = made(market)
    told = market.metadata("match_lists")
    assert {"dagster/row_count", "pairs", "most_compatible_viewers", "policy"} | FIGURES <= set(told)
    assert not BOUNDS & set(told)
    assert told["inbox_trust"] == 0.5  # no logs yet
    assert told["dagster/row_count"] == len(ours)
    assert told["most_compatible_viewers"] == ours["most_compatible_id"].notna().sum()
    made(market, policy="product")
    product = market.metadata("match_lists")
    assert product["over_product"] == product["lost_if_inboxes_are_flat"] == 0
    best, plain = (float(str(each["expected_matches"])) for each in (told, product))
    assert told["over_product"] == pytest.approx(best / plain - 1, abs=5e-3)
    assert best > plain


def read_picture(markdown: object) -> np.ndarray:
    data = re.fullmatch(r"!\[picture\]\(data:image/png;base64,([^)]+)\)", str(markdown))
    assert data is not None
    return np.asarray(matplotlib.image.imread(BytesIO(base64.b64decode(data[1])), format="png"))


def test_every_policy_is_compared_with_pictures(market: Place) -> None:
    made(market)
    chosen = market.metadata("match_lists")
    run_job(market.settings, COMPARISON_JOB)
    metadata, compared = market.metadata("policy_comparison"), frame(market, "policy_comparison")
    assert set(compared["policy"]) == set(POLICIES)
    assert list(compared.columns) == ["policy", *OUTCOME, "seconds"]
    figures = compared.set_index("policy")
    assert figures["expected_matches"].idxmin() == "random"
    ours, product = figures.T["best_response"], figures.T["product"]
    assert [chosen[name] for name in OUTCOME] == pytest.approx([ours[name] for name in OUTCOME], rel=5e-3)
    gain = ours["expected_matches"] / product["expected_matches"] - 1
    assert chosen["over_product"] == pytest.approx(gain, abs=1e-4)
    flat = ours["expected_matches_flat"] / product["expected_matches_flat"]
    assert chosen["lost_if_inboxes_are_flat"] == pytest.approx(1 - flat, abs=1e-4)
    lines = str(metadata["policies"]).strip().splitlines()
    table = pd.DataFrame([[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
    assert {name.replace(" ", "_") for name in table[0][2:]} == set(POLICIES)
    for name in ("policies_picture", "exposure_picture"):
        drawn = read_picture(metadata[name])
        assert drawn.shape[0] > 300
        assert drawn.std() > 0.05


def test_bounds_on_exposure_are_kept_and_priced(market: Place) -> None:
    made(market, places_per_vote=None)
    unbounded = market.metadata("match_lists")
    made(market, most_views=1.5, least_views=0.25)
    told = market.metadata("match_lists")
    assert set(told) >= BOUNDS | FIGURES
    assert float(str(told["views_gini"])) < float(str(unbounded["views_gini"]))
    cost = float(str(told["cost_of_most_views"])) + float(str(told["cost_of_least_views"]))
    total = float(str(unbounded["expected_matches"]))
    assert float(str(told["expected_matches"])) == pytest.approx(total * (1 - cost), rel=1e-3)


def most_first_places(lists: pd.DataFrame) -> int:
    return int(lists["candidate_ids"].str[0].value_counts().max())


def test_places_are_bounded_by_the_likes_of_others_unless_the_configuration_says_otherwise(market: Place) -> None:
    fewest, bounded, free = (made(market, places_per_vote=each) for each in (0, 5, None))
    assert most_first_places(fewest) < most_first_places(free)
    assert made(market)["candidate_ids"].tolist() == bounded["candidate_ids"].tolist()
    assert bounded["candidate_ids"].tolist() != free["candidate_ids"].tolist()
    assert (2 * bounded["candidate_ids"].map(len) >= free["candidate_ids"].map(len)).all()


def test_what_is_believed_of_inboxes_decides_the_lists(market: Place) -> None:
    crowded, empty = made(market, inbox_trust=1), made(market, inbox_trust=0)
    assert crowded["candidate_ids"].tolist() != empty["candidate_ids"].tolist()
    told = market.metadata("match_lists")
    assert told["inbox_trust"] == 0
    assert told["expected_matches"] == told["expected_matches_flat"]
    made(market, inbox_trust=1, inbox_examination="flat")
    assert market.metadata("match_lists")["expected_matches"] == told["expected_matches"]
    steep = made(market, list_examination="exp")
    assert steep["candidate_ids"].tolist() != made(market)["candidate_ids"].tolist()


def test_the_same_town_in_another_order_has_the_same_lists(market: Place) -> None:
    before = made(market)
    rng = np.random.default_rng(7)
    shards = [UPath(url) for url in frame(market, "scored_candidates")["url"]]
    paths = [*shards, *(UPath(market.home / "store" / f"{name}.parquet") for name in ("profiles", "scored_candidates"))]
    kept = {path: read_table(path) for path in paths}
    try:
        for path, table in kept.items():
            write_table(table.take(rng.permutation(table.num_rows)), path)
        after = made(market)
    finally:
        for path, table in kept.items():
            write_table(table, path)
    pd.testing.assert_frame_equal(after, before)


def test_the_partner_of_the_day_is_mutual_possible_and_new_every_time(market: Place) -> None:
    market.materialize("match_lists", "publication")
    first = partners(market)
    assert len(first) > 40
    assert {partner: viewer for viewer, partner in first.items()} == first
    market.materialize("match_lists", "publication")
    second = partners(market)
    assert len(second) > 40
    assert {partner: viewer for viewer, partner in second.items()} == second
    assert [viewer for viewer, partner in second.items() if first.get(viewer) == partner] == []
    assert market.ask(NOT_FOR_EACH_OTHER) == [(0,)]
    roll_back(market.engine)
    assert partners(market) == first
    market.materialize("match_lists", "publication")
    assert partners(market) == second  # by history alone: nothing else has changed


@pytest.fixture(scope="module")
def api(market: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(market.database_url, tmp_path_factory.mktemp("api") / "log") as api:
        yield api


def test_the_api_answers_with_the_published_partner(market: Place, api: Api) -> None:
    viewer, partner = min(partners(market).items())
    answer = api.get("/v1/me/most-compatible", token_for(UUID(viewer)))
    assert answer.status_code == 200, answer.text
    match = answer.json()["match"]
    assert match["candidate"]["id"] == partner
    back = api.get("/v1/me/most-compatible", token_for(UUID(partner))).json()["match"]
    assert back["candidate"]["id"] == viewer
    assert back["p_match_percent"] == match["p_match_percent"]
    assert back["reasons"]


def people(place: Place, gender: str, seeks: str, count: int) -> None:
    """People who say nothing of themselves and are all alike."""
    place.tell(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks, texts)"
        f" SELECT 'Somebody', '1990-01-01', '{gender}', '{{{seeks}}}', '{{}}' FROM generate_series(1, {count})"
    )


def test_where_one_side_has_seen_everybody_the_other_has_lists_and_nobody_a_partner(place: Place) -> None:
    people(place, "woman", "man", 4)
    people(place, "man", "woman", 6)
    place.tell(
        "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT she.id, he.id, 'like'"
        " FROM app.profiles AS she, app.profiles AS he WHERE she.gender = 'woman' AND he.gender = 'man'"
    )
    place.run()
    assert place.ask("SELECT viewer_count, pair_count FROM matching.publications WHERE state = 'live'") == [(6, 24)]
    assert partners(place) == {}
    assert place.metadata("match_lists")["most_compatible_viewers"] == 0


def test_where_all_are_alike_views_are_dealt_out_evenly(place: Place) -> None:
    people(place, "woman", "woman", 30)
    place.run()
    told = place.metadata("match_lists")
    assert told["most_compatible_viewers"] == 30
    assert told["views_gini"] == pytest.approx(0, abs=0.15)
    ((most,),) = place.ask(
        "SELECT max(times) FROM (SELECT count(*) AS times FROM matching.matches WHERE rank = 1 GROUP BY candidate_id)"
    )
    assert most < 8
