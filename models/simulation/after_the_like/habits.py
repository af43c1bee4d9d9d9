"""What people bring to each of their conversations."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.simulation.after_the_like.purposes import (
    CONSENT,
    GHOST,
    INITIATIVE,
    RAPPORT,
    RESPONSIVENESS,
    SCAMMER,
)
from models.simulation.after_the_like.purposes import (
    RUDE as RUDENESS,
)
from models.simulation.luck import draw_uniform

PERSON_SD = 0.4
"""Standard deviation, in log-odds of going on, of what each of the two brings to all conversations."""
PAIR_SD = 0.5
"""Standard deviation, in log-odds of going on, of the rapport of the pair."""
INITIATIVE_SD = 0.6
GHOSTS = 0.05
CONSENTS = 0.58
"""Share of people who let their words be read; both do in a third of the conversations."""
SCAMMERS = 0.005
RUDE = 0.02


@dataclass(frozen=True)
class ConversationHabits:
    """The habits of n people; index i is person number i.

    Attributes:
        responsiveness: Standard normal, float64 (n,). It raises the chance that a conversation goes on, by PERSON_SD a
            unit, and makes replies faster.
        initiative: Log-odds of writing first, against those of the other, float64 (n,).
        ghost: Who never writes, bool (n,).
        consents: Who lets the words of their conversations be read, bool (n,).
        scammer: Who sends a scam to whoever answers, bool (n,).
        rude: Who may insult, bool (n,).
    """

    responsiveness: Float64Array
    initiative: Float64Array
    ghost: BoolArray
    consents: BoolArray
    scammer: BoolArray
    rude: BoolArray


def draw_habits(seed: int, initiative: Float64Array) -> ConversationHabits:
    """Draw the habits of n people.

    Args:
        seed: Seed of the luck, 0 or more. A person's habits depend on it and on their number alone.
        initiative: Mean log-odds of writing first, by person, (n,); noise of INITIATIVE_SD is added.
    """
    person = np.arange(len(initiative), dtype=np.int64)
    return ConversationHabits(
        responsiveness=_draw_normal(seed, RESPONSIVENESS, person),
        initiative=initiative + INITIATIVE_SD * _draw_normal(seed, INITIATIVE, person),
        ghost=draw_uniform(seed, GHOST, person) < GHOSTS,
        consents=draw_uniform(seed, CONSENT, person) < CONSENTS,
        scammer=draw_uniform(seed, SCAMMER, person) < SCAMMERS,
        rude=draw_uniform(seed, RUDENESS, person) < RUDE,
    )


def draw_rapport(seed: int, a: Int64Array, b: Int64Array) -> Float64Array:
    """Draw the rapport of each pair, standard normal, float64 (k,); it depends on seed and pair alone."""
    return _draw_normal(seed, RAPPORT, a, b)


def combine_affinity(habits: ConversationHabits, a: Int64Array, b: Int64Array, rapport: Float64Array) -> Float64Array:
    """Combine both people and their rapport into log-odds of going on, with mean 0 and AFFINITY_SD, float64 (k,)."""
    return PERSON_SD * (habits.responsiveness[a] + habits.responsiveness[b]) + PAIR_SD * rapport


AFFINITY_SD = float(np.sqrt(2 * PERSON_SD**2 + PAIR_SD**2))


def _draw_normal(seed: int, purpose: int, *keys: Int64Array) -> Float64Array:
    return np.asarray(ndtri(draw_uniform(seed, purpose, *keys)))
