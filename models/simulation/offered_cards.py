"""The cards of a simulated day, as the estimates of attention take them."""

import pandas as pd

from models.ml.market.attention.examination_estimate import OfferedCards
from models.simulation.behaviour import Cards, CardViews


def match_offered_cards(offered: Cards, seen: CardViews, surface: int) -> OfferedCards:
    """Match the cards of all lists, or of all inboxes, with what people looked at on the day.

    Args:
        offered: The cards as the publication has them.
        seen: The cards that people looked at, on any surface; they decide on each.
        surface: Where the offered cards are: LIST or LIKES.
    """
    looks = pd.MultiIndex.from_arrays([seen.cards.viewer, seen.cards.candidate])
    seconds = pd.DataFrame({"decided_at": seen.second, "surface": seen.surface}, looks, dtype=float)
    found = seconds.reindex(pd.MultiIndex.from_arrays([offered.viewer, offered.candidate]))
    examined_at = found["decided_at"].where(found["surface"] == surface)
    return OfferedCards(
        offered.viewer, offered.viewer, offered.position, examined_at.to_numpy(), found["decided_at"].to_numpy()
    )
