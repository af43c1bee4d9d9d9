"""The funnel: how many of 100 matches are opened, answered, talked over, and end in a meeting."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.conversations.insights.cells import Cell, tabulate_by_month
from models.ml.conversations.insights.survival import judge_answers
from models.ml.conversations.outcomes import MATURE_DAYS

STAGES = ("opened", "answered", "reached_5", "reached_20", "contact", "met")
"""Each is a share of the matches of which it is known. All but the last two are within MATURE_DAYS of the match."""
MATURE_H, WEEK_H = MATURE_DAYS * 24, 7 * 24


def measure_funnel(pairs: pd.DataFrame) -> list[Cell]:
    """Measure each stage of the funnel by month.

    The stages have different denominators: a contact is known only where words were counted, a meeting only where
    somebody was asked and answered. So a later stage can have a larger share than an earlier one.

    Args:
        pairs: Facts and labels of old matches (see `town_insights.join_old_matches`).
    """
    return [cell for stage in STAGES for cell in tabulate_by_month(stage, pairs, read_stage(pairs, stage))]


def measure_unanswered(pairs: pd.DataFrame, now: pd.Timestamp) -> list[Cell]:
    """Measure the share of openers without an answer within 7 days, by month.

    An opener that was closed unanswered has no answer. The figure says how many openers nobody answers, never whose
    they are.
    """
    return tabulate_by_month("unanswered_7d", pairs, 1 - judge_answers(pairs, now, WEEK_H))


def read_stage(pairs: pd.DataFrame, stage: str) -> Float64Array:
    """Read whether each match reached a stage, 1, 0 or NaN for not known, float64 (n,)."""
    if stage in ("opened", "answered"):
        after_h = pairs["opened_after_h"] + (pairs["answered_after_h"] if stage == "answered" else 0)
        return np.asarray(after_h <= MATURE_H, np.float64)
    return pairs[stage].to_numpy(np.float64)
