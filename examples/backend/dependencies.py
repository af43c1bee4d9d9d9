"""The parameters that routes share: who is signed in, and one transaction for all that a request writes."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Connection

from serving.access.auth import authenticate_viewer

Viewer = Annotated[UUID, Depends(authenticate_viewer)]
"""Who is signed in. An app takes it from its own session; here the session is a token of the matching API."""


def begin_transaction(request: Request) -> Iterator[Connection]:
    """Yield a transaction that is committed when the route has returned, and before the response is sent."""
    with request.state.engine.begin() as connection:
        yield connection


Transaction = Annotated[Connection, Depends(begin_transaction, scope="function")]
