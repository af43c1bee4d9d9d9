"""Run the Alembic migrations of `migrations/` on a database."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ROOT = Path(__file__).resolve().parents[3]


def make_alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url` (`postgresql+psycopg://`)."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = url
    return config


def upgrade_database(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` up to `revision`."""
    command.upgrade(make_alembic_config(url), revision)
