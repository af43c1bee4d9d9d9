"""A/A experiments, looked at each night: the interval must hold for every unit, also for few regions and nights."""

import pytest

from tests.bench.false_alarms import DRAWS, count_alarms

REPETITIONS = 200
# With a true rate of 5 %, so many false alarms or more have a probability below one in a thousand.
MOST_ALARMS = 21


@pytest.mark.parametrize("unit", DRAWS)
def test_daily_peeking_raises_few_false_alarms(unit: str) -> None:
    alarms, usual = count_alarms(unit, REPETITIONS)
    assert alarms < MOST_ALARMS
    assert usual > MOST_ALARMS, "the usual interval, looked at as often, does raise them"
