"""Roles without a login, which the migrations create, and which a connection takes on with SET ROLE."""

from sqlalchemy import Connection

from models.db.errors import InputError

MAY_CREATE = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
# Roles belong to the server: another of its databases may have created this one, or may be doing so at this moment.
CREATE = """
DO $$
BEGIN
    IF to_regrole('{role}') IS NULL THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$
"""
# So that the user who migrates can take it on. If another user created the role, that user lets people in.
ENTER = """
DO $$
BEGIN
    IF pg_has_role('{role}', 'MEMBER WITH ADMIN OPTION') AND NOT pg_has_role('{role}', 'SET') THEN
        GRANT {role} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE;
    END IF;
EXCEPTION WHEN unique_violation THEN NULL;
END
$$
"""
# It stays while another database uses it, and where it is not ours to drop.
DROP = """
DO $$
BEGIN
    DROP ROLE IF EXISTS {role};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
END
$$
"""


def create_group_role(connection: Connection, role: str) -> None:
    """Create a role if the server lacks it, and let the current user take it on.

    Raises:
        InputError: The role is missing and the current user may not create it.
    """
    exists = connection.exec_driver_sql(f"SELECT to_regrole('{role}') IS NOT NULL").scalar_one()
    if not exists and not connection.exec_driver_sql(MAY_CREATE).scalar_one():
        user = connection.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
        raise InputError(
            f"the database user {user} may not create the role {role}; let an administrator run: "
            f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user}; then migrate again"
        )
    connection.exec_driver_sql(CREATE.format(role=role))
    connection.exec_driver_sql(ENTER.format(role=role))


def drop_group_role(connection: Connection, role: str) -> None:
    """Drop a role, unless another database of the server uses it. Its rights in this database are revoked before."""
    connection.exec_driver_sql(DROP.format(role=role))
