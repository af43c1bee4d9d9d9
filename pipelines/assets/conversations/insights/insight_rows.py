"""What the insights read of the database beside the frames, and the table that they write."""

import pandas as pd
from sqlalchemy import Connection, text

from models.db.schema.tables import town_insights
from models.ml.conversations.insights.cells import CELL_TYPES

# Reasons are known while the lists of the publication are kept, from the list of either of the two.
SHOWN = """
SELECT pair.id::text AS conversation_id, publication.ranker_version, shown.codes AS reasons
FROM unnest(CAST(:ids AS uuid[]), CAST(:a AS uuid[]), CAST(:b AS uuid[]), CAST(:publications AS bigint[]))
    AS pair (id, a, b, publication_id)
JOIN matching.publications AS publication ON publication.id = pair.publication_id
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT reason ->> 'code') AS codes
    FROM (VALUES (a, b), (b, a)) AS way (viewer_id, candidate_id)
    JOIN matching.match_lists AS list ON list.publication_id = pair.publication_id AND list.viewer_id = way.viewer_id
    CROSS JOIN LATERAL jsonb_array_elements(
        list.reasons -> (array_position(list.candidate_ids, way.candidate_id) - 1)) AS reason
) AS shown ON true
"""


def read_shown(connection: Connection, facts: pd.DataFrame) -> pd.DataFrame:
    """Read how pairs of a known publication were shown: conversation_id, ranker_version, reasons (a list, or None)."""
    known = facts[facts["publication_id"].notna()]
    columns = {
        "ids": known["conversation_id"].tolist(),
        "a": known["person_a"].tolist(),
        "b": known["person_b"].tolist(),
        "publications": known["publication_id"].astype("int64").tolist(),
    }
    found = connection.execute(text(SHOWN), columns)
    return pd.DataFrame(found.all(), columns=list(found.keys()), dtype=object)


def replace_town_insights(connection: Connection, cells: pd.DataFrame) -> None:
    """Replace all rows of `matching.town_insights` in the caller's transaction; readers see the old or the new ones."""
    connection.execute(town_insights.delete())
    values = cells.astype(object).where(cells.notna(), None)[list(CELL_TYPES)].itertuples(index=False, name=None)
    rows = [dict(zip(CELL_TYPES, row, strict=True)) for row in values]
    if rows:
        connection.execute(town_insights.insert(), rows)
