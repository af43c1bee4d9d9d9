"""Users for the API's benchmark, made in PostgreSQL: each has a list of 50 and decisions since; and publications."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text

from models.db import embedded
from models.db.engines import convert_to_libpq_url
from models.db.match_lists import MatchList
from models.db.publications import list_publications, publish_match_lists
from models.db.schema import migrations

LISTED = 50
PAUSED_ONE_IN = 50
Lists = Sequence[tuple[str, Sequence[str]]]
LIKED, LIKED_SINCE = 35, 5
"""Pending likes of each viewer, and those of them that arrived since the publication; fewer among few users."""

# User n is a woman if n is even, else a man.
PEOPLE = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude,
    max_distance_km, texts, interests)
SELECT md5(n::text)::uuid, pg_temp.word(1), date '1975-01-01' + random(0, 10000),
    CASE n % 2 WHEN 0 THEN 'woman' ELSE 'man' END, ARRAY[CASE n % 2 WHEN 0 THEN 'man' ELSE 'woman' END],
    CASE WHEN random() < 0.6 THEN random(18, 27) END, CASE WHEN random() < 0.6 THEN random(42, 60) END,
    52.3 + random() / 2, 13 + random() / 2, CASE WHEN random() < 0.3 THEN random(30, 80) END,
    jsonb_build_object(
        'about_me', pg_temp.word(30 + n % 9), 'ideal_weekend', pg_temp.word(35), 'looking_for', pg_temp.word(30)),
    string_to_array('hiking jazz films ' || pg_temp.word(5), ' ')
FROM generate_series(1, {people}) AS n
"""

WORD = """
CREATE FUNCTION pg_temp.word(words int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(('{hiking,jazz,early,Sundays,the,sea,a,slow,kitchen,of,and,books,with,friends,who,laugh,climbing,
        mostly,after,work,bread,I,never,say,no,to,films,by,bike,in,rain,concerts,gardens,you,should,know,tea,honest,
        somebody,curious,about,maps,winter,trains}'::text[])[random(1, 44)], ' ')
    FROM generate_series(1, words)
$$
"""

REASONS = """
CREATE FUNCTION pg_temp.reasons(people int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg('[{"code": "close_by", "detail": []},
        {"code": "shared_interests", "detail": ["hiking", "jazz", "films"]}]'::jsonb), '[]')
    FROM generate_series(1, people)
$$
"""

LISTS = """
INSERT INTO matching.publications (ranker_version, encoder, state, viewer_count, pair_count)
VALUES ('1', 'none', 'live', {people}, {people} * {listed});
CREATE TABLE matching.match_lists_1 PARTITION OF matching.match_lists FOR VALUES IN (1);
INSERT INTO matching.match_lists (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons,
    likes_ids, likes_p_like, likes_p_match, likes_reasons)
SELECT 1, viewer.id, ids, chances, chances, chances, pg_temp.reasons(cardinality(ids)),
    ids[:{ranked}], chances[:{ranked}], chances[:{ranked}], pg_temp.reasons(cardinality(ids[:{ranked}]))
FROM app.profiles AS viewer
CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids, array_agg(random()::real) AS chances FROM (
        SELECT DISTINCT candidate.id
        FROM (
            -- Of the other parity; drawn again for each viewer, because the viewer is mentioned.
            SELECT md5((2 * random(1, {people} / 2) - (viewer.gender = 'woman')::int)::text)::uuid AS id
            FROM generate_series(1, 150)
        ) AS drawn
        JOIN app.profiles AS candidate USING (id)
        WHERE matching.is_eligible(viewer, candidate, current_date)
        LIMIT {listed}
    ) AS chosen
) AS list
WHERE ids IS NOT NULL
"""

# The first of each list like its viewer, some of them since the publication.
LIKES = """
SET session_replication_role = replica;
INSERT INTO app.interactions (actor_id, target_id, kind)
SELECT unnest(candidate_ids[:{liked}]), viewer_id, 'like' FROM matching.match_lists;
RESET session_replication_role
"""

# Each viewer has decided on three of the list and five others; one in ten blocked one of it, and one was blocked.
# The first of each fifty paused since; the load does not ask for them, as they have empty lists.
SINCE = """
SET session_replication_role = replica;
INSERT INTO app.interactions (actor_id, target_id, kind)
SELECT viewer_id, candidate_ids[random(1, cardinality(candidate_ids))],
    CASE WHEN random() < 0.3 THEN 'like' ELSE 'pass' END
FROM matching.match_lists, generate_series(1, 3);
INSERT INTO app.interactions (actor_id, target_id, kind)
SELECT actor, target, 'pass'
FROM (SELECT viewer_id AS actor, md5(random(1, {people})::text)::uuid AS target
    FROM matching.match_lists, generate_series(1, 5))
WHERE actor <> target;
INSERT INTO app.blocks (blocker_id, blocked_id)
SELECT viewer_id, candidate_ids[random(1, cardinality(candidate_ids))] FROM matching.match_lists WHERE random() < 0.1;
INSERT INTO app.blocks (blocker_id, blocked_id)
SELECT candidate_ids[random(1, cardinality(candidate_ids))], viewer_id FROM matching.match_lists WHERE random() < 0.1
ON CONFLICT DO NOTHING;
RESET session_replication_role;
UPDATE app.profiles SET paused = true
WHERE id IN (SELECT md5(n::text)::uuid FROM generate_series(1, {people}, {paused_one_in}) AS n)
"""

# The lists hold users who may not be shown, which the API leaves out; too many of them refuse a publication.
POSSIBLE = text("""
SELECT list.viewer_id::text, array_agg(place.candidate_id::text ORDER BY place.position)
FROM matching.match_lists AS list
CROSS JOIN LATERAL unnest(list.candidate_ids) WITH ORDINALITY AS place (candidate_id, position)
JOIN matching.visible_candidates AS visible
  ON visible.viewer_id = list.viewer_id AND visible.candidate_id = place.candidate_id
WHERE list.viewer_id = ANY (CAST(:ids AS uuid[]))
GROUP BY list.viewer_id
""")


def viewer_of(number: int) -> UUID:
    """The profile id of user `number`, from 1."""
    return UUID(md5(str(number).encode(), usedforsecurity=False).hexdigest())


@contextmanager
def settled(people: int) -> Iterator[str]:
    """The URL of an embedded server of its own, with so many users and their lists."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            url = embedded.ensure_running(home)
            migrations.upgrade_database(url)
            settle(url, people)
            yield url
        finally:
            embedded.stop(home)


def settle(url: str, people: int) -> None:
    """Fill an empty migrated database."""
    liked = min(LIKED, people // 40)
    sizes = {"people": people, "listed": LISTED, "paused_one_in": PAUSED_ONE_IN}
    sizes |= {"liked": liked, "ranked": max(liked - LIKED_SINCE, 0)}
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(WORD)
        connection.execute(REASONS)
        for statement in (PEOPLE, LISTS, LIKES, SINCE):
            connection.execute(statement.format(**sizes).encode())
        connection.execute("VACUUM ANALYZE")


def read_lists(engine: Engine, viewers: int) -> Lists:
    """The first viewers and the candidates on their lists who may be shown to them, best first."""
    ids = [str(viewer_of(number)) for number in range(1, viewers + 1)]
    with engine.connect() as connection:
        return [(viewer, candidates) for viewer, candidates in connection.execute(POSSIBLE, {"ids": ids})]


def publish_next(engine: Engine, lists: Lists) -> None:
    """Publish the lists with chances that tell this publication from the ones around it."""
    with engine.connect() as connection:
        expected = list_publications(connection)[0].id + 1
    made = publish_match_lists(
        engine,
        (_marked(viewer, candidates, mark(expected) / 100) for viewer, candidates in lists),
        ranker_version="1",
        encoder="none",
        metrics={},
        as_of=datetime.now(UTC).date(),
        scored_at=datetime.now(UTC),
    )
    assert made.id == expected


def mark(publication_id: int) -> int:
    """The percentage that every match of a publication has."""
    return publication_id % 100


def _marked(viewer: str, candidates: Sequence[str], chance: float) -> MatchList:
    chances = [chance] * len(candidates)
    return MatchList(viewer, candidates, chances, chances, chances, json.dumps([[] for _ in candidates]))
