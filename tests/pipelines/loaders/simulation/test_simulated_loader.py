"""Loading a simulated population into a real database, and its ground truth."""

import resource
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from models.db.errors import InputError
from models.ml.validation.score_metrics import compute_within_viewer_auc
from pipelines.loaders.records import Interaction, LoadReport, Person
from pipelines.loaders.simulation.choice_model import compute_expected_p_like, compute_p_like
from pipelines.loaders.simulation.conversation_truth import get_conversation_truth_path
from pipelines.loaders.simulation.ground_truth import GroundTruth, get_truth_path, read_truth, store_truth
from pipelines.loaders.simulation.simulated_loader import iterate_interactions, iterate_people, load_simulated
from pipelines.loaders.simulation.simulated_population import REFERENCE_TIME, SimulatedPopulation, build_population

LOADED = """
SELECT actor.source_key, target.source_key, kind = 'like',
       (matching.is_eligible(actor, target, CAST(:now AS date)) OR actor.paused OR target.paused)
       AND interactions.created_at < :now
       AND position >= 1 AND propensity > 0 AND propensity <= 1
FROM app.interactions
JOIN app.profiles AS actor ON actor.id = actor_id JOIN app.profiles AS target ON target.id = target_id
"""
VIEWERS, CANDIDATES = np.array([0, 3, 7]), np.array([5, 0, 2])
EIGHT = build_population(seed=4, people=8)


def build_rows(seed: int, people: int) -> list[Person | Interaction]:
    population = build_population(seed, people)
    return [*iterate_people(population), *iterate_interactions(population)]


def test_seed_and_size_give_the_same_rows_and_others_none() -> None:
    first = build_rows(1, 40)
    assert first == build_rows(1, 40)
    assert len(first) > 40
    said = {answer for row in first if isinstance(row, Person) for answer in row.texts.values()}
    for other in (build_rows(2, 40), build_rows(1, 41)):
        assert not any(row in first for row in other)
        assert not any(said & set(row.texts.values()) for row in other if isinstance(row, Person))
    assert [len(build_rows(6, people)) for people in (0, 1)] == [0, 1]  # one user has no candidate


@pytest.mark.parametrize(("people", "seed"), [(-1, 1), (1_000_001, 1), (3, -1), (3, 2**63)])
def test_an_impossible_size_or_seed_is_named(engine: Engine, tmp_path: Path, people: int, seed: int) -> None:
    with pytest.raises(InputError, match=f"{seed if people == 3 else people} "):
        load_simulated(engine, people, seed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def _add(count: int) -> tuple[int, int, int]:
    return count, 0, 0


def _keep(count: int) -> tuple[int, int, int]:
    return 0, 0, count


def test_a_load_keeps_the_rules_and_a_second_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    first, second = (load_simulated(engine, people=300, seed=1, home=tmp_path) for _ in range(2))
    made = first.interactions_added
    talked = {table: sum(counts) for table, counts in first.conversations.items()}
    added, unchanged = ({table: counts(n) for table, n in talked.items()} for counts in (_add, _keep))
    assert first == LoadReport(300, 0, 0, made, 0, 0, first.refused, conversations=added)
    assert second == LoadReport(0, 0, 300, 0, 0, made, first.refused, conversations=unchanged)
    assert first.refused.total() == 0
    with engine.connect() as connection:
        rows = connection.execute(text(LOADED), {"now": REFERENCE_TIME}).all()
    viewers, candidates, liked, keeps_rules = zip(*rows, strict=True)
    assert len(rows) == made > 2_000
    assert all(keeps_rules)
    p_like = read_truth(tmp_path, seed=1, people=300).compute_p_like(viewers, candidates)
    assert compute_within_viewer_auc(pd.factorize(np.array(viewers))[0], np.array(liked), p_like) > 0.75
    others = [load_simulated(engine, people, seed, tmp_path) for people, seed in ((30, 1), (30, 2), (0, 1))]
    assert [(each.profiles_added, each.profiles_changed) for each in others] == [(30, 0), (30, 0), (0, 0)]
    kept = {
        get_path(tmp_path, seed, people)
        for people, seed in ((300, 1), (30, 1), (30, 2), (0, 1))
        for get_path in (get_truth_path, get_conversation_truth_path)
    }
    assert set((tmp_path / "truth").iterdir()) == kept


def test_the_truth_that_is_read_is_what_was_stored(tmp_path: Path) -> None:
    store_truth(EIGHT, tmp_path)
    kept = read_truth(tmp_path, seed=4, people=8)
    for field in fields(SimulatedPopulation):
        built, read = np.asarray(getattr(EIGHT, field.name)), np.asarray(getattr(kept.town, field.name))
        np.testing.assert_array_equal(built, read, field.name)
        assert built.dtype == read.dtype
    p_like, expected = (rule(EIGHT, VIEWERS, CANDIDATES) for rule in (compute_p_like, compute_expected_p_like))
    for viewers in (VIEWERS, ["simulated:4-8:0", "simulated:4-8:3", "simulated:4-8:7"]):
        np.testing.assert_array_equal(kept.compute_p_like(viewers, CANDIDATES), p_like)
        np.testing.assert_array_equal(kept.compute_expected_p_like(viewers, CANDIDATES), expected)
    assert kept.compute_p_like([], []).shape == (0,)


@pytest.mark.parametrize(
    "stranger", ["simulated:4-8:8", "simulated:4-9:1", "simulated:5-8:1", "simulated:4-8:01", "simulated:4-8:", -1, 8]
)
def test_a_user_of_another_population_is_named(stranger: str | int) -> None:
    with pytest.raises(InputError, match=f"^{stranger} "):
        GroundTruth(EIGHT).find_numbers([stranger] if isinstance(stranger, str) else np.array([stranger]))


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9 people with seed 4"):
        read_truth(tmp_path, seed=4, people=9)
    (tmp_path / "truth").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=str(get_truth_path(tmp_path, 4, 8))):
        store_truth(EIGHT, tmp_path)


def test_a_disk_that_fills_up_leaves_what_was_there(tmp_path: Path) -> None:
    path = get_truth_path(tmp_path, 4, 8)
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    store_truth(EIGHT, tmp_path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(InputError, match="File too large"):
            store_truth(EIGHT, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before
