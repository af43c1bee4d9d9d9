"""The truth of a simulated town, kept aside and read again."""

import resource
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.db.errors import InputError
from pipelines.loaders.simulation import ground_truth
from pipelines.loaders.simulation.choice_model import compute_expected_p_like, compute_p_like
from pipelines.loaders.simulation.simulated_population import SimulatedPopulation, build_population

VIEWERS, CANDIDATES = np.array([0, 3, 7]), np.array([5, 0, 2])


@pytest.fixture
def town() -> SimulatedPopulation:
    return build_population(seed=4, people=8)


@pytest.fixture
def kept(town: SimulatedPopulation, tmp_path: Path) -> ground_truth.GroundTruth:
    ground_truth.store_truth(town, tmp_path)
    return ground_truth.read_truth(tmp_path, seed=4, people=8)


def test_what_is_kept_is_what_was_built(town: SimulatedPopulation, kept: ground_truth.GroundTruth) -> None:
    for field in fields(SimulatedPopulation):
        built, read = np.asarray(getattr(town, field.name)), np.asarray(getattr(kept.town, field.name))
        np.testing.assert_array_equal(built, read, field.name)
        assert built.dtype == read.dtype


def test_p_like_and_expected_are_the_choice_models(town: SimulatedPopulation, kept: ground_truth.GroundTruth) -> None:
    np.testing.assert_array_equal(kept.compute_p_like(VIEWERS, CANDIDATES), compute_p_like(town, VIEWERS, CANDIDATES))
    np.testing.assert_array_equal(
        kept.compute_expected_p_like(VIEWERS, CANDIDATES), compute_expected_p_like(town, VIEWERS, CANDIDATES)
    )
    assert kept.compute_p_like(VIEWERS, CANDIDATES).dtype == np.float64
    assert not np.allclose(kept.compute_p_like(VIEWERS, CANDIDATES), kept.compute_expected_p_like(VIEWERS, CANDIDATES))


def test_people_are_named_by_source_key_too(town: SimulatedPopulation, kept: ground_truth.GroundTruth) -> None:
    keys = [town.make_source_key(number) for number in VIEWERS]
    assert keys[1] == "simulated:4-8:3"
    np.testing.assert_array_equal(kept.compute_p_like(keys, CANDIDATES), kept.compute_p_like(VIEWERS, CANDIDATES))
    np.testing.assert_array_equal(kept.find_numbers(keys), VIEWERS)


def test_nobody_is_asked_about_nobody(kept: ground_truth.GroundTruth) -> None:
    assert kept.compute_p_like([], []).shape == kept.compute_expected_p_like([], []).shape == (0,)


@pytest.mark.parametrize(
    "stranger",
    ["simulated:4-8:8", "simulated:4-9:1", "simulated:5-8:1", "simulated:4-8:01", "simulated:4-8:", "speed-dating:1"],
)
def test_somebody_from_elsewhere_is_refused_by_name(kept: ground_truth.GroundTruth, stranger: str) -> None:
    with pytest.raises(InputError, match=f"^{stranger} does not live in the town of seed 4 and 8 people"):
        kept.find_numbers(["simulated:4-8:1", stranger])


@pytest.mark.parametrize("stranger", [-1, 8])
def test_a_number_out_of_range_is_refused(kept: ground_truth.GroundTruth, stranger: int) -> None:
    with pytest.raises(InputError, match=f"^{stranger} does not live"):
        kept.compute_p_like(np.array([stranger]), np.array([0]))


def test_reading_a_town_never_loaded_says_what_to_load(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="load a simulated town of 9 people with seed 4 first"):
        ground_truth.read_truth(tmp_path, seed=4, people=9)


def test_keeping_again_replaces_the_file_and_leaves_no_other(town: SimulatedPopulation, tmp_path: Path) -> None:
    ground_truth.get_truth_path(tmp_path, 4, 8).parent.mkdir()
    ground_truth.get_truth_path(tmp_path, 4, 8).write_bytes(b"half a file")
    ground_truth.store_truth(town, tmp_path)
    assert list((tmp_path / "truth").iterdir()) == [ground_truth.get_truth_path(tmp_path, 4, 8)]
    assert ground_truth.read_truth(tmp_path, 4, 8).town.people == 8


def test_a_home_that_cannot_be_written_is_named(town: SimulatedPopulation, tmp_path: Path) -> None:
    (tmp_path / "truth").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"cannot be written to .*simulated-4-8\.npz: File exists"):
        ground_truth.store_truth(town, tmp_path)


def test_a_disk_that_is_full_midway_leaves_what_was_there(town: SimulatedPopulation, tmp_path: Path) -> None:
    ground_truth.store_truth(town, tmp_path)
    before = ground_truth.get_truth_path(tmp_path, 4, 8).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(InputError, match="File too large"):
            ground_truth.store_truth(town, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "truth").iterdir()) == [ground_truth.get_truth_path(tmp_path, 4, 8)]
    assert ground_truth.get_truth_path(tmp_path, 4, 8).read_bytes() == before
