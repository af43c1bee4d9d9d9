"""Publications that can be told apart by every match in them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from models.db.match_lists import MatchList
from models.db.publications import list_publications, publish_match_lists
from tests.bench.api_town import viewer_of

Lists = Sequence[tuple[str, Sequence[str]]]

# The town's lists hold people who may not be shown, for the API to leave out; too many of them refuse a publication.
POSSIBLE = text("""
SELECT list.viewer_id::text, array_agg(place.candidate_id::text ORDER BY place.position)
FROM matching.match_lists AS list
CROSS JOIN LATERAL unnest(list.candidate_ids) WITH ORDINALITY AS place (candidate_id, position)
JOIN matching.visible_candidates AS visible
  ON visible.viewer_id = list.viewer_id AND visible.candidate_id = place.candidate_id
WHERE list.viewer_id = ANY (CAST(:ids AS uuid[]))
GROUP BY list.viewer_id
""")


def lists_of(engine: Engine, viewers: int) -> Lists:
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
