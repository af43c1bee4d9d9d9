"""What a match of a pair is worth to the policies, in times the mean: by its outlook, and by who is busy already.

An order by p_match alone maximises matches. With weight a, a match of the pair is worth 1 - a + a p_on / mean(p_on),
where p_on is the probability that their conversation goes on: with 0 its outlook does not count, with 1 conversations
that last take the place of matches. On the trade, see docs/decisions/lasting-conversations.md.
"""

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, FloatArray, Int64Array


def compute_match_worth(p_on: FloatArray, weight: float) -> Float32Array:
    """Compute what a match of each of n pairs is worth by its outlook, float32 (n,).

    Args:
        p_on: Probability that the conversation of the pair goes on, (n,).
        weight: a, from 0 to 1.
    """
    mean = float(np.mean(p_on, dtype=np.float64)) if len(p_on) else 0.0
    relative = p_on / mean if mean > 0 else np.ones_like(p_on)
    return np.asarray(1 - weight + weight * relative, np.float32)


def compute_free_attention(open_conversations: Int64Array, discount: float) -> Float64Array:
    """Compute the attention that people have left for another conversation, float64 (people,), in (0, 1].

    It is 1 / (1 + discount x open conversations): with 0.1, ten open conversations leave one half.

    Args:
        open_conversations: Number of open conversations of each person, int64 (people,).
        discount: 0 or more; with 0 open conversations do not count.
    """
    return np.asarray(1 / (1 + discount * open_conversations))


def multiply_by_attention(
    worth: Float32Array | None, free: Float64Array, viewer: Int64Array, candidate: Int64Array
) -> Float32Array:
    """Multiply the worth of n pairs by the attention that both people have left, and divide by its mean, float32 (n,).

    Both count, because a match of a pair is worth the same in the list of either.

    Args:
        worth: Worth of each pair, (n,); None: all are worth the same.
        free: The attention that people have left, (people,).
        viewer: Positions, (n,).
        candidate: Positions, (n,).
    """
    both = free[viewer] * free[candidate]
    both /= both.mean() if len(both) else 1.0
    return np.asarray(both if worth is None else worth * both, np.float32)
