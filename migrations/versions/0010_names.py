"""Names of the field for functions, triggers and a view of schema `matching`.

Revision: 0010, after 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VIEWS = {"showable": "visible_candidates"}
FUNCTIONS = {"snapped(float8)": "round_coordinate(float8)"}
TRIGGERS = {"forget_candidates": "remove_erased_candidates", "erase_in_turn": "serialize_erasures"}
COMMENT = {
    "partner of the day": "the viewer's one partner of the day; null: none",
    "most compatible": "the viewer's most compatible candidate; null: none",
}

# The body of a function in SQL names what it calls, so it does not follow a renamed function.
DISTANCE = """
CREATE OR REPLACE FUNCTION matching.distance_km(
    latitude_a float8, longitude_a float8, latitude_b float8, longitude_b float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(latitude_a) <= 90 AND abs(longitude_a) <= 180
                 AND abs(latitude_b) <= 90 AND abs(longitude_b) <= 180
        THEN 2 * 6371.0088 * asin(least(1, sqrt(
            sin(radians(matching.{round}(latitude_b) - matching.{round}(latitude_a)) / 2) ^ 2
            + cos(radians(matching.{round}(latitude_a))) * cos(radians(matching.{round}(latitude_b)))
            * sin(radians(matching.{round}(longitude_b) - matching.{round}(longitude_a)) / 2) ^ 2)))
        END
$$
"""

# The app may have made the triggers on tables of its own (docs/guides/connect-your-app.md). Those that belong to
# another role keep their names and work as before.
RENAME_TRIGGERS = """
DO $$
DECLARE
    target regclass;
BEGIN
    FOR target IN
        SELECT tgrelid::regclass FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE tgname = '{old}' AND tgfoid = 'matching.{new}'::regproc AND pg_has_role(relowner, 'MEMBER')
    LOOP
        EXECUTE format('ALTER TRIGGER {old} ON %s RENAME TO {new}', target);
    END LOOP;
END
$$
"""


def upgrade() -> None:
    _rename(VIEWS, FUNCTIONS, TRIGGERS)
    op.execute(DISTANCE.format(round="round_coordinate"))
    op.alter_column("match_lists", "most_compatible_id", comment=COMMENT["most compatible"], schema="matching")


def downgrade() -> None:
    _rename(*({new: old for old, new in names.items()} for names in (VIEWS, FUNCTIONS, TRIGGERS)))
    op.execute(DISTANCE.format(round="snapped"))
    op.alter_column("match_lists", "most_compatible_id", comment=COMMENT["partner of the day"], schema="matching")


def _rename(views: dict[str, str], functions: dict[str, str], triggers: dict[str, str]) -> None:
    for old, new in views.items():
        op.execute(f"ALTER VIEW matching.{old} RENAME TO {new}")
    for old, new in functions.items():
        op.execute(f"ALTER FUNCTION matching.{old} RENAME TO {new.partition('(')[0]}")
    for old, new in triggers.items():
        op.execute(f"ALTER FUNCTION matching.{old}() RENAME TO {new}")
        op.execute(RENAME_TRIGGERS.format(old=old, new=new))
