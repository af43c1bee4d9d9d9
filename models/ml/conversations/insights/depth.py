"""How far conversations go by what was shown: decile of p_match, reason, version of the ranker, publication."""

import numpy as np
import pandas as pd

from models.ml.conversations.insights.cells import Cell, tabulate_by_cell
from models.ml.conversations.insights.funnel import read_stage
from models.ml.conversations.insights.survival import judge_answers
from models.ml.conversations.outcomes import DAY_H

DEPTHS = ("answered", "reached_5", "reached_20")
DECILES = 10
SHOWN_COLUMNS = ("conversation_id", "p_match", "ranker_version", "reasons")
"""What is known of how pairs were shown: p_match (NaN: not known), the ranker's version (missing: not known), and a
list of the codes of reasons (missing: not known)."""


def measure_depth(pairs: pd.DataFrame, shown: pd.DataFrame) -> list[Cell]:
    """Measure each of DEPTHS by decile of p_match, by reason, by version of the ranker and by publication.

    A pair with several reasons is in several cells. These are differences between pairs that were shown, not effects:
    a reason is given to pairs that are alike in other ways too.

    Args:
        pairs: Facts and labels of old matches (see `town_insights.join_old_matches`).
        shown: SHOWN_COLUMNS, at most one row a conversation.
    """
    known = pairs.merge(shown, how="left", on="conversation_id", validate="one_to_one")
    number = known["publication_id"]
    cells = {
        "": _name_deciles(known["p_match"]),
        "ranker ": known["ranker_version"],
        "publication ": number.map("{:.0f}".format).where(number.notna()),
    }
    found = [
        cell
        for prefix, names in cells.items()
        for depth in DEPTHS
        for cell in tabulate_by_cell(depth, known, read_stage(known, depth), prefix + names.astype(object))
    ]
    several, reason = _explode_reasons(known)
    return [
        *found,
        *(cell for depth in DEPTHS for cell in tabulate_by_cell(depth, several, read_stage(several, depth), reason)),
    ]


def measure_reasons(facts: pd.DataFrame, shown: pd.DataFrame, now: pd.Timestamp) -> list[Cell]:
    """Measure the share of openers answered within 24 hours by reason.

    Reasons are known while the lists of their publication are kept, which is less than MATURE_DAYS if lists are made
    each night. A day is short enough.

    Args:
        facts: The frame `conversation_facts`, young matches too.
        shown: SHOWN_COLUMNS, at most one row a conversation.
        now: When the facts were read.
    """
    known = facts.merge(shown, how="left", on="conversation_id", validate="one_to_one")
    several, reason = _explode_reasons(known)
    return tabulate_by_cell("answered_24h", several, judge_answers(several, now, DAY_H), reason)


def _explode_reasons(known: pd.DataFrame) -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Return a row for each conversation and reason, and the name of its cell."""
    several = known[known["reasons"].notna()].explode("reasons").dropna(subset="reasons")
    several = several.drop_duplicates(["conversation_id", "reasons"]).reset_index(drop=True)
    return several, "reason " + several["reasons"].astype(object)


def _name_deciles(p_match: "pd.Series[float]") -> "pd.Series[str]":
    """Name the decile of each value among those that are known, the lowest first; equal values share one."""
    rank = np.asarray(p_match.rank(method="average", pct=True), np.float64)
    names = pd.Series(np.clip(np.ceil(rank * DECILES), 1, DECILES), p_match.index).map("decile {:02.0f}".format)
    return names.where(p_match.notna())
