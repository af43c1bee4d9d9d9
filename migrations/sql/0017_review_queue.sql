-- Who does not see whom: blocks, and reports that a reviewer has upheld. A function's text depends on nothing, so that the
-- app can replace its tables by views.
CREATE FUNCTION matching.find_separations()
RETURNS TABLE (blocker_id uuid, blocked_id uuid, created_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT blocker_id, blocked_id, created_at FROM app.blocks
    UNION ALL SELECT reporter_id, reported_id, decided_at FROM matching.upheld_reports
$$;
CREATE VIEW matching.separations AS SELECT blocker_id, blocked_id, created_at FROM matching.find_separations();

-- What a reviewer may read of a message: its body while the entry about it is open, if the conversation allows content.
CREATE FUNCTION matching.read_review_bodies() RETURNS TABLE (id bigint, message_id uuid, body text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT entry.id, entry.message_id, words.body
    FROM matching.review_queue AS entry
    JOIN app.messages AS message ON message.id = entry.message_id AND message.sender_id = entry.person_id
    JOIN app.conversations AS conversation ON conversation.id = message.conversation_id AND conversation.content_allowed
    JOIN app.message_texts AS words ON words.message_id = message.id
    WHERE entry.state = 'open'
$$;
CREATE VIEW matching.review_bodies AS SELECT id, message_id, body FROM matching.read_review_bodies();

-- The only way in which an entry is decided. An upheld report separates the two people; nothing else follows from it.
CREATE FUNCTION matching.decide_review(entry bigint, decision text, reviewer text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decided matching.review_queue;
BEGIN
    IF decision IS NULL OR decision NOT IN ('upheld', 'dismissed') THEN
        RAISE EXCEPTION 'a decision is upheld or dismissed' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF coalesce(btrim(reviewer), '') = '' THEN
        RAISE EXCEPTION 'a decision needs the name of its reviewer' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE matching.review_queue SET state = decision, decided_by = reviewer, decided_at = now()
    WHERE id = entry AND state = 'open' RETURNING * INTO decided;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open entry has this id: it is decided, waits, or is gone' USING ERRCODE = 'no_data_found';
    END IF;
    IF decision = 'upheld' AND decided.kind = 'report' THEN
        INSERT INTO matching.upheld_reports (reporter_id, reported_id)
        VALUES (decided.reporter_id, decided.person_id) ON CONFLICT DO NOTHING;
    END IF;
END
$$;
