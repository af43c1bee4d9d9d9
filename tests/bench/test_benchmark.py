"""The benchmark: its markets are those that were published, its towns what they are said to be, its verdicts right."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from models.ml.arrays import Float64Array
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_two_sided_likes
from models.ml.market.outcomes.simulated_matches import simulate_matches
from models.ml.validation.score_metrics import compute_auc, compute_calibration_error
from tests.bench import market as command
from tests.bench.acceptance import acceptance
from tests.bench.beliefs import mistaken_town, noisy_town
from tests.bench.dense import large_market, published_table
from tests.bench.estimates import as_a_ranker_sees, reached_auc, with_noise
from tests.bench.figures import MEASURED, Row, markdown
from tests.bench.growing import growing_town, measured
from tests.bench.policies import TWO_SIDED
from tests.bench.published import CELLS, Cell, market
from tests.bench.sparse import Pairs, in_lists, of, town

SMALLEST = [cell for cell in CELLS if cell.receivers == 20]


@pytest.mark.parametrize(
    "cell", CELLS, ids=lambda cell: f"{cell.environment}-{cell.examination}-{cell.crowding}-{cell.receivers}"
)
def test_the_published_columns_come_out_again(cell: Cell) -> None:
    """Those are means of 10,000 runs, told to one decimal: three standard errors are 0.3 at most."""
    like, liked_back = market(cell.environment, cell.crowding, cell.receivers)
    for name, published in (("naive", cell.naive), ("product", cell.reciprocal)):
        order = TWO_SIDED[name](like, liked_back, cell.examination)
        sent = compute_two_sided_likes(like, liked_back, order, cell.examination)
        assert compute_expected_matches(sent, cell.examination) == pytest.approx(published, abs=0.3)


def test_lots_come_to_the_published_figure_too() -> None:
    like, liked_back = market("random", 0.5, 100)
    order = TWO_SIDED["product"](like, liked_back, "inv")
    drawn = simulate_matches(compute_two_sided_likes(like, liked_back, order), runs=1000, seed=1).matches
    assert drawn.standard_error < 0.3
    assert abs(drawn.mean - 131.0) < 3 * drawn.standard_error


def test_a_town_is_the_same_from_both_sides() -> None:
    pairs = town(people=400, crowding=0.5)
    assert np.bincount(pairs.viewer).mean() == pytest.approx(160, abs=3)  # 200 less those drawn twice
    way = {
        (v, c): (p, b)
        for v, c, p, b in zip(pairs.viewer, pairs.candidate, pairs.p_like, pairs.p_liked_back, strict=True)
    }
    assert len(way) == len(pairs.viewer)
    assert all(way[c, v] == (b, p) for (v, c), (p, b) in way.items())
    popularity = np.bincount(pairs.candidate, pairs.p_like) / np.bincount(pairs.candidate)
    assert popularity.std() == pytest.approx(0.5 / np.sqrt(12), abs=0.02)
    assert pairs.p_like.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("see", [as_a_ranker_sees, with_noise])
@pytest.mark.parametrize("wanted", [0.63, 0.68])
def test_estimates_say_as_much_as_they_should(see: Callable[[Pairs, float], Pairs], wanted: float) -> None:
    true = town(people=1000, crowding=0.5)
    seen = see(true, wanted)
    liked = np.random.default_rng(5).random(len(true.p_like)) < true.p_like
    assert reached_auc(true, seen) == pytest.approx(wanted, abs=0.01)
    assert compute_auc(liked, seen.p_like) == pytest.approx(wanted, abs=0.01)
    assert compute_calibration_error(liked, seen.p_like) < 0.02
    np.testing.assert_array_equal(seen.viewer, true.viewer)
    np.testing.assert_allclose(seen.p_match, seen.p_like * seen.p_liked_back)


def test_a_ranker_knows_the_popular_better_than_tastes() -> None:
    true = town(people=1000, crowding=0.5)

    def popularity(pairs: Pairs) -> Float64Array:
        return np.asarray(np.bincount(pairs.candidate, pairs.p_like), np.float64)

    seen, noisy = as_a_ranker_sees(true, 0.65), with_noise(true, 0.65)
    assert np.corrcoef(popularity(seen), popularity(true))[0, 1] < 0.9
    assert popularity(seen).std() > 1.3 * popularity(noisy).std()


def test_lists_by_hand() -> None:
    """Person 0 lists 2 before 1, and 2 lists 0."""
    rows = of(3, np.array([0, 0, 1, 2]), np.array([1, 2, 0, 0]), np.array([0.5, 0.8, 0.9, 0.4], np.float32))
    sent, views = in_lists(rows, np.array([1, 0, 3]))
    assert sent.viewer.tolist() == [2, 0, 0]
    np.testing.assert_allclose(sent.sent, [0.4, 0.25, 0.8])
    np.testing.assert_allclose(sent.welcome, [0.8, 0.9, 0.4], rtol=1e-6)
    assert views.tolist() == [1, 0.5, 1]


def test_the_published_table_of_one_small_market() -> None:
    (row,) = published_table(SMALLEST, runs=200, others=(622,))
    assert row["naive"] == pytest.approx(18.7, abs=0.1)
    assert row["product"] == pytest.approx(21.2, abs=0.1)
    assert float(row["best response"]) > max(float(row["TU β=1"]), float(row["product"]))
    assert abs(float(row["simulated"]) - float(row["best response"])) < 4 * float(row["± s.e."])
    assert float(row["least"]) <= float(row["over TU %, mean of seeds"])


def test_a_larger_market() -> None:
    rows = large_market(receivers=30, crowdings=(0.5,))
    assert [row["policy"] for row in rows] == list(TWO_SIDED)
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert next(row["over TU %"] for row in rows if row["policy"] == "TU β=1") == 0


def test_towns_that_grow() -> None:
    """In processes of their own, like the real ones."""
    rows = growing_town(sizes=(120,), names=("product", "best response"))
    by_policy = {row["policy"]: row for row in rows}
    assert by_policy["product"]["over product %"] == 0
    assert float(by_policy["best response"]["over product %"]) > 5
    for row in rows:
        assert 20 < float(row["of it before"]) <= float(row["peak MB"]) < 2000
        assert 0 < float(row["Gini of views"]) < 1
        assert 0.01 <= float(row["top 1 % share"]) < 1
    assert measured(120, "product")["matches"] == by_policy["product"]["matches"]


def test_what_the_inbox_is_decides_which_idea_of_it_is_best() -> None:
    rows = mistaken_town(people=150, inboxes=("inv", "flat"))
    in_crowd, nobody = rows
    assert float(in_crowd["assumed inv"]) > float(in_crowd["hedged"]) > float(in_crowd["assumed flat"])
    assert float(nobody["assumed flat"]) > float(nobody["hedged"]) > float(nobody["assumed inv"])
    assert len(mistaken_town(people=150, auc=0.65, inboxes=("inv",))) == 1


def test_estimates_that_say_little() -> None:
    rows = noisy_town(people=120, aucs=(0.65,), inboxes=("inv", "flat"))
    assert [row["true inbox"] for row in rows] == ["inv", "flat"] * 2
    assert [float(row["AUC"]) for row in rows] == pytest.approx([0.65] * 4, abs=0.02)
    assert float(rows[0]["product"]) < float(rows[1]["product"])
    assert float(rows[1]["inbox known"]) > float(rows[1]["trusting"])


def test_the_verdicts() -> None:
    gains = [("inv", 14.9), ("inv", 20.0), ("log2", 5.0), ("flat", -4.0)]
    noisy: list[Row] = [{"noise": "some", "true inbox": inbox, "hedged": gain} for inbox, gain in gains]
    assert [row[""] for row in acceptance({"noisy": noisy})] == ["does not hold", "holds", "holds"]
    cell: Row = {
        "social welfare published": 100.0,
        "best response": 99.9,
        "simulated": 99.0,
        "± s.e.": 0.4,
        "first trial": 101.0,
    }
    published: list[Row] = [cell | {"naive": 1.0, "product": 2.0, "TU β=1": 99.0}]
    verdicts = acceptance({"published": published})
    assert [row[MEASURED] for row in verdicts] == pytest.approx([-2.5, -0.1, 100 * (99.9 / 99 - 1)])
    assert [row[""] for row in verdicts] == ["does not hold", "does not hold", "holds"]
    assert acceptance({}) == []


def test_the_command_prints_and_writes_what_it_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "QUICK", {"published": lambda: published_table(SMALLEST, runs=20, others=())})
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, ["--quick", str(tmp_path / "figures.json")])
    assert result.exit_code == 0, result.output
    assert "18.7" in result.output
    assert "every cell: least distance from social welfare" in result.output
    found = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert found["quick"] is True
    assert found["sections"]["published"][0]["naive published"] == 18.7
    assert len(found["acceptance"]) == 5


def test_figures_are_told_to_three_digits_and_columns_that_a_row_lacks_are_blank() -> None:
    rows: list[Row] = [{"what": "a", "two": 1234.5}, {"what": "b", "one": 0.12345, "two": 60_000}]
    assert markdown(rows).splitlines() == [
        "| what | one | two |",
        "| --- | --- | --- |",
        "| a |  | 1,234 |",
        "| b | 0.123 | 60,000 |",
    ]
