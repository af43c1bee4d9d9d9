"""The course of conversations: whether they go on after each message, whose turn they are left on, and who talks."""

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array
from models.ml.conversations.insights.cells import Cell, tabulate_by_cell, tabulate_by_month

SILENT = pd.Timedelta(days=7)
"""An open conversation without a message for so long is over."""
MOST_MESSAGES, MOST_TURNS = 20, 10
FEW_MESSAGES = 10
"""Who carries the talk is asked of conversations with at least so many messages."""
ONE_SIDED = 2 / 3
"""One of the two carries the talk if more than this share of the messages is theirs."""


def measure_going_on(facts: pd.DataFrame, now: pd.Timestamp) -> list[Cell]:
    """Measure the chance that a conversation goes on after its message k, and after its turn k.

    A conversation counts after message k if it has more messages or is over with that one. One that is not over yet
    counts after its earlier messages only. This is an approximation: one that begins again after SILENT was over until
    then; and that it goes on is known at once, that it does not only after SILENT, so young matches should be left out.

    Args:
        facts: Facts of old matches (see `town_insights.join_old_matches`).
        now: When the facts were read.
    """
    over = find_over(facts, now)
    messages, turns = _count_messages(facts), facts["turns"].to_numpy(np.float64)
    parts = [_tabulate_step(facts, "message", number, messages, over) for number in range(1, MOST_MESSAGES + 1)]
    parts += [_tabulate_step(facts, "turn", number, turns, over) for number in range(1, MOST_TURNS + 1)]
    return [cell for part in parts for cell in part]


def measure_balance(facts: pd.DataFrame, now: pd.Timestamp) -> list[Cell]:
    """Measure whose turn conversations are left on, and who carries the talk, by month.

    Of conversations in which both wrote: `left_by_other`, the share of those that are over in which the opener wrote
    last; `opener_share`, the mean share of the messages that are the opener's; and `one_sided`, the share of those with
    FEW_MESSAGES in which one of the two wrote more than ONE_SIDED of the messages.
    """
    sent = facts[["messages_a", "messages_b"]].to_numpy(np.float64)
    opener, total = facts["opener"].to_numpy(np.int64), sent.sum(axis=1)
    both = (sent > 0).all(axis=1) & (opener >= 0)
    by_opener = np.where(opener == 1, sent[:, 1], sent[:, 0])
    last = (facts["last_sender"].to_numpy(np.int64) == opener).astype(np.float64)
    share = by_opener / np.maximum(total, 1)
    one_sided = (sent.max(axis=1) / np.maximum(total, 1) > ONE_SIDED).astype(np.float64)
    figures = {
        "left_by_other": np.where(both & find_over(facts, now), last, np.nan),
        "opener_share": np.where(both, share, np.nan),
        "one_sided": np.where(both & (total >= FEW_MESSAGES), one_sided, np.nan),
    }
    return [cell for name, values in figures.items() for cell in tabulate_by_month(name, facts, values)]


def find_over(facts: pd.DataFrame, now: pd.Timestamp) -> BoolArray:
    """Find the conversations that are closed, or in which nobody has written for SILENT, bool (n,)."""
    silent = facts["last_sent_at"].fillna(facts["matched_at"]) < now - SILENT
    return (facts["closed_at"].notna() | silent).to_numpy(bool)


def _tabulate_step(facts: pd.DataFrame, kind: str, number: int, counts: Float64Array, over: BoolArray) -> list[Cell]:
    counted = (counts > number) | ((counts == number) & over)
    values = np.where(counted, (counts > number).astype(np.float64), np.nan)
    return tabulate_by_cell("goes_on", facts, values, pd.Series(f"{kind} {number}", facts.index))


def _count_messages(facts: pd.DataFrame) -> Float64Array:
    return facts[["messages_a", "messages_b"]].sum(axis=1).to_numpy(np.float64)
