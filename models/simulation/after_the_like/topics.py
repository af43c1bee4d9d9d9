"""What simulated messages say, as codes: most say nothing in particular."""

import numpy as np

from models.ml.arrays import BoolArray, Int64Array
from models.simulation.after_the_like.exchanges import MatchedPairs, SentMessages
from models.simulation.after_the_like.habits import ConversationHabits
from models.simulation.after_the_like.milestones import Milestones
from models.simulation.after_the_like.purposes import INSULT, QUESTION
from models.simulation.luck import draw_uniform

TALK, ASKS, PLANS, GIVES_CONTACT, INSULTS, SCAMS = range(6)
"""Codes of what a message says; a message says one of these."""
QUESTIONS = 0.28
"""Share of questions among messages that say nothing else."""
INSULTS_OF_RUDE = 0.04
"""Share of insults among the messages of rude people from the second on."""
SCAM_NUMBER = 3
"""SentMessages of a scammer from this number on may be the scam: the first of them is."""


def draw_topics(matches: MatchedPairs, messages: SentMessages, habits: ConversationHabits, seed: int) -> Int64Array:
    """Draw what each message says but for contacts and plans: TALK, ASKS, INSULTS or SCAMS, int64 (m,)."""
    a, b = matches.a[messages.conversation], matches.b[messages.conversation]
    writer = np.where(messages.side == 0, a, b)
    asks = draw_uniform(seed, QUESTION, a, b, messages.number) < QUESTIONS
    insults = draw_uniform(seed, INSULT, a, b, messages.number) < INSULTS_OF_RUDE
    insults &= habits.rude[writer] & (messages.number > 1)
    said = np.where(asks, ASKS, TALK)
    said[insults] = INSULTS
    said[_find_first(messages, habits.scammer[writer] & (messages.number >= SCAM_NUMBER))] = SCAMS
    return said


def add_milestones(said: Int64Array, messages: SentMessages, milestones: Milestones) -> Int64Array:
    """Add contacts and plans to what messages say, int64 (m,); offences stay what they are."""
    innocent = (said == TALK) | (said == ASKS)
    gives = messages.number == milestones.contact_number[messages.conversation]
    plans = messages.number == milestones.plan_number[messages.conversation]
    return np.where(innocent & gives, GIVES_CONTACT, np.where(innocent & plans, PLANS, said))


def _find_first(messages: SentMessages, rows: BoolArray) -> Int64Array:
    """Find the first of these messages in each conversation and side, as indices."""
    index = np.flatnonzero(rows)
    _, first = np.unique(messages.conversation[index] * 2 + messages.side[index], return_index=True)
    return np.asarray(index[first], np.int64)
