"""The funnel: how many of 100 matches are opened, answered, talked over, and end in a meeting."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.conversations.insights.cells import Cell, tabulate_by_month

STAGES = ("opened", "answered_7d", "reached_5", "reached_20", "contact", "met")
"""Each is a share of the matches that are old enough and of which it is known."""


def measure_funnel(outcomes: pd.DataFrame) -> list[Cell]:
    """Measure each stage of the funnel by month.

    The stages have different denominators: a contact is known only where words were counted, a meeting only where
    somebody was asked and answered. So a later stage can have a larger share than an earlier one.

    Args:
        outcomes: The frame `conversation_outcomes`.
    """
    return [cell for stage in STAGES for cell in tabulate_by_month(stage, outcomes, read_stage(outcomes, stage))]


def measure_unanswered(outcomes: pd.DataFrame) -> list[Cell]:
    """Measure the share of openers without an answer within 7 days, by month.

    It says how many openers nobody answers, and never whose they are.
    """
    opened = outcomes["opener"].to_numpy() >= 0
    return tabulate_by_month(
        "unanswered_7d", outcomes, np.where(opened, 1 - read_stage(outcomes, "answered_7d"), np.nan)
    )


def read_stage(outcomes: pd.DataFrame, stage: str) -> Float64Array:
    """Read whether each mature match reached a stage, 1, 0 or NaN for not known, float64 (n,).

    A match that nobody opened was not answered, whatever the frame says of it.
    """
    opened, mature = outcomes["opener"].to_numpy() >= 0, outcomes["mature"].to_numpy(bool)
    reached = opened.astype(np.float64) if stage == "opened" else outcomes[stage].to_numpy(np.float64)
    if stage == "answered_7d":
        reached = np.where(opened, reached, 0.0)
    return np.where(mature, reached, np.nan)
