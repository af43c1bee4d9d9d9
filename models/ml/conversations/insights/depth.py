"""How far conversations go by what was shown: decile of p_match, reason, version of the ranker, publication."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.conversations.insights.cells import Cell, tabulate_by_cell
from models.ml.conversations.insights.funnel import read_stage

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
    return [*found, *_measure_reasons(known)]


def _measure_reasons(known: pd.DataFrame) -> Iterator[Cell]:
    several = known[known["reasons"].notna()].explode("reasons").dropna(subset="reasons")
    several = several.drop_duplicates(["conversation_id", "reasons"]).reset_index(drop=True)
    for depth in DEPTHS:
        reason = "reason " + several["reasons"].astype(object)
        yield from tabulate_by_cell(depth, several, read_stage(several, depth), reason)


def _name_deciles(p_match: "pd.Series[float]") -> "pd.Series[str]":
    """Name the decile of each value among those that are known, the lowest first; equal values share one."""
    rank: Float64Array = p_match.rank(method="average", pct=True).to_numpy(np.float64)
    decile = np.clip(np.ceil(rank * DECILES), 1, DECILES)
    names = pd.Series(decile, p_match.index).map("decile {:02.0f}".format)
    return names.where(p_match.notna())
