"""The columns of the frames of conversations, and frames with exactly these types, whether they have rows or not."""

from collections.abc import Mapping

import pandas as pd

ID, MOMENT, HOURS, COUNT, CODE = "str", "datetime64[us, UTC]", "float64", "int64", "int8"
CONVERSATION_TYPES: Mapping[str, str] = {
    "conversation_id": ID,
    "person_a": ID,
    "person_b": ID,
    "matched_at": MOMENT,
    "publication_id": "float64",
    "closed_at": MOMENT,
    "closed_as": ID,
    "content_allowed": "bool",
}
"""The frame of accepted conversations. `publication_id` is nan, `closed_at` NaT and `closed_as` missing if unknown."""
WORD_TYPES: Mapping[str, str] = {"questions_a": COUNT, "questions_b": COUNT, "plan": CODE, "contact": CODE}
"""What is counted of the words; -1: they were not read."""
MESSAGE_TYPES: Mapping[str, str] = {
    "opener": CODE,
    "opened_after_h": HOURS,
    "answered_after_h": HOURS,
    "messages_a": COUNT,
    "messages_b": COUNT,
    "turns": COUNT,
    "median_reply_a_h": HOURS,
    "median_reply_b_h": HOURS,
    "longest_gap_h": HOURS,
    "last_sender": CODE,
    "last_sent_at": MOMENT,
    "reached_5_after_h": HOURS,
    "reached_20_after_h": HOURS,
}
"""What is computed of the messages. Sides: 0 is `person_a`, 1 `person_b`, -1 nobody. Hours are nan if it never was."""
FACT_TYPES: Mapping[str, str] = {
    **{name: kind for name, kind in CONVERSATION_TYPES.items() if name != "content_allowed"},
    **MESSAGE_TYPES,
    **WORD_TYPES,
}
"""The frame of facts, one row for each accepted conversation."""
NOBODY_WROTE: Mapping[str, int] = {"opener": -1, "messages_a": 0, "messages_b": 0, "turns": 0, "last_sender": -1}
NOT_READ: Mapping[str, int] = dict.fromkeys(WORD_TYPES, -1)


def conform_frame(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that `types` names, in its order and with its types."""
    return frame[list(types)].astype(dict(types)).reset_index(drop=True)


def join_facts(conversations: pd.DataFrame, messages: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Join what is known of each conversation to the frame of facts.

    Args:
        conversations: The frame of accepted conversations.
        messages: Columns conversation_id and those of MESSAGE_TYPES; nobody wrote in a conversation that it lacks.
        words: Columns conversation_id and those of WORD_TYPES; the words of others were not read.
    """
    joined = conversations.merge(messages, how="left", on="conversation_id").merge(words, how="left")
    return conform_frame(joined.fillna({**NOBODY_WROTE, **NOT_READ}), FACT_TYPES)
