"""Conversations for the API's benchmark, as many and as long as those of ChitChat, and the time of a page of them."""

import time
from random import Random

import psycopg

from models.db.engines import convert_to_libpq_url
from serving.queries.conversations import PAGE
from serving.queries.read_pool import SESSION
from serving.queries.wording.dictionary import load_dictionary
from tests.bench.api_population import viewer_of
from tests.bench.figures import Figures

PEOPLE, CONVERSATIONS, MESSAGES = 1_315, 7_168, 258_145

# Women are even and men odd, as api_population has them. One in eight has no message, and one in sixteen is closed.
CONVERSE = """
INSERT INTO app.conversations (id, person_a, person_b, matched_at, closed_at)
SELECT md5('conversation ' || n)::uuid, least(woman, man), greatest(woman, man), now() - interval '40 days',
    CASE WHEN n % 16 = 5 THEN now() - interval '1 day' END
FROM generate_series(0, {conversations} - 1) AS n
CROSS JOIN LATERAL (
    SELECT md5((2 * random(1, {people} / 2))::text)::uuid AS woman,
        md5((2 * random(1, {people} / 2) - 1)::text)::uuid AS man
    WHERE n IS NOT NULL
) AS drawn
"""
WRITE = """
INSERT INTO app.messages (conversation_id, sender_id, sent_at)
SELECT conversation.id, CASE WHEN random() < 0.5 THEN person_a ELSE person_b END,
    matched_at + random() * interval '40 days'
FROM generate_series(1, {messages}) AS k
JOIN app.conversations AS conversation
    ON conversation.id = md5('conversation ' || (k % {conversations}) / 8 * 8 + k % 7)::uuid
"""


def converse(url: str, people: int, conversations: int = CONVERSATIONS, messages: int = MESSAGES) -> None:
    """Add conversations of the first `people` users to a database that has no other."""
    sizes = {"people": people, "conversations": conversations, "messages": messages}
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        for statement in (CONVERSE, WRITE):
            connection.execute(statement.format(**sizes).encode())
        connection.execute("VACUUM ANALYZE app.conversations, app.messages")


def time_pages(url: str, people: int, asks: int) -> Figures:
    """Milliseconds of the first page of random users, as the API asks the database."""
    wording, rng, taken = load_dictionary(None)["en"], Random(1), list[float]()  # noqa: S311 -- the same users each time
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True, prepare_threshold=0) as connection:
        connection.execute(SESSION.encode(), prepare=False)
        for _ in range(asks):
            values = {"viewer_id": viewer_of(rng.randint(1, people)), "limit": 20, "shown": []}
            started = time.perf_counter()
            connection.execute(PAGE, values | {"sentences": wording.opener_templates}).fetchone()
            taken.append(1000 * (time.perf_counter() - started))
    taken.sort()
    p50, p95 = taken[len(taken) // 2], taken[int(0.95 * len(taken))]
    return {"answers/s": 1000 * len(taken) / sum(taken), "p50 ms": p50, "p95 ms": p95}
