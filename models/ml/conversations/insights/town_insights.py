"""All insights of the conversations of one installation as one frame of cells."""

import pandas as pd

from models.ml.conversations.insights.cells import MIN_PEOPLE, build_cell_frame
from models.ml.conversations.insights.course import measure_balance, measure_going_on
from models.ml.conversations.insights.depth import measure_depth, measure_reasons
from models.ml.conversations.insights.funnel import measure_funnel, measure_unanswered
from models.ml.conversations.insights.survival import measure_first_answer
from models.ml.conversations.insights.variance import measure_variance
from models.ml.conversations.outcomes import MATURE_DAYS

LABELS = ("reached_5", "reached_20", "contact", "met")


def collect_insights(
    facts: pd.DataFrame, outcomes: pd.DataFrame, shown: pd.DataFrame, now: pd.Timestamp
) -> pd.DataFrame:
    """Collect all cells: each has a month, or a decile, or one other property, never two of them.

    Args:
        facts: The frame `conversation_facts`.
        outcomes: The frame `conversation_outcomes`.
        shown: What is known of how the pairs were shown (see `depth.SHOWN_COLUMNS`).
        now: When the facts were read, with time zone.

    Returns:
        The columns of `cells.CELL_TYPES`. No cell has fewer than MIN_PEOPLE people.

    Raises:
        ValueError: A cell has fewer; this is a fault of the program.
    """
    old = join_old_matches(facts, outcomes, now)
    cells = build_cell_frame(
        [
            *measure_funnel(old),
            *measure_unanswered(old, now),
            *measure_first_answer(facts, now),
            *measure_going_on(old, now),
            *measure_balance(old, now),
            *measure_depth(old, shown),
            *measure_reasons(facts, shown, now),
            *measure_variance(old),
        ]
    )
    if (cells["people"] < MIN_PEOPLE).any():
        raise ValueError(f"a cell has {cells['people'].min()} people, fewer than {MIN_PEOPLE}; nothing is shown")
    return cells


def join_old_matches(facts: pd.DataFrame, outcomes: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Join facts and LABELS of the matches that are MATURE_DAYS old.

    A younger match has labels only if it was closed, so the labels of young matches are of those that went badly.
    """
    labels = outcomes[["conversation_id", *LABELS]]
    joined = facts.drop(columns="contact").merge(labels, on="conversation_id", validate="one_to_one")
    return joined[joined["matched_at"] <= now - pd.Timedelta(days=MATURE_DAYS)].reset_index(drop=True)
