"""The market policy: which of a viewer's scored candidates make the list, and in which order."""

from models.ml.market.examination import Curve, curve
from models.ml.market.product import LIST_LENGTH, rank_by_product

__all__ = ["LIST_LENGTH", "Curve", "curve", "rank_by_product"]
