"""Export what the database keeps about a user, as the user may see it (GDPR, Article 15)."""

from sqlalchemy import Connection, text

from models.db.personal_data import PERSONAL_DATA, PersonalRows

ROWS = "SELECT coalesce(jsonb_agg(to_jsonb(kept) - {hidden}), '[]') FROM {relation} AS kept WHERE {shown}"


def export_person(connection: Connection, profile_id: str) -> dict[str, list[dict[str, object]]]:
    """Return the rows that are shown to a user, by the names of PERSONAL_DATA; none where all are about others."""
    return {name: _read_rows(connection, rows, profile_id) for name, rows in PERSONAL_DATA.items()}


def _read_rows(connection: Connection, rows: PersonalRows, profile_id: str) -> list[dict[str, object]]:
    if rows.shown is None:
        return []
    query = ROWS.format(hidden=rows.hidden, relation=rows.relation, shown=rows.shown)
    found: list[dict[str, object]] = connection.execute(text(query), {"id": profile_id}).scalar_one()
    return found
