"""How much each person's decisions count for others: one person has one person's influence, a closed group has less.

After the reliability of givers in rating networks (REV2: Kumar et al., WSDM 2018), without its iteration. Ordinary
people count in full. What depends on likes has fixed thresholds, so that no decision of one fold changes what counts in
another; what depends on counts alone is compared with the other givers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # history asks for weights, so this cannot import it when it is loaded
    from models.ml.history import Bools, Doubles, Events, Ints

# Pseudo-likes that the share of returned likes is shrunk to none with.
RETURN_STRENGTH = 4.0
# Up to this share of returned likes a group is open.
OPEN = 0.5
# Up to this share of likes a giver tells something of those they like.
CHOOSY = 0.75
# All decisions of a giver count for no more than those of so many median givers.
MOST_GIVERS = 4.0
# What a decision must at least count to be learned from.
LEAST_WEIGHT = 0.3
# Median absolute deviations from the median share of decisions in both directions that are still usual.
USUAL_SPREAD = 2.0


def weigh_decisions(events: Events, people: int) -> tuple[Doubles, Doubles]:
    """Weigh each decision in what is known of its giver, and in what is known of its target: 0 to 1, float64 (n,).

    Returned likes count less for both where the group is closed. For the target a giver counts less, too, who has
    decided on few people or very many, on whom few have decided, who likes nearly everybody, or whose likes are nearly
    all returned. Everything is compared with the other givers.
    """
    given, liked = _count(events, people)
    closed, open_pair = _closed(events, liked)
    rate = _excess(liked / (given + 1), CHOOSY)
    giver = _known(events, given) * (1 - rate) * (1 - closed)
    return open_pair, np.asarray(open_pair * giver[events.actor])


def teaches_tastes(events: Events, people: int) -> Bools:
    """Whether each decision is worth learning from, bool (n,): by who decided on whom, whatever was decided.

    Decisions of people who are hardly known are not, nor those between two people most of whose decisions go both ways,
    where that is unusual.
    """
    given, _ = _count(events, people)
    both_ways = _is_reversed(events, np.ones(len(events), bool), people)
    share = np.bincount(events.actor[both_ways], minlength=people) / (given + RETURN_STRENGTH)
    counted = share[given > 0]
    usual = _median(counted) + USUAL_SPREAD * _median(np.abs(counted - _median(counted)))
    closed = _excess(share, usual)
    pair = np.where(both_ways, (1 - closed[events.actor]) * (1 - closed[events.target]), 1.0)
    return np.asarray(_known(events, given)[events.actor] * pair >= LEAST_WEIGHT)


def count_votes(events: Events, people: int) -> Doubles:
    """Count the liking that each person received if every giver hands out at most one vote, float64 (people,).

    A giver splits one vote among the people they like. It is smaller the more of their decisions are likes, and
    returned likes of a closed group count less. So a group hands out at most one vote for each member.
    """
    given, liked = _count(events, people)
    closed, open_pair = _closed(events, liked)
    vote = (1 - liked / np.maximum(given, 1)) * (1 - closed) / np.maximum(liked, 1)
    return np.bincount(events.target, events.liked * open_pair * vote[events.actor], people).astype(np.float64)


def _count(events: Events, people: int) -> tuple[Ints, Ints]:
    """Decisions and likes that each person gave, int64 (people,)."""
    given = np.bincount(events.actor, minlength=people)
    return given, np.bincount(events.actor[events.liked], minlength=people)


def _known(events: Events, given: Ints) -> Doubles:
    """How well each giver is known by how many they decided on, and how many decided on them, float64 (people,)."""
    typical = max(_median(given[given > 0]), 1.0)
    received = np.bincount(events.target, minlength=len(given))
    fewest = np.minimum(given, received) + 1  # of few decisions none is no news
    return np.minimum(1, 2 * fewest / typical) * np.minimum(1, MOST_GIVERS * typical / np.maximum(given, 1))


def _closed(events: Events, liked: Ints) -> tuple[Doubles, Doubles]:
    """How closed each giver's group is, 0 to 1, float64 (people,), and what its returned likes leave, float64 (n,)."""
    returned = _is_reversed(events, events.liked, len(liked))
    share = np.bincount(events.actor[returned], minlength=len(liked)) / (liked + RETURN_STRENGTH)
    closed = _excess(share, OPEN)
    return closed, np.where(returned, (1 - closed[events.actor]) * (1 - closed[events.target]), 1.0)


def _is_reversed(events: Events, among: Bools, people: int) -> Bools:
    """Whether each decision is one of some, bool (n,), and that of the target about the actor is one too."""
    forth, back = events.actor * people + events.target, events.target * people + events.actor
    return np.asarray(among & np.isin(forth, back[among]))


def _excess(share: Doubles, usual: float) -> Doubles:
    """How far each share is above what is usual: 0 up to there, 1 for all, float64 (n,)."""
    return np.clip((share - usual) / max(1 - usual, 1e-9), 0, 1)


def _median(values: Doubles | Ints) -> float:
    return float(np.median(values)) if len(values) else 0.0
