"""What an attentive viewer can infer: among the cards that a rule picks, the share of senders of pending likes.

A rule uses what the viewer sees: the place, the place of the night before, and the percentage. Reasons and sources do
not depend on likes, so no rule needs them.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray
from models.simulation.behaviour import LIST
from models.simulation.event_log import LIKE, EventLog

FIRST_NIGHT = 2
"""Before, hardly any like waits."""
MIN_CARDS = 300
"""With fewer cards, the share of a rule is too uncertain."""
NEW = 1_000_000
"""The rise of a card that was not listed the night before."""

Rule = Callable[[pd.DataFrame], "pd.Series[bool]"]
RULES: dict[str, Rule] = {
    **{f"place {place}": lambda cards, place=place: cards["place"] == place for place in (1, 2, 3)},  # type: ignore[misc]
    "places 4 to 6": lambda cards: cards["place"].between(4, 6),
    "places 7 to 12": lambda cards: cards["place"].between(7, 12),
    "new, places 1 to 3": lambda cards: (cards["rise"] == NEW) & (cards["place"] <= 3),
    "risen by 5, places 1 to 3": lambda cards: cards["rise"].between(5, NEW - 1) & (cards["place"] <= 3),
    "risen by 15": lambda cards: cards["rise"].between(15, NEW - 1),
    "still at place 1": lambda cards: (cards["rise"] == 0) & (cards["place"] == 1),
    "still at places 1 to 3": lambda cards: (cards["rise"].abs() <= 2) & (cards["place"] <= 3),
    "place 1, high percentage": lambda cards: (
        (cards["place"] == 1) & (cards["p_match"] > cards["p_match"].quantile(0.8))
    ),
    "place 1, low percentage": lambda cards: (cards["place"] == 1) & (cards["p_match"] < cards["p_match"].median()),
    "twice as high below": lambda cards: (cards["place"] <= 3) & (cards["below"] > 2 * cards["p_match"]),
    "half as high below": lambda cards: (cards["place"] <= 3) & (cards["below"] < cards["p_match"] / 2),
}


def measure_disclosure(log: EventLog) -> pd.DataFrame:
    """Measure what each rule of RULES tells over all nights from FIRST_NIGHT on.

    Returns:
        A row a rule: rule, cards (that were looked at and picked), pending (the share of senders of pending likes) and
        standard_error of the share, as of independent cards.
    """
    nights = [_describe_cards(log, day) for day in range(FIRST_NIGHT, len(log.days))]
    cards = pd.concat(nights) if nights else _describe_nothing()
    rows = []
    for name, rule in RULES.items():
        picked = cards.loc[rule(cards), "pending"]
        share, count = float(picked.mean()), len(picked)
        rows.append((name, count, share, float(np.sqrt(share * (1 - share) / max(count, 1)))))
    return pd.DataFrame(rows, columns=["rule", "cards", "pending", "standard_error"])


def find_most_told(log: EventLog) -> float:
    """Return the largest share of pending likes among the cards of any rule with MIN_CARDS; NaN if none has so many."""
    told = measure_disclosure(log)
    return float(told.loc[told["cards"] >= MIN_CARDS, "pending"].max())


def _describe_cards(log: EventLog, day: int) -> pd.DataFrame:
    """Describe the cards of the lists that viewers looked at on a day."""
    people, lists, seen = log.world.people, log.lists[day], log.days[day]
    listed = pd.DataFrame({"place": lists.cards.position, "p_match": np.asarray(lists.p_match, np.float64)})
    listed.index = pd.Index(lists.cards.viewer * people + lists.cards.candidate)
    listed["below"] = listed["p_match"].shift(-1).where(lists.cards.viewer == np.append(lists.cards.viewer[1:], -1))
    before = log.lists[day - 1].cards
    place_before = pd.Series(before.position, before.viewer * people + before.candidate)
    listed["rise"] = (place_before.reindex(listed.index) - listed["place"]).fillna(NEW)
    looked_at = seen.surface == LIST
    viewer, candidate = seen.cards.viewer[looked_at], seen.cards.candidate[looked_at]
    cards: pd.DataFrame = listed.loc[viewer * people + candidate]
    return cards.assign(pending=_find_pending(log, day)[viewer, candidate])


def _find_pending(log: EventLog, day: int) -> BoolArray:
    """Find whose like waited for whom on the morning of a day, bool (n, n): receiver, sender."""
    likes = log.decided_before(day) == LIKE
    return np.asarray(likes.T)


def _describe_nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=["place", "p_match", "below", "rise", "pending"], dtype=np.float64)
