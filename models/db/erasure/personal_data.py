"""Where the database keeps data of a user: the one list that erasure counts by and the export follows.

The export shows what the user wrote, set and did, and what was computed of it. It does not show what others decided
about the user, nor what others wrote, nor how fast others answer.
"""

from dataclasses import dataclass

OTHER_SIDE = """CASE WHEN person_a = :id THEN ARRAY['median_reply_b_h', 'questions_b']
                ELSE ARRAY['median_reply_a_h', 'questions_a'] END"""


@dataclass(frozen=True)
class PersonalRows:
    """The rows of one relation that are about a user. Conditions have the parameter `id`."""

    relation: str
    about: str
    """Condition: these are erased with the user."""
    shown: str | None
    """Condition: these are exported. None: the rows are others', or say what others decided."""
    hidden: str = "CAST('{}' AS text[])"
    """SQL of the columns that the export leaves out, as an array."""


CONVERSATIONS = "SELECT id FROM app.conversations WHERE person_a = :id OR person_b = :id"
MESSAGES = f"SELECT id FROM app.messages WHERE conversation_id IN ({CONVERSATIONS})"  # noqa: S608 -- of constants
SENT = "SELECT id FROM app.messages WHERE sender_id = :id"
WITHHELD = "ARRAY['withheld_ids', 'likes_ids', 'likes_p_like', 'likes_p_match', 'likes_reasons', 'p_liked_back']"


def _name_in(column: str) -> str:
    return f"{column} @> ARRAY[CAST(:id AS uuid)]"


PERSONAL_DATA = {
    "profile": PersonalRows("app.profiles", "id = :id", "id = :id"),
    "interactions": PersonalRows("app.interactions", "actor_id = :id OR target_id = :id", "actor_id = :id"),
    "blocks": PersonalRows("app.blocks", "blocker_id = :id OR blocked_id = :id", "blocker_id = :id"),
    "embeddings": PersonalRows("matching.embeddings", "profile_id = :id", "profile_id = :id"),
    "lists": PersonalRows("matching.match_lists", "viewer_id = :id", "viewer_id = :id", WITHHELD),
    "places": PersonalRows("matching.match_lists", _name_in("candidate_ids"), None),
    "withheld": PersonalRows("matching.match_lists", _name_in("withheld_ids"), None),
    "views": PersonalRows("app.views", "viewer_id = :id OR candidate_id = :id", "viewer_id = :id"),
    "likes": PersonalRows("matching.match_lists", _name_in("likes_ids"), None),
    "conversations": PersonalRows(
        "app.conversations", f"id IN ({CONVERSATIONS})", f"id IN ({CONVERSATIONS})", "ARRAY['closed_by']"
    ),
    "messages": PersonalRows("app.messages", f"id IN ({MESSAGES})", "sender_id = :id"),
    "message_texts": PersonalRows("app.message_texts", f"message_id IN ({MESSAGES})", f"message_id IN ({SENT})"),
    "outcomes": PersonalRows(
        "app.outcomes", f"person_id = :id OR conversation_id IN ({CONVERSATIONS})", "person_id = :id"
    ),
    "reports": PersonalRows("app.reports", "reporter_id = :id OR reported_id = :id", "reporter_id = :id"),
    "conversation_facts": PersonalRows(
        "matching.conversation_facts",
        "person_a = :id OR person_b = :id",
        "person_a = :id OR person_b = :id",
        OTHER_SIDE,
    ),
    "rate_opt_outs": PersonalRows("app.rate_opt_outs", "person_id = :id", "person_id = :id"),
    # Flags of a person are shown to reviewers alone.
    "review_queue": PersonalRows(
        "matching.review_queue",
        f"person_id = :id OR reporter_id = :id OR message_id IN ({MESSAGES})",
        "reporter_id = :id",
        "ARRAY['score', 'rule', 'decided_by']",
    ),
    "searched_messages": PersonalRows(
        "matching.searched_messages", f"message_id IN ({MESSAGES})", f"message_id IN ({SENT})"
    ),
    "upheld_reports": PersonalRows(
        "matching.upheld_reports", "reporter_id = :id OR reported_id = :id", "reporter_id = :id"
    ),
    "experiment_assignments": PersonalRows("matching.experiment_assignments", "profile_id = :id", "profile_id = :id"),
}
"""By the name of the field in `ErasureReport` and in the export."""
