import numpy as np
import pytest

from models.ml.kernels.similarity import compute_cosines
from tests.models_ml.conftest import positions


def test_every_number_of_half_precision_is_read_as_it_is() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    vectors = np.append(halves, np.float16(1))[:, None, None]
    ones = np.full(len(halves), len(halves))
    found = compute_cosines(vectors, 0, ones, np.arange(len(halves)), 0.0)
    np.testing.assert_array_equal(found, halves.astype(np.float32))


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_cosines_are_those_of_numpy_and_the_same_both_ways(kind: type[np.floating]) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(0, 0.05, (20, 3, 384)).astype(kind)
    viewer, candidate = random.integers(0, 20, (2, 200))
    found = compute_cosines(vectors, 1, viewer, candidate, 0.5)
    expected = (vectors[viewer, 1].astype(float) * vectors[candidate, 1]).sum(axis=1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(compute_cosines(vectors, 1, candidate, viewer, 0.5), found)
    alone = [compute_cosines(vectors, 1, viewer[at : at + 1], candidate[at : at + 1], 0.5)[0] for at in range(200)]
    np.testing.assert_array_equal(alone, found)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_without_a_vector_the_cosine_is_the_default(kind: type[np.floating]) -> None:
    vectors = np.zeros((3, 1, 4), kind)
    vectors[1, 0, 3], vectors[2, 0, 2] = 1, 1
    found = compute_cosines(vectors, 0, positions(0, 0, 1, 1, 1), positions(0, 1, 0, 1, 2), 0.25)
    assert found.tolist() == [0.25, 0.25, 0.25, 1, 0]
    assert compute_cosines(np.zeros((2, 1, 0), kind), 0, positions(0), positions(1), 0.25).tolist() == [0.25]
