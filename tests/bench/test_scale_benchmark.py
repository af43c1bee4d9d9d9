"""The benchmark at scale: its town is one that can be learned from, what it says is kept is what was kept."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from models.ml import candidates as module
from models.ml.eligibility import eligible
from models.ml.features import names_and_groups
from models.ml.ranker import Ranker, prior
from models.ml.retrieval import Promise, promise
from models.ml.specification import learn
from tests.bench.scale import __main__ as command
from tests.bench.scale import matching as bench
from tests.bench.scale.matching import kept, matching
from tests.bench.scale.predicting import predicting
from tests.bench.scale.publishing import publishing
from tests.bench.scale.town import Frames, arrays, frames, trained

PEOPLE = 400


@pytest.fixture(scope="module")
def town() -> Frames:
    return frames(PEOPLE)


@pytest.fixture(scope="module")
def unlearned(town: Frames) -> Ranker:
    specification = learn(town.profiles, town.answers, sensitive=False)
    return prior(specification, [name for name, _ in names_and_groups(specification)], np.zeros(0, bool))


def test_what_is_kept_is_all_by_a_ranker_without_trees_and_by_chance_what_chance_keeps(
    town: Frames, unlearned: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (module, bench):
        monkeypatch.setattr(place, "MOST_CANDIDATES", 10)
    monkeypatch.setattr(bench, "BEST", 3)
    made = arrays(unlearned, town)
    assert kept(unlearned, made, promise(unlearned, made.people, made.ledger), 200) > 0.9
    nothing = np.zeros((PEOPLE, 1), np.float32)
    open_ = eligible(made.pools.rules, np.arange(PEOPLE))
    open_[made.closed] = False
    sizes = open_.sum(axis=1)
    by_chance = np.mean(10 / sizes[sizes > 10])
    assert kept(unlearned, made, Promise(nothing, nothing), PEOPLE) == pytest.approx(by_chance, abs=0.05)


def test_figures_of_a_town(unlearned: Ranker) -> None:
    found = matching(unlearned, 300, asked=20, shards=2)
    assert found["people"] == 300
    assert 0.05 < found["eligible share of the product"] < 1
    assert found["candidates over bare product"] == pytest.approx(found["candidates, s"] / found["bare product, s"])
    assert found["kept of the ranker's 50"] == 1


def test_the_command_prints_and_writes_what_it_found(
    town: Frames, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judge = trained(Frames(town.profiles, town.answers, town.interactions.sample(2_500, random_state=1)))
    figures = {"predicting": predicting(judge, town), "300 people": matching(judge, 300, 20, 1) | {"peak MB": 100.0}}
    figures["publication"] = publishing(300)
    assert figures["publication"]["pairs"] > 5_000
    monkeypatch.setattr(command, "measured", lambda _: figures)
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, ["--quick", str(tmp_path / "figures.json")])
    assert result.exit_code == 0, result.output
    assert "| predicting: of the fastest runtime |" in result.output
    assert "| 300 people: peak MB | 100 | <= 6000 | holds |" in result.output
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["sections"] == figures
