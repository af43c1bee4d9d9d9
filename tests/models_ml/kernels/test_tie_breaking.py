"""The hash behind ties, against its published numbers."""

import numpy as np

from models.ml.kernels.tie_breaking import hash_splitmix64


def test_the_hash_is_that_of_splitmix64() -> None:
    """The finaliser of the generator's first states gives its published numbers for the seed 1234567."""
    weyl = np.uint64(0x9E3779B97F4A7C15)
    states = np.uint64(1234567) + weyl * np.arange(1, 4, dtype=np.uint64)
    assert hash_splitmix64(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
