"""The backend of the example in a process of its own, beside the real API over the same database."""

from collections.abc import Iterator
from uuid import UUID

import httpx2
import pytest

from tests.serving.conftest import Api, Users, api, api_database, serving, token_for, users

__all__ = ["api", "api_database", "users"]


class Backend:
    """The running backend, asked over HTTP as somebody."""

    def __init__(self, api: Api) -> None:
        self.client = api.client

    def ask(self, who: UUID, method: str, path: str, body: object = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token_for(who)}"}
        return self.client.request(method, f"/backend/{path}", json=body, headers=headers)

    def do(self, who: UUID, method: str, path: str, body: object = None) -> httpx2.Response:
        """A request that must succeed."""
        response = self.ask(who, method, path, body)
        assert response.is_success, response.text
        return response

    def decide(self, who: UUID, kind: str, candidate: UUID, decision: UUID, **card: object) -> str | None:
        """The conversation that a decision led to, if it was a match."""
        shown = {"publication_id": None, "position": None, "surface": "similar"} | card
        body = shown | {"kind": kind, "candidate_id": str(candidate)}
        found: str | None = self.do(who, "PUT", f"decisions/{decision}", body).json()["conversation_id"]
        return found


@pytest.fixture(scope="session")
def backend(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    log = tmp_path_factory.mktemp("backend") / "log"
    with serving(api_database, log, "examples.backend.app", "/openapi.json") as api:
        yield Backend(api)


@pytest.fixture
def pair(users: Users) -> tuple[UUID, UUID]:
    """A woman, and the only man on her list."""
    me, (man,) = users.viewer(1)
    return me, man
