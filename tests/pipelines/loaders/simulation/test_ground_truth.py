import resource
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.db.errors import InputError
from pipelines.loaders.simulation.choice_model import compute_expected_p_like, compute_p_like
from pipelines.loaders.simulation.ground_truth import GroundTruth, get_truth_path, read_truth, store_truth
from pipelines.loaders.simulation.simulated_population import SimulatedPopulation, build_population

VIEWERS, CANDIDATES = np.array([0, 3, 7]), np.array([5, 0, 2])
POPULATION = build_population(seed=4, people=8)


@pytest.fixture
def kept(tmp_path: Path) -> GroundTruth:
    store_truth(POPULATION, tmp_path)
    return read_truth(tmp_path, seed=4, people=8)


def test_what_is_read_is_what_was_stored(kept: GroundTruth) -> None:
    for field in fields(SimulatedPopulation):
        built, read = np.asarray(getattr(POPULATION, field.name)), np.asarray(getattr(kept.town, field.name))
        np.testing.assert_array_equal(built, read, field.name)
        assert built.dtype == read.dtype


def test_probabilities_are_the_choice_models_by_number_or_key(kept: GroundTruth) -> None:
    keys = [POPULATION.make_source_key(number) for number in VIEWERS]
    assert keys[1] == "simulated:4-8:3"
    p_like, expected = (rule(POPULATION, VIEWERS, CANDIDATES) for rule in (compute_p_like, compute_expected_p_like))
    for viewers in (VIEWERS, keys):
        np.testing.assert_array_equal(kept.compute_p_like(viewers, CANDIDATES), p_like)
        np.testing.assert_array_equal(kept.compute_expected_p_like(viewers, CANDIDATES), expected)
    assert kept.compute_p_like([], []).shape == kept.compute_expected_p_like([], []).shape == (0,)


@pytest.mark.parametrize(
    "stranger",
    ["simulated:4-8:8", "simulated:4-9:1", "simulated:5-8:1", "simulated:4-8:01", "simulated:4-8:", "okcupid:1", -1, 8],
)
def test_a_user_of_another_population_is_named(kept: GroundTruth, stranger: str | int) -> None:
    with pytest.raises(InputError, match=f"^{stranger} "):
        kept.find_numbers([stranger] if isinstance(stranger, str) else np.array([stranger]))


def test_a_population_never_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9 people with seed 4"):
        read_truth(tmp_path, seed=4, people=9)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=str(get_truth_path(tmp_path, 4, 8))):
        store_truth(POPULATION, tmp_path)


def test_a_disk_that_fills_up_leaves_what_was_there(tmp_path: Path) -> None:
    path = get_truth_path(tmp_path, 4, 8)
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    store_truth(POPULATION, tmp_path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(InputError, match="File too large"):
            store_truth(POPULATION, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before
    assert read_truth(tmp_path, 4, 8).town.people == 8
