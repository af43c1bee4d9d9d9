"""The contract of `app.views`, in SQL: which rows count, and why the others are refused.

The SQL is here and not in a view of the database, because `app.views` and `app.profiles` may be views of the app, which
the app replaces. A view of ours over them would stand in the way.
"""

from models.ml.profiles.frame_contracts import SURFACE_REASON, SURFACES

RETENTION_DAYS = 60
"""Views that are older are never read."""
MAX_VIEWS_A_DAY = 1000
"""The most views of one viewer that count on a UTC day: more than a person looks at, and little enough for a bot."""
TOO_MANY = f"more than {MAX_VIEWS_A_DAY:,} views of the viewer on the day"
NEWEST_PUBLICATION = "(SELECT coalesce(max(id), 0) FROM matching.publications)"
# The first reason that holds is given. The columns are those of CHECKED_VIEWS. The subqueries are evaluated
# once, not for each row.
RULES = {
    "viewer.id IS NULL": "viewer_id is not among the profiles",
    "candidate.id IS NULL": "candidate_id is not among the profiles",
    "viewer_id = candidate_id": "viewer and candidate are the same person",
    "shown_at IS NULL": "shown_at is missing",
    "shown_at > (SELECT now() + interval '1 minute')": "shown_at is in the future",
    f"publication_id NOT BETWEEN 1 AND {NEWEST_PUBLICATION}": "publication_id is of no publication",
    "position < 1": "position must be 1 or more",
    f"surface IS NULL OR surface NOT IN {SURFACES}": SURFACE_REASON,
}
TODAY = "(now() AT TIME ZONE 'UTC')::date"
"""The UTC day of the run."""

CHECKED_VIEWS = """
SELECT viewer_id, candidate_id, publication_id, position, surface, shown_at,
       (shown_at AT TIME ZONE 'UTC')::date AS day, CASE {reasons} END AS reason
FROM app.views
LEFT JOIN (SELECT DISTINCT id FROM app.profiles) AS viewer ON viewer.id = viewer_id
LEFT JOIN (SELECT DISTINCT id FROM app.profiles) AS candidate ON candidate.id = candidate_id
WHERE shown_at IS NULL OR shown_at >= {since}
"""
ACCEPTED_VIEWS = """
SELECT *, CASE WHEN row_number() OVER (
    PARTITION BY viewer_id, day ORDER BY first_shown_at, candidate_id, publication_id, surface
) > {most} THEN '{too_many}' END AS reason
FROM (
    SELECT viewer_id, day, candidate_id, publication_id, surface, min(position) AS position,
           min(shown_at) AS first_shown_at, max(shown_at) AS last_shown_at, count(*) AS repeats
    FROM ({checked}) AS checked WHERE reason IS NULL AND {only}
    GROUP BY viewer_id, day, candidate_id, publication_id, surface
) AS shown
"""


def select_checked_views(days: int) -> str:
    """Return a query of the views of the last `days` UTC days, today included, and of those without a time.

    Its columns are those of `app.views`, `day` (the UTC day, a date), and `reason`: why the row is refused, or null.

    Raises:
        ValueError: `days` is not 1 to RETENTION_DAYS.
    """
    if not 1 <= days <= RETENTION_DAYS:
        raise ValueError(f"views are read of 1 to {RETENTION_DAYS} days, not {days}: older ones may be deleted")
    reasons = " ".join(f"WHEN {rule} THEN '{reason}'" for rule, reason in RULES.items())
    return CHECKED_VIEWS.format(reasons=reasons, since=select_beginning(days))


def select_beginning(days: int) -> str:
    """Return an expression of the moment at which the last `days` UTC days began, today included."""
    # PostgreSQL evaluates it for each row; `date_bin` needs no conversion between time zones.
    return f"date_bin('1 day', now(), timestamptz '2000-01-01 00:00 UTC') - interval '{24 * (days - 1)} hours'"


def select_accepted_views(days: int, only: str = "true") -> str:
    """Return a query of the views of `select_checked_views` that count, and that meet the condition `only`.

    Repeats are one row: each viewer, candidate, publication, surface and UTC day once, with `first_shown_at`,
    `last_shown_at`, the lowest `position` and the number of `repeats`, itself included. `reason` is TOO_MANY where the
    viewer has MAX_VIEWS_A_DAY earlier ones on that day, and otherwise null.
    """
    return ACCEPTED_VIEWS.format(checked=select_checked_views(days), only=only, most=MAX_VIEWS_A_DAY, too_many=TOO_MANY)
