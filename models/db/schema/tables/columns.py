"""The metadata of all tables, and the columns that many of them have."""

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def make_id() -> Column[str]:
    """Return the column `id`, a random UUID by default."""
    return Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))


def make_reference(name: str, to: str, *, primary_key: bool = False) -> Column[str]:
    """Return a UUID column that references the column `to` and whose row is deleted with the referenced one."""
    cascade = ForeignKey(to, ondelete="CASCADE")
    return Column(name, UUID(as_uuid=False), cascade, primary_key=primary_key, nullable=False)


def make_profile_reference(name: str, *, primary_key: bool = False) -> Column[str]:
    """Return a column that references a profile and is deleted with it."""
    return make_reference(name, "app.profiles.id", primary_key=primary_key)


def make_timestamp(name: str, *, nullable: bool = False, comment: str | None = None) -> Column[object]:
    """Return a column for a point in time with time zone, which defaults to now unless it is nullable."""
    default = None if nullable else func.now()
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default, comment=comment)


def make_json_column(name: str, empty: str = "{}") -> Column[object]:
    """Return a JSON column that is never null; `empty` is its default."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'"))
