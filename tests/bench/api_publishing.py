"""Publications that can be told apart by every match in them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from models.db.match_lists import MatchList
from models.db.publications import publications, publish
from models.db.tables import match_lists
from tests.bench.api_town import viewer_of

Lists = Sequence[tuple[str, Sequence[str]]]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # whatever speaks against a pair is newer, so that it is left out


def lists_of(engine: Engine, viewers: int) -> Lists:
    """The first viewers and their candidates, as they are published."""
    ids = [str(viewer_of(number)) for number in range(1, viewers + 1)]
    theirs = select(match_lists.c.viewer_id, match_lists.c.candidate_ids).where(match_lists.c.viewer_id.in_(ids))
    with engine.connect() as connection:
        return [(viewer, candidates) for viewer, candidates in connection.execute(theirs)]


def publish_next(engine: Engine, lists: Lists) -> None:
    """Publish the lists with chances that tell this publication from the ones around it."""
    with engine.connect() as connection:
        expected = publications(connection)[0].id + 1
    made = publish(
        engine,
        (_marked(viewer, candidates, mark(expected) / 100) for viewer, candidates in lists),
        ranker_version="1",
        encoder="none",
        metrics={},
        as_of=datetime.now(UTC).date(),
        scored_at=LONG_AGO,
    )
    assert made.id == expected


def mark(publication_id: int) -> int:
    """The percentage that every match of a publication has."""
    return publication_id % 100


def _marked(viewer: str, candidates: Sequence[str], chance: float) -> MatchList:
    chances = [chance] * len(candidates)
    return MatchList(viewer, candidates, chances, chances, chances, json.dumps([[] for _ in candidates]))
