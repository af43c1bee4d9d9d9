"""Stream rows into temporary tables by COPY."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import cast

import psycopg
from sqlalchemy import Connection

from models.db.errors import DatabaseUnavailable
from pipelines.loaders.records import Refusal

logger = logging.getLogger(__name__)


def copy_rows(
    connection: Connection, table: str, rows: Iterable[tuple[object, ...] | Refusal]
) -> tuple[int, Counter[str]]:
    """Stream rows into a temporary table, and leave out refusals. ANALYZE gives the planner the table's size.

    Returns:
        The number of rows copied, and the refusals by reason.

    Raises:
        DatabaseUnavailable: The server was lost or its disk is full.
    """
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    count, refused = 0, Counter[str]()
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                if isinstance(row, Refusal):
                    refused[row.reason] += 1
                    continue
                copy.write_row(row)
                count += 1
                if count % 250_000 == 0:
                    logger.info("%s: %s rows read", table, f"{count:,}")
    except psycopg.OperationalError as error:
        what = str(error).partition("\n")[0]  # the other lines may quote the row
        raise DatabaseUnavailable(f"the database failed while loading and nothing was written: {what}") from error
    connection.exec_driver_sql(f"ANALYZE {table}")
    return count, refused
