"""The market policy: which of a viewer's scored candidates make the list, and in which order."""

from models.ml.market.attention import LIST_LENGTH, Attention
from models.ml.market.examination import Curve, curve
from models.ml.market.exposure import Shared, share
from models.ml.market.most_compatible import most_compatible
from models.ml.market.policies import POLICIES, rank
from models.ml.market.town import Town, town
from models.ml.market.two_sided import rank_market

__all__ = [
    "LIST_LENGTH",
    "POLICIES",
    "Attention",
    "Curve",
    "Shared",
    "Town",
    "curve",
    "most_compatible",
    "rank",
    "rank_market",
    "share",
    "town",
]
