"""What an app writes for matching: the statements of docs/guides/connect-your-app.md, word for word.

`:viewer` is always who is signed in, as the session says, and never what the page says. Ids that the page makes, of
decisions and messages, make a repeated request harmless.
"""

from typing import Final

LOCK_PAIR: Final = """
SELECT pg_advisory_xact_lock(hashtextextended(concat(least(:viewer, :candidate), greatest(:viewer, :candidate)), 0));
"""

ADD_DECISION: Final = """
INSERT INTO app.interactions (id, actor_id, target_id, kind, publication_id, position, surface)
VALUES (:decision, :viewer, :candidate, :kind, :publication_id, :position, :surface)
ON CONFLICT (id) DO NOTHING;
"""

OPEN_CONVERSATION: Final = """
INSERT INTO app.conversations (person_a, person_b, publication_id)
SELECT least(theirs.actor_id, theirs.target_id), greatest(theirs.actor_id, theirs.target_id), :publication_id
FROM (SELECT actor_id, target_id, kind FROM app.interactions
      WHERE actor_id = :candidate AND target_id = :viewer ORDER BY created_at DESC, id DESC LIMIT 1) AS theirs
WHERE theirs.kind = 'like'
  AND NOT EXISTS (SELECT FROM app.conversations
                  WHERE person_a = least(:viewer, :candidate) AND person_b = greatest(:viewer, :candidate))
  AND NOT EXISTS (SELECT FROM app.blocks
                  WHERE (blocker_id, blocked_id) IN ((:viewer, :candidate), (:candidate, :viewer)));
"""

UNDO_DECISION: Final = """
DELETE FROM app.interactions
WHERE id = :decision AND actor_id = :viewer
  AND NOT EXISTS (SELECT FROM app.conversations
                  WHERE person_a = least(actor_id, target_id) AND person_b = greatest(actor_id, target_id));
"""

ADD_BLOCK: Final = """
INSERT INTO app.blocks (blocker_id, blocked_id) VALUES (:viewer, :candidate)
ON CONFLICT DO NOTHING;
"""

CLOSE_BLOCKED: Final = """
UPDATE app.conversations SET closed_at = now(), closed_by = :viewer, closed_as = 'blocked'
WHERE person_a = least(:viewer, :candidate) AND person_b = greatest(:viewer, :candidate) AND closed_at IS NULL;
"""

SET_PAUSED: Final = """
UPDATE app.profiles SET paused = :paused, updated_at = now() WHERE id = :viewer;
"""

ADD_VIEWS: Final = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, position, surface, shown_at)
SELECT viewer.id, candidate.id, card.publication_id, card.position, card.surface, now() - make_interval(secs => card.seconds_ago)
FROM jsonb_to_recordset(:batch) AS card (candidate_id uuid, publication_id bigint, position integer, surface text, seconds_ago float8)
JOIN app.profiles AS viewer ON viewer.id = :viewer
JOIN app.profiles AS candidate ON candidate.id = card.candidate_id;
"""  # noqa: E501 - as on the page

ADD_MESSAGE: Final = """
INSERT INTO app.messages (id, conversation_id, sender_id, length)
SELECT :message, id, :viewer, :length FROM app.conversations
WHERE id = :conversation AND :viewer IN (person_a, person_b) AND closed_at IS NULL
FOR SHARE
ON CONFLICT (id) DO NOTHING;
"""

ADD_MESSAGE_TEXT: Final = """
INSERT INTO app.message_texts (message_id, body)
SELECT message.id, :body FROM app.messages AS message JOIN app.conversations AS conversation ON conversation.id = message.conversation_id
WHERE message.id = :message AND message.sender_id = :viewer AND conversation.content_allowed
ON CONFLICT DO NOTHING;
"""  # noqa: E501 - as on the page

SET_CONTENT_ALLOWED: Final = """
UPDATE app.conversations SET content_allowed = :both WHERE id = :conversation;
"""

DELETE_MESSAGE_TEXTS: Final = """
DELETE FROM app.message_texts
WHERE message_id IN (SELECT id FROM app.messages WHERE conversation_id = :conversation);
"""

CLOSE_CONVERSATION: Final = """
UPDATE app.conversations SET closed_at = now(), closed_by = :viewer, closed_as = 'unmatched'
WHERE id = :conversation AND :viewer IN (person_a, person_b) AND closed_at IS NULL;
"""
