"""The ground truth of simulated conversations, in files outside the database: habits, rapport, what messages say."""

from dataclasses import dataclass, fields
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.simulation.after_the_like.conversations import SimulatedConversations
from models.simulation.after_the_like.habits import ConversationHabits
from pipelines.loaders.app_tables import derive_profile_id
from pipelines.loaders.conversations.conversation_records import derive_conversation_id, derive_message_id
from pipelines.loaders.simulation.ground_truth import write_atomically
from pipelines.loaders.simulation.simulated_conversations import make_key
from pipelines.loaders.simulation.simulated_messages import TOPIC_NAMES
from pipelines.loaders.simulation.simulated_population import SimulatedPopulation


@dataclass(frozen=True)
class ConversationTruth:
    """The truth of the conversations of one load, as frames; hours are from REFERENCE_TIME, nan for never.

    Attributes:
        people: A row a person: profile_id, responsiveness, initiative, ghost, consents, scammer, rude, left_at.
        conversations: A row a conversation: conversation_id, first_id and second_id (profile ids), matched_at, rapport,
            affinity, lasting, contact_number, plan_number (0 for none), met_at, together_at.
        messages: A row a message: message_id, conversation_id, number, says (a word of TOPIC_NAMES).
    """

    people: pd.DataFrame
    conversations: pd.DataFrame
    messages: pd.DataFrame


def build_conversation_truth(
    population: SimulatedPopulation, habits: ConversationHabits, simulated: SimulatedConversations
) -> ConversationTruth:
    """Build the frames of the truth, with the ids of the loaded rows."""
    profile_ids = np.array([derive_profile_id(population.make_source_key(n)) for n in range(population.people)], object)
    people = pd.DataFrame({"profile_id": profile_ids, **vars(habits), "left_at": simulated.left_at})
    people["left_at"] = people["left_at"].replace(np.inf, np.nan)
    matches, milestones = simulated.matches, simulated.milestones
    pairs = zip(matches.a.tolist(), matches.b.tolist(), strict=True)
    ids = [derive_conversation_id(make_key(population, a, b)) for a, b in pairs]
    conversations = pd.DataFrame(
        {
            "conversation_id": list(map(str, ids)),
            "first_id": profile_ids[matches.a],
            "second_id": profile_ids[matches.b],
            "matched_at": matches.matched_at,
            "rapport": simulated.rapport,
            "affinity": simulated.affinity,
            "lasting": simulated.lasting,
            **{name: getattr(milestones, name) for name in ("contact_number", "plan_number", "met_at", "together_at")},
        }
    )[simulated.happened]
    return ConversationTruth(people, conversations, _build_messages(simulated, ids))


def _build_messages(simulated: SimulatedConversations, ids: list[UUID]) -> pd.DataFrame:
    sent = simulated.messages
    rows = zip(sent.conversation.tolist(), sent.number.tolist(), strict=True)
    return pd.DataFrame(
        {
            "message_id": [str(derive_message_id(ids[conversation], number)) for conversation, number in rows],
            "conversation_id": np.array(list(map(str, ids)), object)[sent.conversation],
            "number": sent.number,
            "says": np.array(TOPIC_NAMES, object)[simulated.said],
        }
    )


def get_conversation_truth_path(home: Path, seed: int, people: int) -> Path:
    """Return the folder of the truth of the conversations of a population."""
    return home / "truth" / f"simulated-{seed}-{people}-conversations"


def store_conversation_truth(truth: ConversationTruth, folder: Path) -> None:
    """Write the truth of the conversations of the last load of a population.

    Raises:
        InputError: A file cannot be written.
    """
    for field in fields(truth):
        write_atomically(folder / f"{field.name}.parquet", getattr(truth, field.name).to_parquet)


def read_conversation_truth(home: Path, seed: int, people: int) -> ConversationTruth:
    """Read the truth of the conversations of the population of this seed and size, as it was loaded last.

    Raises:
        InputError: There are no such files under `home`.
    """
    folder = get_conversation_truth_path(home, seed, people)
    if not folder.is_dir():
        raise InputError(
            f"no truth is kept at {folder}; load a simulated town of {people} people with seed {seed} first"
        )
    return ConversationTruth(
        *(pd.read_parquet(folder / f"{field.name}.parquet") for field in fields(ConversationTruth))
    )
