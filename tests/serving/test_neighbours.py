"""Similar people of a large town, found by the HNSW index, against comparing everybody, under the real filters."""

import uuid
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url

PEOPLE = 8_000
VIEWERS = 40
ACTIVE = 100
"""The first people, who are all viewers, have passed and blocked many."""

# About a tenth of the others fit a viewer: by gender and wish, by both age ranges, by distance.
SETTLE = f"""
SELECT setseed(0.5);
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude,
    max_distance_km, paused)
SELECT md5(n::text)::uuid, 'Somebody', date '1970-01-01' + (random() * 12000)::int, gender,
    CASE WHEN random() < 0.9 THEN ARRAY[CASE gender WHEN 'woman' THEN 'man' ELSE 'woman' END] ELSE '{{woman,man}}' END,
    CASE WHEN random() < 0.6 THEN 18 + (random() * 15)::int END,
    CASE WHEN random() < 0.6 THEN 35 + (random() * 30)::int END,
    52 + random(), 13 + random(), CASE WHEN random() < 0.3 THEN 15 + random() * 40 END, random() < 0.05
FROM (SELECT n, CASE WHEN random() < 0.5 THEN 'woman' ELSE 'man' END AS gender FROM generate_series(1, {PEOPLE}) AS n);
CREATE TEMPORARY TABLE met AS
SELECT DISTINCT md5(a::text)::uuid AS one, md5(b::text)::uuid AS other FROM (
    SELECT ceil(random() * {ACTIVE})::int AS a, ceil(random() * {PEOPLE})::int AS b FROM generate_series(1, 20000)
) WHERE a <> b;
INSERT INTO app.interactions (actor_id, target_id, kind) SELECT one, other, 'pass' FROM met WHERE random() < 0.8;
INSERT INTO app.blocks SELECT one, other FROM met WHERE random() < 0.1;
INSERT INTO app.blocks SELECT other, one FROM met WHERE random() < 0.1 ON CONFLICT DO NOTHING;
"""

EXACT = """
SELECT candidate_id FROM matching.visible_candidates
JOIN matching.embeddings AS mine ON mine.profile_id = viewer_id
JOIN matching.embeddings AS other ON other.profile_id = candidate_id
WHERE viewer_id = %s ORDER BY (mine.embedding <=> other.embedding) + 0
"""


@pytest.fixture(scope="module")
def town(server: psycopg.Connection, template_url: str) -> Iterator[psycopg.Connection]:
    """A large town, seen by its owner."""
    template = make_url(template_url)
    name = f"large_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
    url = template.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        connection.execute(SETTLE)
        embed(connection, [UUID(str(row[0])) for row in connection.execute("SELECT id FROM app.profiles ORDER BY id")])
        yield connection
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def embed(connection: psycopg.Connection, people: list[UUID]) -> None:
    """Vectors around 40 centres. The index is made after them, which is faster."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 384))[rng.integers(0, 40, len(people))] + rng.normal(size=(len(people), 384))
    register_vector(connection)
    index = connection.execute("SELECT pg_get_indexdef('matching.ix_embeddings_embedding'::regclass)").fetchone()
    assert index is not None
    connection.execute("DROP INDEX matching.ix_embeddings_embedding")
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY matching.embeddings (profile_id, encoder, content_hash, embedding) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(("uuid", "text", "text", "halfvec"))
        for person, vector in zip(people, vectors, strict=True):
            copy.write_row((person, "letters", "", HalfVector(vector)))
    connection.execute(index[0])
    connection.execute("ANALYZE")


def exact(town: psycopg.Connection, viewer: UUID) -> list[UUID]:
    """Everybody who may be shown to a viewer, nearest first."""
    return [row[0] for row in town.execute(EXACT, [viewer])]


def found(
    town: psycopg.Connection, viewer: UUID, most: int, listed: list[UUID] | None = None
) -> tuple[list[UUID], int]:
    """The neighbours as the API is told them, and how often the index was asked."""
    with town.transaction():
        before = scans(town)
        rows = town.execute("SELECT matching.neighbours(%s, %s, %s, NULL)", [viewer, most, listed]).fetchall()
        return [row[0] for row in rows], scans(town) - before


def scans(town: psycopg.Connection) -> int:
    """How often this session has asked the index."""
    row = town.execute("SELECT pg_stat_get_xact_numscans('matching.ix_embeddings_embedding'::regclass)").fetchone()
    assert row is not None
    return int(row[0])


def viewers(town: psycopg.Connection, where: str = "true") -> list[UUID]:
    query = f"SELECT id FROM (SELECT md5(n::text)::uuid AS id FROM generate_series(1, {VIEWERS}) AS n) AS viewer"
    return [row[0] for row in town.execute(f"{query} JOIN app.profiles USING (id) WHERE {where}".encode())]


@pytest.mark.parametrize("most", [1, 20, 50])
def test_the_index_finds_nearly_all_who_are_nearest(town: psycopg.Connection, most: int) -> None:
    """Recall of at least 0.95 on average over viewers, and nobody who may not be shown."""
    hits = wanted = 0
    for viewer in viewers(town, "NOT paused"):
        fit = exact(town, viewer)
        listed = fit[:200:5]
        right = [person for person in fit if person not in listed][:most]
        neighbours, asked = found(town, viewer, most, listed)
        assert asked == 1
        assert len(set(neighbours)) == len(neighbours) == len(right)
        assert set(neighbours) <= set(fit) - set(listed)
        hits, wanted = hits + len(set(neighbours) & set(right)), wanted + len(right)
    assert hits / wanted >= 0.95


def test_they_come_nearest_first(town: psycopg.Connection) -> None:
    for viewer in viewers(town, "NOT paused")[:10]:
        place = {person: number for number, person in enumerate(exact(town, viewer))}
        places = [place[person] for person in found(town, viewer, 50)[0]]
        assert places == sorted(places)


def test_where_few_fit_all_of_them_are_found(town: psycopg.Connection) -> None:
    """The index gives up before it has proposed them all, as it would in a town larger than this one."""
    viewer = viewers(town, "gender = 'woman' AND NOT paused")[0]
    with town.transaction(force_rollback=True):
        town.execute("ALTER FUNCTION matching.neighbours SET hnsw.max_scan_tuples = 500")
        town.execute("UPDATE app.profiles SET seeks = '{nobody,few}', max_distance_km = NULL WHERE id = %s", [viewer])
        town.execute(
            "UPDATE app.profiles SET gender = 'few', seeks = '{woman}', age_min = NULL, age_max = NULL, birth_date ="
            " (SELECT birth_date FROM app.profiles WHERE id = %s) WHERE id::text LIKE '00%%'",
            [viewer],
        )
        right = exact(town, viewer)
        assert 10 < len(right) < 50
        assert found(town, viewer, 50)[0] == right


def test_a_paused_viewer_is_not_searched_for(town: psycopg.Connection) -> None:
    [viewer, *_] = viewers(town, "paused")
    assert found(town, viewer, 50) == ([], 0)


def test_a_small_town_is_compared_as_a_whole(town: psycopg.Connection) -> None:
    with town.transaction(force_rollback=True):
        town.execute("CREATE TEMPORARY TABLE few AS SELECT * FROM matching.embeddings ORDER BY profile_id LIMIT 900")
        town.execute("TRUNCATE matching.embeddings")
        town.execute("INSERT INTO matching.embeddings SELECT * FROM few")
        some = town.execute(
            "SELECT id FROM app.profiles JOIN few ON id = profile_id WHERE NOT paused LIMIT 5"
        ).fetchall()
        for (viewer,) in some:
            assert found(town, viewer, 20) == (exact(town, viewer)[:20], 0)
