"""The encoder changes, forth and back, while sixteen connections read."""

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from threading import Event, Lock

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, text

from models.db.match_lists import MatchList
from models.db.publications import publish_match_lists, roll_back
from models.db.rows.embedding_rows import store_embeddings
from tests.serving.conftest import Api, Users, ids, page_path
from tests.support.waiting import until

READERS, MEN, LISTED = 16, 24, 4
DIMENSIONS = {"blue": 384, "green": 8}
"""By encoder; of each, the men have another order."""


@pytest.fixture
def pipeline(api_database: str) -> Iterator[Engine]:
    engine = create_engine(api_database)
    yield engine
    engine.dispose()


class Town:
    """Sixteen women who are alike, with one list, and men in an order for each encoder."""

    def __init__(self, engine: Engine, users: Users) -> None:
        self.engine = engine
        self.women, self.men = [users.add() for _ in range(READERS)], users.men(MEN)
        self.order = {"blue": self.men, "green": [self.men[at] for at in np.random.default_rng(1).permutation(MEN)]}
        self.encoder_of: dict[int, str] = {}
        """By publication."""

    def similar(self, encoder: str) -> list[uuid.UUID]:
        """Whom nobody lists, nearest first."""
        return [man for man in self.order[encoder] if man not in self.men[:LISTED]]

    def embed(self, encoder: str) -> None:
        """Store the vectors of an encoder, as a run does before it publishes."""
        people = [*[(woman, 0.0) for woman in self.women], *[(man, n) for n, man in enumerate(self.order[encoder], 1)]]
        rows = []
        for person, place in people:
            vector = np.zeros(DIMENSIONS[encoder])
            vector[:2] = np.cos(place / MEN), np.sin(place / MEN)
            rows.append((str(person), encoder, vector))
        store_embeddings(self.engine, encoder, rows, datetime.now(UTC))

    def publish(self, encoder: str) -> int:
        self.embed(encoder)
        listed, chances = [str(man) for man in self.men[:LISTED]], [0.5] * LISTED
        reasons = "[" + ",".join(["[]"] * LISTED) + "]"
        lists = [MatchList(str(woman), listed, chances, chances, chances, reasons) for woman in self.women]
        # The number is known before any reader can see it.
        with self.engine.connect() as connection:
            last = connection.scalar(text("SELECT coalesce(max(id), 0) FROM matching.publications"))
        self.encoder_of[int(last or 0) + 1] = encoder
        now = datetime.now(UTC)
        return publish_match_lists(
            self.engine, lists, ranker_version="1", encoder=encoder, metrics={}, as_of=now.date(), scored_at=now
        ).id

    def stored(self) -> set[str]:
        with self.engine.connect() as connection:
            return set(connection.scalars(text("SELECT DISTINCT encoder FROM matching.embeddings")))


def test_sixteen_readers_see_one_encoder_a_page_forth_and_back(api: Api, users: Users, pipeline: Engine) -> None:
    users.connection.execute("ALTER SEQUENCE matching.publications_id_seq RESTART")
    town = Town(pipeline, users)
    seen: Counter[int] = Counter()
    lock, ended = Lock(), Event()
    rolled_back: set[int] = set()

    def read(woman: uuid.UUID) -> None:
        while not ended.is_set():
            first = api.page(woman, 10)
            publication = first["publication"]["id"]
            response = api.me(woman, page_path(50, first["next_cursor"]))
            if response.status_code == HTTPStatus.GONE and publication in rolled_back:
                continue  # as the API promises: start again without a cursor
            assert response.status_code == HTTPStatus.OK, response.text
            pages = [first, response.json()]
            assert [page["publication"]["id"] for page in pages] == [publication] * 2
            expected = town.similar(town.encoder_of[publication])
            assert [man for page in pages for man in ids(page)] == [*town.men[:LISTED], *expected]
            whole = [town.order[encoder] for encoder in town.order]
            assert api.similar(woman) in whole
            with lock:
                seen[publication] += 1

    def await_readers(publication: int) -> None:
        """Wait until the readers have read a publication sixteen times more; a reader that failed ends this."""
        before = seen[publication]
        until(lambda: seen[publication] >= before + READERS or any(each.done() for each in readers), 60)
        assert not any(each.done() for each in readers), [each.exception() for each in readers if each.done()]

    blue = town.publish("blue")
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, woman) for woman in town.women]
        try:
            await_readers(blue)
            town.embed("green")
            await_readers(blue)
            await_readers(green := town.publish("green"))
            rolled_back.add(green)
            assert roll_back(pipeline).id == blue
            await_readers(blue)
            await_readers(town.publish("green"))
            assert town.stored() == {"blue", "green"}
            for _ in range(3):
                await_readers(town.publish("blue"))
        finally:
            ended.set()
    for each in readers:
        each.result()
    assert town.encoder_of[green] == "green"
    assert town.stored() == {"blue"}, "no kept publication names the other"
