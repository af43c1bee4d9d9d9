"""Similar users of a large population, found by the HNSW index, against comparing all of them."""

import uuid
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from models.db.engines import convert_to_libpq_url
from models.db.rows.embedding_index import create_index

# About a tenth of the others fit a viewer: by gender and wish, by both age ranges, by distance. The first hundred, all
# viewers among them, have passed on and blocked many. The vectors are around 40 centres; the index is made after them.
FILL = """
SELECT setseed(0.5);
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude,
    max_distance_km, paused)
SELECT md5(n::text)::uuid, 'Somebody', date '1970-01-01' + (random() * 12000)::int, gender,
    CASE WHEN random() < 0.9 THEN ARRAY[CASE gender WHEN 'woman' THEN 'man' ELSE 'woman' END] ELSE '{woman,man}' END,
    CASE WHEN random() < 0.6 THEN 18 + (random() * 15)::int END,
    CASE WHEN random() < 0.6 THEN 35 + (random() * 30)::int END,
    52 + random(), 13 + random(), CASE WHEN random() < 0.3 THEN 15 + random() * 40 END, random() < 0.05
FROM (SELECT n, CASE WHEN random() < 0.5 THEN 'woman' ELSE 'man' END AS gender FROM generate_series(1, 8000) AS n);
CREATE TEMPORARY TABLE met AS
SELECT DISTINCT md5(a::text)::uuid AS one, md5(b::text)::uuid AS other FROM (
    SELECT ceil(random() * 100)::int AS a, ceil(random() * 8000)::int AS b FROM generate_series(1, 20000)
) WHERE a <> b;
INSERT INTO app.interactions (actor_id, target_id, kind) SELECT one, other, 'pass' FROM met WHERE random() < 0.8;
INSERT INTO app.blocks SELECT one, other FROM met WHERE random() < 0.1;
INSERT INTO app.blocks SELECT other, one FROM met WHERE random() < 0.1 ON CONFLICT DO NOTHING;
CREATE TEMPORARY TABLE centres AS
SELECT c, array_agg(random_normal()) AS x FROM generate_series(0, 39) AS c, generate_series(1, 384) GROUP BY c;
INSERT INTO matching.embeddings (profile_id, encoder, content_hash, embedding)
SELECT md5(n::text)::uuid, 'letters', '',
    (SELECT array_agg(v + random_normal()) FROM unnest(x) AS v)::real[]::halfvec(384)
FROM generate_series(1, 8000) AS n JOIN centres ON c = n % 40;
"""
EXACT = """
SELECT candidate_id FROM matching.visible_candidates
JOIN matching.embeddings AS mine ON mine.profile_id = viewer_id
JOIN matching.embeddings AS other ON other.profile_id = candidate_id AND other.encoder = mine.encoder
WHERE mine.encoder = 'letters' AND viewer_id = %s ORDER BY (mine.embedding <=> other.embedding) + 0
"""
INDEX = "matching.embedding_index('letters')"


class Population:
    def __init__(self, connection: psycopg.Connection) -> None:
        self.run = connection.execute
        self.transaction = connection.transaction

    def column(self, query: str, *values: object) -> list[UUID]:
        return [row[0] for row in self.run(query.encode(), values or None)]

    def viewers(self, where: str) -> list[UUID]:
        query = "SELECT md5(n::text)::uuid AS id FROM generate_series(1, 40) AS n"
        return self.column(f"SELECT id FROM ({query}) AS viewer JOIN app.profiles USING (id) WHERE {where}")

    def exact(self, viewer: UUID) -> list[UUID]:
        """All users who may be shown to a viewer, nearest first."""
        return self.column(EXACT, viewer)

    def found(self, viewer: UUID, most: int, listed: Sequence[UUID] | None = None) -> tuple[list[UUID], int]:
        """The neighbours as the API gets them, and the number of scans of the index."""
        with self.transaction():
            before = self.count_scans()
            found = self.column("SELECT matching.neighbours(%s, %s, %s, NULL, 'letters')", viewer, most, listed)
            return found, self.count_scans() - before

    def count_scans(self) -> int:
        """Scans of the index that the server has not yet added to its statistics, also of earlier transactions."""
        ((scans,),) = self.run(f"SELECT pg_stat_get_xact_numscans({INDEX})".encode())
        return int(scans)


@pytest.fixture(scope="module")
def population(server: psycopg.Connection, template_url: str) -> Iterator[Population]:
    template = make_url(template_url)
    name = f"large_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
    url = template.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        connection.execute(FILL)
        with create_engine(url).connect() as pipeline, pipeline.begin():
            create_index(pipeline, "letters")
        connection.execute("ANALYZE")
        yield Population(connection)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("most", [1, 50])
def test_the_index_finds_nearly_all_of_the_nearest(population: Population, most: int) -> None:
    """Recall of at least 0.95 on average over viewers, nearest first, and no one who may not be shown."""
    hits = wanted = 0
    for viewer in population.viewers("NOT paused"):
        fit = population.exact(viewer)
        listed = fit[:200:5]
        allowed = [person for person in fit if person not in listed]
        neighbours, scans = population.found(viewer, most, listed)
        assert (scans, len(neighbours)) == (1, min(most, len(allowed)))
        assert [person for person in allowed if person in set(neighbours)] == neighbours
        hits, wanted = hits + len(set(neighbours) & set(allowed[:most])), wanted + len(neighbours)
    assert hits / wanted >= 0.95
    assert population.found(population.viewers("paused")[0], most) == ([], 0), "a paused viewer needs no search"


def test_where_few_fit_all_of_them_are_found(population: Population) -> None:
    """The index gives up before it has proposed them all, as it would in a larger population."""
    viewer = population.viewers("gender = 'woman' AND NOT paused")[0]
    with population.transaction(force_rollback=True):
        population.run("ALTER FUNCTION matching.neighbours SET hnsw.max_scan_tuples = 500")
        population.run("UPDATE app.profiles SET seeks = '{nobody,few}', max_distance_km = NULL WHERE id = %s", [viewer])
        population.run(
            "UPDATE app.profiles SET gender = 'few', seeks = '{woman}', age_min = NULL, age_max = NULL, birth_date ="
            " (SELECT birth_date FROM app.profiles WHERE id = %s) WHERE id::text LIKE '00%%'",
            [viewer],
        )
        expected = population.exact(viewer)
        assert 10 < len(expected) < 50
        assert population.found(viewer, 50)[0] == expected


def test_a_small_population_is_compared_as_a_whole(population: Population) -> None:
    with population.transaction(force_rollback=True):
        population.run("CREATE TEMPORARY TABLE few AS SELECT * FROM matching.embeddings ORDER BY profile_id LIMIT 900")
        population.run("TRUNCATE matching.embeddings")
        population.run("INSERT INTO matching.embeddings SELECT * FROM few")
        for viewer in population.column("SELECT id FROM app.profiles JOIN few ON id = profile_id WHERE NOT paused")[:5]:
            assert population.found(viewer, 20) == (population.exact(viewer)[:20], 0)
