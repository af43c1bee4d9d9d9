"""What follows the mutual likes of a simulated population, as records to load."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from models.ml.arrays import Float64Array
from models.simulation.after_the_like.conversations import SimulatedConversations, simulate_conversations
from models.simulation.after_the_like.endings import CLOSINGS, REPORTED
from models.simulation.after_the_like.exchanges import MatchedPairs
from models.simulation.after_the_like.habits import ConversationHabits, draw_habits
from models.simulation.after_the_like.topics import INSULTS, SCAMS
from pipelines.loaders.conversations.conversation_records import (
    ConversationRecord,
    ConversationSource,
    MessageRecord,
    OutcomeRecord,
    ReportRecord,
)
from pipelines.loaders.simulation.simulated_inbox import DecisionArrays, find_mutual_likes
from pipelines.loaders.simulation.simulated_messages import KINDS, draw_kinds, draw_seconds, write_texts
from pipelines.loaders.simulation.simulated_population import GENDERS, REFERENCE_TIME, SimulatedPopulation

INITIATIVE = {"woman": -0.86, "man": 0.86, "nonbinary": 0.0}
"""Log-odds of writing first: men write first in 79 % of the conversations with women (Zhang & Yasseri 2016)."""
REASONS = {INSULTS: "insult", SCAMS: "scam"}
ANSWER_HOURS = 6.0
"""People say whether they met so long after they are asked, or after they met."""
HOUR = 3600


def simulate_town(
    population: SimulatedPopulation, decided: DecisionArrays, days_after: int
) -> tuple[ConversationHabits, SimulatedConversations]:
    """Simulate the conversations of all mutual likes, until so many days after REFERENCE_TIME; hours are from there."""
    mutual = find_mutual_likes(decided, population.people)
    hours = (mutual.decided_at - int(REFERENCE_TIME.timestamp())) / HOUR
    habits = draw_habits(population.seed, np.array([INITIATIVE[name] for name in GENDERS])[population.gender])
    pairs = MatchedPairs(mutual.viewer, mutual.candidate, hours)
    return habits, simulate_conversations(pairs, habits, population.seed, 24.0 * days_after)


def drop_decisions_of_leavers(decided: DecisionArrays, left_at: Float64Array) -> DecisionArrays:
    """Leave out the decisions by and about people who had left with somebody; left_at is in hours, (people,)."""
    hours = (decided.decided_at - int(REFERENCE_TIME.timestamp())) / HOUR
    return decided.take((hours <= left_at[decided.viewer]) & (hours <= left_at[decided.candidate]))


def make_key(population: SimulatedPopulation, a: int, b: int) -> str:
    """Return the key of the conversation of two people."""
    return f"{population.make_source_key(a)}:{b}"


def convert_hours(hours: float) -> datetime:
    """Return the moment so many hours after REFERENCE_TIME."""
    return REFERENCE_TIME + timedelta(hours=hours)


def make_conversations(
    population: SimulatedPopulation, habits: ConversationHabits, simulated: SimulatedConversations, days_after: int
) -> ConversationSource:
    """Make the records of the conversations: texts only where both consent, and outcomes up to the last day."""
    allowed = habits.consents[simulated.matches.a] & habits.consents[simulated.matches.b]
    messages = _make_messages(population, simulated, allowed.tolist())
    conversations = [
        _make_conversation(population, simulated, index, messages[index], bool(allowed[index]), 24.0 * days_after)
        for index in np.flatnonzero(simulated.happened).tolist()
    ]
    departures = [
        population.make_source_key(person) for person in np.flatnonzero(np.isfinite(simulated.left_at)).tolist()
    ]
    return ConversationSource(conversations, departures)


def _make_messages(
    population: SimulatedPopulation, simulated: SimulatedConversations, allowed: list[bool]
) -> list[list[MessageRecord]]:
    """Make the messages of each conversation."""
    sent, matches = simulated.messages, simulated.matches
    made: list[list[MessageRecord]] = [[] for _ in allowed]
    writer = np.where(sent.side == 0, matches.a[sent.conversation], matches.b[sent.conversation])
    kinds, seconds = draw_kinds(simulated, population.seed), draw_seconds(simulated, population.seed)
    columns = (sent.conversation, sent.number, writer, sent.sent_at, kinds, seconds)
    texts = write_texts(simulated, population.seed)
    rows = zip(*(column.tolist() for column in columns), texts, strict=True)
    for conversation, number, person, hours, kind, second, text in rows:
        length = (len(text), None, second, second)[kind]
        body = text if kind == 0 and allowed[conversation] else None
        key = population.make_source_key(person)
        made[conversation].append(MessageRecord(number, key, convert_hours(hours), KINDS[kind], length, body))
    return made


def _make_conversation(
    population: SimulatedPopulation,
    simulated: SimulatedConversations,
    index: int,
    messages: list[MessageRecord],
    allowed: bool,
    until: float,
) -> ConversationRecord:
    matches, endings = simulated.matches, simulated.endings
    a, b = int(matches.a[index]), int(matches.b[index])
    people = (population.make_source_key(a), population.make_source_key(b))
    closed_at, side = float(endings.closed_at[index]), int(endings.closed_by[index])
    return ConversationRecord(
        make_key(population, a, b),
        people,
        convert_hours(float(matches.matched_at[index])),
        closed_at=None if closed_at == np.inf else convert_hours(closed_at),
        closed_by=None if side < 0 else people[side],
        closed_as=CLOSINGS[endings.closed_as[index]],
        content_allowed=allowed,
        messages=messages,
        outcomes=list(_iterate_outcomes(simulated, index, people, until)),
        reports=list(_iterate_reports(simulated, index, people)),
    )


def _iterate_outcomes(
    simulated: SimulatedConversations, index: int, people: tuple[str, str], until: float
) -> Iterator[OutcomeRecord]:
    milestones = simulated.milestones
    answered_at = float(milestones.asked_at[index]) + ANSWER_HOURS
    met, together_at = bool(simulated.met[index]), float(milestones.together_at[index])
    for side, person in enumerate(people):
        if answered_at <= until and milestones.tells[index, side]:
            yield OutcomeRecord(person, "met" if met else "not_met", convert_hours(answered_at))
            if milestones.again[index, side]:
                yield OutcomeRecord(person, "meet_again", convert_hours(answered_at))
        if together_at <= until:
            yield OutcomeRecord(person, "together", convert_hours(together_at))


def _iterate_reports(simulated: SimulatedConversations, index: int, people: tuple[str, str]) -> Iterator[ReportRecord]:
    endings, side = simulated.endings, int(simulated.endings.closed_by[index])
    if endings.closed_as[index] != REPORTED:
        return
    rows = slice(*np.searchsorted(simulated.messages.conversation, [index, index + 1]))
    offence = np.flatnonzero(np.isin(simulated.said[rows], list(REASONS)) & (simulated.messages.side[rows] != side))
    moment = convert_hours(float(endings.closed_at[index]))
    if len(offence):
        first = int(offence[0])
        reason, number = REASONS[int(simulated.said[rows][first])], int(simulated.messages.number[rows][first])
        yield ReportRecord(people[side], reason, moment, number)
    else:
        yield ReportRecord(people[side], "other", moment)
