"""The one person each is most compatible with: one partner each, and the partner's partner is oneself."""

import numpy as np

from models.ml.compiled import compiled
from models.ml.market.town import Ints, Town
from models.ml.people import Floats
from models.ml.ties import mixed

NOBODY = -1


def most_compatible(town: Town, previous: Ints | None = None) -> Ints:
    """Each person's partner, int64 (people,), -1 for nobody: stable, and no partner of theirs before.

    Two people can be partners if each may be shown the other, and neither was the other's partner in `previous`, int64
    (people,), -1 for nobody. Nobody has a partner by whom, and with whom, both would rather be than as they are: where
    both sides value a pair alike, as by p_match, to join the best pair that is left, again and again, gives the
    stable matching (Abraham, Levavi, Manlove & O'Malley, Internet Mathematics 2008: roommates with globally ranked
    pairs); it is the only one but for equal p_match, where a hash of the two people's keys decides. p_match 0 is
    nobody's partner.
    """
    one, other, p_match = _couples(town, previous)
    order = np.lexsort((mixed(town.keys[one] + town.keys[other]), -p_match))
    partners = np.full(len(town.keys), NOBODY, np.int64)
    _join(one[order], other[order], partners)
    return partners


def _couples(town: Town, previous: Ints | None) -> tuple[Ints, Ints, Floats]:
    """Who can be partners, each two people once, and their p_match."""
    slots = np.flatnonzero(town.mate > np.arange(len(town.mate)))
    one, other = town.viewer[slots].astype(np.int64), town.candidate[slots].astype(np.int64)
    p_match = town.p_like[slots] * town.p_liked_back[slots]
    possible = p_match > 0
    if previous is not None:
        possible &= (previous[one] != other) & (previous[other] != one)
    return one[possible], other[possible], p_match[possible]


@compiled
def _join(one: Ints, other: Ints, partners: Ints) -> None:
    for couple in range(len(one)):
        if partners[one[couple]] < 0 and partners[other[couple]] < 0:
            partners[one[couple]], partners[other[couple]] = other[couple], one[couple]
