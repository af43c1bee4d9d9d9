"""The head's functions on real conversations; see `tests.bench.chitchat`."""

import numpy as np
import pytest

from tests.bench.chitchat import ChitChat, build_chitchat, measure_all, measure_shuffled, read_messages


@pytest.fixture(scope="module")
def chitchat() -> ChitChat:
    return build_chitchat(read_messages())


def test_structure_and_past_tell_who_goes_on(chitchat: ChitChat) -> None:
    found = measure_all(chitchat)
    both = found["structure and past"]
    assert both.auc >= 0.72
    assert both.log_loss <= 0.625
    assert both.top_tenth >= 0.80
    assert both.went_on == pytest.approx(0.6, abs=0.01)
    assert both.gain > 2 * both.gain_error
    for most, bar in ((1, 0.59), (4, 0.64), (16, 0.655)):
        assert found[f"past, {most} known"].auc >= bar


def test_shuffled_outcomes_tell_nothing(chitchat: ChitChat) -> None:
    shuffled = measure_shuffled(chitchat, 5)
    assert abs(shuffled.mean() - 0.5) <= 2 * max(shuffled.std(ddof=1), 0.01) / np.sqrt(5)
