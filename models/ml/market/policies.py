"""The market policies by name: each gives every scored pair a score, and lists are in the order of the scores."""

from collections.abc import Callable

import numpy as np

from models.ml.market.attention import Attention
from models.ml.market.best_response import best_response, expected
from models.ml.market.lists import listed, places
from models.ml.market.town import Ints, Town
from models.ml.market.transferable_utility import transferable_utility
from models.ml.people import Floats

Policy = Callable[[Town, Attention], Floats]

# Of these the one with the most expected matches is taken: at 1, as published, a sparse town loses an eighth of them.
BETAS = (0.3, 0.1, 0.03)


def rank(town: Town, policy: str, attention: Attention) -> Ints:
    """The input's rows that make the lists by a policy of POLICIES, int64: by viewer, best first.

    At most `attention.length` a viewer. The same for the same pairs in any order, and with ties settled by the people's
    keys. Raises KeyError for an unknown policy.
    """
    return listed(town, places(town, POLICIES[policy](town, attention), attention.length))


def random(town: Town, _attention: Attention) -> Floats:
    """All alike, so that lot decides: other keys, other lists."""
    return np.zeros_like(town.p_like)


def naive(town: Town, _attention: Attention) -> Floats:
    """Whom the viewer likes, whatever comes of it: p_like."""
    return town.p_like


def product(town: Town, _attention: Attention) -> Floats:
    """Who matches if both look: p_like x p_liked_back."""
    return np.asarray(town.p_like * town.p_liked_back)


def harmonic(town: Town, _attention: Attention) -> Floats:
    """The harmonic mean of both directions, 0 where either is (Pizzato et al., RecSys 2010)."""
    total = town.p_like + town.p_liked_back
    both = 2 * town.p_like * town.p_liked_back
    return np.asarray(np.divide(both, total, out=np.zeros_like(both), where=total > 0))


def minimum(town: Town, _attention: Attention) -> Floats:
    """The less likely direction."""
    return np.minimum(town.p_like, town.p_liked_back)


def tuned_transferable_utility(town: Town, attention: Attention) -> Floats:
    """The stable matching with transferable utility at the best of BETAS."""
    tried = [transferable_utility(town, beta) for beta in BETAS]
    return max(tried, key=lambda scores: expected(town, attention, places(town, scores, attention.length)))


def best_response_from_product(town: Town, attention: Attention) -> Floats:
    """Best response with externality; in trial, starts that took longer came out less than half a percent higher."""
    return best_response(town, attention, product(town, attention))


POLICIES: dict[str, Policy] = {
    "random": random,
    "naive": naive,
    "product": product,
    "harmonic": harmonic,
    "minimum": minimum,
    "transferable_utility": tuned_transferable_utility,
    "best_response": best_response_from_product,
}
