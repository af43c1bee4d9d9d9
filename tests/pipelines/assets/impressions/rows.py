"""Rows of the app's tables, written as an app does; times are SQL."""

from sqlalchemy import Connection, text

from tests.models_db.conftest import person_id

TODAY = "(date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
"""The beginning of today's UTC day."""
SHOW = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, position, surface, shown_at)
VALUES (:viewer_id, :candidate_id, :publication_id, :position, :surface, {shown_at})
"""
DECIDE = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:actor, :target, :kind, {at})"
# As a view of the app's own, `app.views` has no constraint.
LAWLESS = (
    "ALTER TABLE app.views DROP CONSTRAINT fk_views_viewer_id",
    "ALTER TABLE app.views DROP CONSTRAINT fk_views_candidate_id",
    *(f"ALTER TABLE app.views ALTER {name} DROP NOT NULL" for name in ("viewer_id", "candidate_id", "surface")),
    "ALTER TABLE app.views ALTER shown_at DROP NOT NULL",
    "ALTER TABLE app.profiles DROP CONSTRAINT pk_profiles CASCADE",
)


def show(connection: Connection, viewer: int, candidate: int, **cells: object) -> None:
    """Show a candidate to a viewer on the list just now, unless `cells` say otherwise."""
    row: dict[str, object] = {"viewer_id": person_id(viewer), "candidate_id": person_id(candidate), "surface": "list"}
    row |= {"publication_id": None, "position": 1, "shown_at": "now()"} | cells
    shown_at = row.pop("shown_at")
    connection.execute(text(SHOW.format(shown_at="NULL" if shown_at is None else shown_at)), row)


def decide(connection: Connection, actor: int, target: int, kind: str, at: str) -> None:
    values = {"actor": person_id(actor), "target": person_id(target), "kind": kind}
    connection.execute(text(DECIDE.format(at=at)), values)


def remove_constraints(connection: Connection) -> None:
    for statement in LAWLESS:
        connection.execute(text(statement))
