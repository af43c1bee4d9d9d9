import numpy as np

from models.ml.kernels.tie_breaking import hash_splitmix64


def test_the_hash_gives_the_published_numbers_of_splitmix64() -> None:
    """Of its generator, whose first states of the seed 1234567 are multiples of the golden gamma."""
    states = np.uint64(1234567) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 4, dtype=np.uint64)
    assert hash_splitmix64(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
