"""What is counted of the words of conversations: questions of each side, a plan to meet, a contact detail."""

import numpy as np
import pandas as pd

from models.ml.conversations.frames import WORD_TYPES, conform_frame
from models.ml.conversations.words.contacts import find_contact
from models.ml.conversations.words.plans import find_plan
from models.ml.conversations.words.questions import count_questions

COLUMNS = {"conversation_id": "str", **WORD_TYPES}


def count_in_texts(texts: pd.DataFrame, planned: pd.Index) -> pd.DataFrame:
    """Count what messages say, by conversation.

    Args:
        texts: Columns conversation_id, side (0: person_a wrote it, 1: person_b) and body.
        planned: Conversations in which a plan is known already; their messages are not searched for another.

    Returns:
        A frame of COLUMNS, one row for each conversation with a text; plan is 0 in those of `planned`.
    """
    bodies = texts["body"].tolist()
    search = ~texts["conversation_id"].isin(planned).to_numpy(np.bool_)
    plan = np.zeros(len(texts), np.bool_)
    plan[search] = find_plan([body for body, each in zip(bodies, search, strict=True) if each])
    questions, first = count_questions(bodies), (texts["side"] == 0).to_numpy(np.bool_)
    counts = pd.DataFrame(
        {
            "conversation_id": texts["conversation_id"],
            "questions_a": np.where(first, questions, 0),
            "questions_b": np.where(first, 0, questions),
            "plan": plan.astype(np.int8),
            "contact": find_contact(bodies).astype(np.int8),
        }
    )
    sums = {"questions_a": "sum", "questions_b": "sum", "plan": "max", "contact": "max"}
    return conform_frame(counts.groupby("conversation_id", as_index=False).agg(sums), COLUMNS)


def add_counts(earlier: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Add the counts of later messages to earlier ones of the same conversations; both are frames of COLUMNS."""
    both = pd.concat([earlier, new]).groupby("conversation_id", as_index=False)
    return conform_frame(
        both.agg({"questions_a": "sum", "questions_b": "sum", "plan": "max", "contact": "max"}), COLUMNS
    )
