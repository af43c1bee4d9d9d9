"""The market: which scored candidates are in a viewer's list, and in which order."""

from models.ml.market.attention.attention_model import LIST_LENGTH, AttentionModel
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.exposure.exposure_bounds import ExposureResult, bound_exposure
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.most_compatible import match_most_compatible
from models.ml.market.policies.policy_registry import POLICIES, rank_pairs
from models.ml.market.two_sided import rank_market

__all__ = [
    "LIST_LENGTH",
    "POLICIES",
    "AttentionModel",
    "Curve",
    "ExposureResult",
    "MarketGraph",
    "bound_exposure",
    "build_market_graph",
    "evaluate_curve",
    "match_most_compatible",
    "rank_market",
    "rank_pairs",
]
