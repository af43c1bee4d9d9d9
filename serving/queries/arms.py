"""The arms of experiments that a viewer is in."""

from serving.queries.read_pool import fetch_row
from serving.queries.viewer_matches import Asker

_ARMS = "SELECT matching_api.read_arms(%(viewer_id)s, %(publication_id)s)"


async def fetch_arms(asker: Asker, publication_id: int | None) -> str | None:
    """Return the viewer's arms in a publication, as `experiment=arm` with commas between; None if there are none.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    if publication_id is None:
        return None
    row = await fetch_row(asker.pool, _ARMS, {"viewer_id": asker.viewer_id, "publication_id": publication_id})
    return None if row is None else row[0]
