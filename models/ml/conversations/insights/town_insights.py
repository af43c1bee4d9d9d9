"""All insights of the conversations of one installation as one frame of cells."""

import pandas as pd

from models.ml.conversations.insights.cells import MIN_PEOPLE, build_cell_frame
from models.ml.conversations.insights.course import measure_balance, measure_going_on
from models.ml.conversations.insights.depth import measure_depth
from models.ml.conversations.insights.funnel import measure_funnel, measure_unanswered
from models.ml.conversations.insights.survival import measure_first_answer
from models.ml.conversations.insights.variance import measure_variance

OLD = pd.Timedelta(days=14)
"""A match counts from this age on. Younger ones whose outcome is known are those that were closed early."""


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
        The columns of CELL_TYPES. No cell has fewer than MIN_PEOPLE people.

    Raises:
        ValueError: A cell has fewer; this is a fault of the program.
    """
    publication = facts.set_index("conversation_id")["publication_id"]
    old, old_facts = (frame[frame["matched_at"] <= now - OLD].reset_index(drop=True) for frame in (outcomes, facts))
    cells = build_cell_frame(
        [
            *measure_funnel(old),
            *measure_unanswered(old),
            *measure_first_answer(facts, now),
            *measure_going_on(old_facts, now),
            *measure_balance(old_facts, now),
            *measure_depth(old, shown, publication),
            *measure_variance(old),
        ]
    )
    if (cells["people"] < MIN_PEOPLE).any():
        raise ValueError(f"a cell has {cells['people'].min()} people, fewer than {MIN_PEOPLE}; nothing is shown")
    return cells
