"""How much each person's decisions count for others: one person has one person's influence, a closed group has less.

Weights are relative to what is usual in the population, so that nobody ordinary counts less: everybody at an evening
of speed dating decides on everybody, and that is no attack. After the reliability of givers in rating networks (REV2:
Kumar et al., WSDM 2018), without its iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # history asks for weights, so this cannot import it when it is loaded
    from models.ml.history import Bools, Doubles, Events, Ints

# Pseudo-likes that the share of returned likes is shrunk to none with.
RETURN_STRENGTH = 4.0
# Median absolute deviations from the median that are still usual.
USUAL_SPREAD = 3.0
# All decisions of a giver count for no more than those of so many median givers.
MOST_GIVERS = 4.0


def weigh_decisions(events: Events, people: int) -> tuple[Doubles, Doubles]:
    """Weigh each decision in what is known of its giver, and in what is known of its target: 0 to 1, float64 (n,).

    Returned likes count less for both where the group is closed. For the target a giver counts less, too, who has
    decided on few people or very many, on whom few have decided, who likes nearly everybody, or whose likes are nearly
    all returned. Everything is compared with the other givers.
    """
    given, liked = _count(events, people)
    closed, open_pair = _closed(events, liked)
    rate = _excess(liked / np.maximum(given, 1), given > 0)
    received = np.bincount(events.target, minlength=people)
    known = _at_least_half(received, given > 0) * _at_least_half(given, given > 0)
    ample = np.minimum(1, MOST_GIVERS * _typical(given, given > 0) / np.maximum(given, 1))
    giver = known * ample * (1 - rate) * (1 - closed)
    return open_pair, np.asarray(open_pair * giver[events.actor])


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


def _closed(events: Events, liked: Ints) -> tuple[Doubles, Doubles]:
    """How closed each giver's group is, 0 to 1, float64 (people,), and what its returned likes leave, float64 (n,).

    A group is closed as far as the share of likes that are returned is above the usual.
    """
    people = len(liked)
    forth, back = events.actor * people + events.target, events.target * people + events.actor
    returned: Bools = events.liked & np.isin(forth, back[events.liked])
    share = np.bincount(events.actor[returned], minlength=people) / (liked + RETURN_STRENGTH)
    closed = _excess(share, liked > 0)
    both = (1 - closed[events.actor]) * (1 - closed[events.target])
    return closed, np.where(returned, both, 1.0)


def _typical(amount: Ints, counted: Bools) -> float:
    return float(np.median(amount[counted])) if counted.any() else 0.0


def _at_least_half(amount: Ints, counted: Bools) -> Doubles:
    """1 for at least half of what is typical among those who count, less in proportion below, float64 (n,)."""
    return np.minimum(1, 2 * amount / max(_typical(amount, counted), 1))


def _excess(share: Doubles, counted: Bools) -> Doubles:
    """How far each share is above what is usual among those who count, 0 at the usual and 1 at all, float64 (n,)."""
    middle = float(np.median(share[counted])) if counted.any() else 0.0
    spread = float(np.median(np.abs(share[counted] - middle))) if counted.any() else 0.0
    usual = middle + USUAL_SPREAD * spread
    return np.clip((share - usual) / max(1 - usual, 1e-9), 0, 1) if usual < 1 else np.zeros_like(share)
