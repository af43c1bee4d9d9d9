"""The checks of a publication's lists before they go live, in SQL over the stored lists."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text

from models.db import locks
from models.db.errors import PublicationRefused
from models.db.publications.partitions import PublicationSize, measure_partition, name_partition

CLOCK_SKEW = timedelta(seconds=10)
"""Tolerance for the timestamps of changes, which cause no warning up to this long before `scored_at`.

Such a change may have been committed after `scored_at`, or stamped by a clock other than the database's.
"""

MOST_IMPOSSIBLE = 0.1
"""Maximum share of impossible pairs in a publication. Users cannot cause more during a run, so a pipeline step did."""

ALWAYS_DROPPED = 100
"""Number of impossible pairs that is always tolerated, even in a small publication.

It covers one user's full list, and as many positions in the lists of others.
"""

logger = logging.getLogger(__name__)

SHAPE = """
SELECT problem, count(*) FROM (
    SELECT CASE
        WHEN jsonb_typeof(reasons) <> 'array' OR cardinality(candidate_ids) <> ANY (ARRAY[
                cardinality(p_like), cardinality(p_liked_back), cardinality(p_match), jsonb_array_length(reasons)])
            THEN 'lists with more or fewer probabilities or reasons than candidates'
        WHEN viewer_id = ANY (candidate_ids) THEN 'lists that show viewers themselves'
        WHEN (SELECT count(DISTINCT id) FROM unnest(candidate_ids) AS id) < cardinality(candidate_ids)
            THEN 'lists that name a candidate twice'
        WHEN (0::real <= ALL (p_like || p_liked_back || p_match) AND 1::real >= ALL (p_like || p_liked_back || p_match))
                IS NOT TRUE
            THEN 'lists with a probability outside [0, 1]'
        WHEN propensities <> '{{}}' AND cardinality(propensities) <> cardinality(candidate_ids)
            THEN 'lists with more or fewer propensities than candidates'
        WHEN (0::real < ALL (propensities) AND 1::real >= ALL (propensities)) IS NOT TRUE
            THEN 'lists with a propensity outside (0, 1]'
        WHEN candidate_ids && withheld_ids OR most_compatible_id = ANY (withheld_ids)
            THEN 'lists that show people who are withheld from the viewer'
        WHEN jsonb_typeof(likes_reasons) <> 'array' OR cardinality(likes_ids) <> ANY (ARRAY[
                cardinality(likes_p_like), cardinality(likes_p_match), jsonb_array_length(likes_reasons)])
            THEN 'lists with more or fewer probabilities or reasons than pending likes'
        WHEN viewer_id = ANY (likes_ids) THEN 'viewers with a pending like of their own'
        WHEN (SELECT count(DISTINCT id) FROM unnest(likes_ids) AS id) < cardinality(likes_ids)
            THEN 'lists with two pending likes of one sender'
        WHEN (0::real <= ALL (likes_p_like || likes_p_match) AND 1::real >= ALL (likes_p_like || likes_p_match))
                IS NOT TRUE
            THEN 'pending likes with a probability outside [0, 1]'
        WHEN likes_ids && withheld_ids THEN 'pending likes of people who are withheld from the viewer'
        WHEN viewer_id = most_compatible_id THEN 'viewers most compatible with themselves'
        WHEN most_compatible_p_match NOT BETWEEN 0 AND 1 OR jsonb_typeof(most_compatible_reasons) <> 'array'
            THEN 'most compatible people with a probability outside [0, 1] or without an array of reasons'
    END AS problem
    FROM {partition}
    UNION ALL
    SELECT 'viewers with several lists' FROM {partition} GROUP BY viewer_id HAVING count(*) > 1
) WHERE problem IS NOT NULL GROUP BY problem ORDER BY count(*) DESC, problem
"""

# A pair appears once for each problem; `changed_at` is the problem's own timestamp. A pending like is a pair too. The
# lists are unnested in a lateral join and again for each part, because PostgreSQL parallelises neither unnesting in the
# SELECT list nor scans of materialized CTEs.
IMPOSSIBLE = """
CREATE TEMPORARY TABLE impossible_pairs ON COMMIT DROP AS
WITH pair AS NOT MATERIALIZED (
    SELECT viewer_id, candidate_id FROM {partition} CROSS JOIN LATERAL unnest(
        CASE WHEN most_compatible_id IS NULL OR most_compatible_id = ANY (candidate_ids) THEN candidate_ids
             ELSE candidate_ids || most_compatible_id END || likes_ids) AS candidate_id
)
SELECT viewer_id, candidate_id, 'blocked' AS problem, created_at AS changed_at
FROM pair JOIN matching.separations ON blocker_id = viewer_id AND blocked_id = candidate_id
UNION ALL
SELECT viewer_id, candidate_id, 'blocked', created_at
FROM pair JOIN matching.separations ON blocker_id = candidate_id AND blocked_id = viewer_id
UNION ALL
SELECT viewer_id, candidate_id, 'decided', created_at
FROM pair JOIN app.interactions ON actor_id = viewer_id AND target_id = candidate_id
UNION ALL
SELECT viewer_id, candidate_id, 'ineligible',
       CASE WHEN viewer.id IS NULL OR candidate.id IS NULL OR viewer.paused OR candidate.paused THEN 'infinity'
            ELSE greatest(viewer.updated_at, candidate.updated_at) END
FROM pair
LEFT JOIN app.profiles AS viewer ON viewer.id = viewer_id
LEFT JOIN app.profiles AS candidate ON candidate.id = candidate_id
WHERE matching.is_eligible(viewer, candidate, :as_of) IS NOT TRUE
"""

COUNTS = """
SELECT count(DISTINCT (viewer_id, candidate_id)),
       count(DISTINCT (viewer_id, candidate_id)) FILTER (WHERE problem = 'blocked'),
       count(DISTINCT (viewer_id, candidate_id)) FILTER (WHERE problem = 'decided'),
       count(DISTINCT (viewer_id, candidate_id)) FILTER (WHERE problem = 'ineligible'),
       count(DISTINCT (viewer_id, candidate_id)) FILTER (WHERE changed_at <= :since)
FROM impossible_pairs
"""

REASONS = ("dropped_blocked", "dropped_decided", "dropped_ineligible")
DROPPED = ("dropped_since_scoring", *REASONS, "dropped_backdated")

FORGET = """
UPDATE {partition} AS list
SET (candidate_ids, p_like, p_liked_back, p_match, reasons) = (
    SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{{}}'),
           coalesce(array_agg(kept.p_like ORDER BY kept.place), '{{}}'),
           coalesce(array_agg(kept.p_liked_back ORDER BY kept.place), '{{}}'),
           coalesce(array_agg(kept.p_match ORDER BY kept.place), '{{}}'),
           coalesce(jsonb_agg(list.reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
    FROM unnest(list.candidate_ids, list.p_like, list.p_liked_back, list.p_match)
         WITH ORDINALITY AS kept (id, p_like, p_liked_back, p_match, place)
    WHERE kept.id <> ALL (unwanted.candidate_ids)),
(most_compatible_id, most_compatible_p_match, most_compatible_reasons) = (
    SELECT list.most_compatible_id, list.most_compatible_p_match, list.most_compatible_reasons
    WHERE list.most_compatible_id <> ALL (unwanted.candidate_ids)),
propensities = ARRAY(
    SELECT kept.propensity
    FROM unnest(list.candidate_ids, list.propensities) WITH ORDINALITY AS kept (id, propensity, place)
    WHERE kept.id <> ALL (unwanted.candidate_ids) AND kept.propensity IS NOT NULL ORDER BY kept.place),
withheld_ids = ARRAY(SELECT id FROM unnest(list.withheld_ids) AS id WHERE id <> ALL (unwanted.candidate_ids)),
(likes_ids, likes_p_like, likes_p_match, likes_reasons) = (
    SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{{}}'),
           coalesce(array_agg(kept.p_like ORDER BY kept.place), '{{}}'),
           coalesce(array_agg(kept.p_match ORDER BY kept.place), '{{}}'),
           coalesce(jsonb_agg(list.likes_reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
    FROM unnest(list.likes_ids, list.likes_p_like, list.likes_p_match)
         WITH ORDINALITY AS kept (id, p_like, p_match, place)
    WHERE kept.id <> ALL (unwanted.candidate_ids))
FROM (SELECT viewer_id, array_agg(candidate_id) AS candidate_ids FROM {unwanted} GROUP BY viewer_id) AS unwanted
WHERE list.viewer_id = unwanted.viewer_id
"""

ERASED = """(
    SELECT viewer_id, candidate_id FROM (
        SELECT viewer_id, unnest(candidate_ids) AS candidate_id FROM {partition}
        UNION ALL
        SELECT viewer_id, most_compatible_id FROM {partition} WHERE most_compatible_id IS NOT NULL
        UNION ALL
        SELECT viewer_id, unnest(withheld_ids) FROM {partition}
        UNION ALL
        SELECT viewer_id, unnest(likes_ids) FROM {partition}
    )
    WHERE NOT EXISTS (SELECT FROM app.profiles WHERE id = candidate_id)
) AS erased"""


def verify_lists(connection: Connection, publication_id: int, sent: PublicationSize) -> None:
    """Raise PublicationRefused unless everything sent is stored and every list is well formed.

    A viewer has one list. Its arrays and reasons have one length. It names no candidate twice, neither the viewer nor
    withheld users. Its probabilities are in [0, 1]. The most compatible candidate, if any, is not the viewer and has a
    probability and reasons. The same holds for pending likes and their senders.
    """
    if (arrived := measure_partition(connection, publication_id)) != sent:
        raise PublicationRefused(f"{sent} were sent and {arrived} are stored; publish again")
    _refuse_first(connection.execute(_format_statement(SHAPE, publication_id)).first())


def drop_impossible(connection: Connection, publication_id: int, as_of: date, scored_at: datetime) -> Mapping[str, int]:
    """Drop the pairs that have become impossible, and return their numbers by name of metric.

    Pairs are listed candidates, most compatible candidates and pending likes. A pair is impossible if either user is
    unknown, erased or paused, if there is a block either way, if the viewer has liked or passed on the candidate, or if
    `matching.is_eligible` rejects it on the day `as_of`. Users cause all of these while a publication is built. The
    app's rows can carry any timestamp, so timestamps decide nothing: pairs stamped before `scored_at` are only counted
    and cause a warning. `dropped_since_scoring` counts pairs. The other metrics count pairs per problem and are left
    out when zero.

    Args:
        connection: A connection in the transaction that built the lists.
        publication_id: The publication.
        as_of: The day for which ages are computed.
        scored_at: Database time at which the data behind the lists was read.

    Raises:
        PublicationRefused: The share of impossible pairs exceeds MOST_IMPOSSIBLE.
    """
    connection.execute(_format_statement(IMPOSSIBLE, publication_id), {"as_of": as_of})
    counts = dict(zip(DROPPED, connection.execute(text(COUNTS), {"since": scored_at - CLOCK_SKEW}).one(), strict=True))
    dropped = {name: count for name, count in counts.items() if count or name == DROPPED[0]}
    size = measure_partition(connection, publication_id)
    _refuse_many(dropped, size.pairs + size.likes)
    connection.execute(_format_statement(FORGET, publication_id, unwanted="impossible_pairs"))
    return dropped


def _refuse_many(dropped: Mapping[str, int], listed: int) -> None:
    pairs = dropped[DROPPED[0]]
    if pairs > max(ALWAYS_DROPPED, MOST_IMPOSSIBLE * listed):
        why = ", ".join(f"{name.removeprefix('dropped_')} {dropped[name]:,}" for name in REASONS if name in dropped)
        raise PublicationRefused(
            f"{pairs:,} of {listed:,} listed pairs are impossible ({why}), and at most {MOST_IMPOSSIBLE:.0%} may be; "
            "run the whole pipeline again, to make lists from the current tables; if it is refused again, the step "
            "that made the lists is wrong"
        )
    if backdated := dropped.get(DROPPED[-1]):
        logger.warning(
            "%d impossible pairs carry timestamps from before the run read the app's tables: make sure that the app "
            "sets created_at and updated_at to the database's now()",
            backdated,
        )


def drop_erased(connection: Connection, publication_id: int) -> None:
    """Remove erased users from an attached publication.

    Later erasures reach it through the foreign key and the trigger.
    """
    # Erasures hold this lock one at a time. Without it, one could hold a list changed here and wait for another list.
    locks.acquire(connection, locks.ERASURE)
    connection.execute(
        _format_statement(FORGET, publication_id, unwanted=ERASED.format(partition=name_partition(publication_id)))
    )


def refuse_empty(size: PublicationSize) -> None:
    """Raise PublicationRefused if the publication would leave all viewers without a list."""
    if size.pairs == 0:
        raise PublicationRefused("it holds no pair; check why the earlier steps found no candidates")


def _format_statement(statement: str, publication_id: int, **parts: str) -> TextClause:
    return text(statement.format(partition=name_partition(publication_id), **parts))


def _refuse_first(problem: Sequence[Any] | None) -> None:
    if problem is not None:
        what, count = problem  # no example: Dagster would keep the id
        raise PublicationRefused(f"{count:,} {what}; fix the step that made them")
