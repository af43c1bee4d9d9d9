"""The migration of impressions where the app has views in place of the tables."""

from alembic import command
from sqlalchemy import Engine, text

from models.db.schema.migrations import make_alembic_config, upgrade_database
from tests.models_db.conftest import run

OWN_VIEWS = (
    "CREATE SCHEMA dating",
    "CREATE TABLE dating.people AS TABLE app.profiles",
    "CREATE TABLE dating.swipes AS TABLE app.interactions",
    "DROP TABLE app.interactions, app.blocks, app.profiles CASCADE",
    "CREATE VIEW app.profiles AS TABLE dating.people",
    "CREATE VIEW app.interactions AS TABLE dating.swipes",
)
RELATIONS = """
SELECT relname, relkind::text, relnatts FROM pg_class
WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'v') ORDER BY relname
"""


def test_views_of_the_app_stay_and_an_empty_one_joins_them(engine: Engine, database_url: str) -> None:
    def relations() -> list[tuple[str, str, int]]:
        with engine.connect() as connection:
            return [(name, kind, columns) for name, kind, columns in connection.execute(text(RELATIONS))]

    config = make_alembic_config(database_url)
    command.downgrade(config, "0010")
    for statement in OWN_VIEWS:
        run(engine, statement)
    before = relations()
    for _ in range(2):
        upgrade_database(database_url, "0011")
        assert relations() == [*before, ("views", "v", 6)]
        with engine.connect() as connection:
            assert connection.execute(text("SELECT FROM app.views")).all() == []
        command.downgrade(config, "0010")
        assert relations() == before
