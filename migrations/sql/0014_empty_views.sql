-- Where the app's own views stand in for the tables, a foreign key has nothing to refer to. There the app replaces these
-- views with its own (docs/guides/connect-your-app.md).
CREATE VIEW app.conversations AS
SELECT NULL::uuid AS id, NULL::uuid AS person_a, NULL::uuid AS person_b, NULL::timestamptz AS matched_at,
       NULL::bigint AS publication_id, NULL::timestamptz AS closed_at, NULL::uuid AS closed_by, NULL::text AS closed_as,
       NULL::boolean AS content_allowed
WHERE false;
CREATE VIEW app.messages AS
SELECT NULL::uuid AS id, NULL::uuid AS conversation_id, NULL::uuid AS sender_id, NULL::timestamptz AS sent_at,
       NULL::text AS kind, NULL::integer AS length
WHERE false;
CREATE VIEW app.message_texts AS SELECT NULL::uuid AS message_id, NULL::text AS body WHERE false;
CREATE VIEW app.outcomes AS
SELECT NULL::uuid AS conversation_id, NULL::uuid AS person_id, NULL::text AS kind, NULL::timestamptz AS answered_at
WHERE false;
CREATE VIEW app.reports AS
SELECT NULL::uuid AS id, NULL::uuid AS reporter_id, NULL::uuid AS reported_id, NULL::uuid AS message_id,
       NULL::text AS reason, NULL::timestamptz AS created_at
WHERE false;
