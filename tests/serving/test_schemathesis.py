"""Every response is one that the OpenAPI document promises: requests are generated from that document.

SCHEMATHESIS_EXAMPLES says how many for each operation that has parameters; 1500 make more than 5,000 in all.
"""

import os
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from models.db.engines import convert_to_libpq_url
from serving import routes
from serving.documentation import DocumentedApi
from serving.queries.cursor import Cursor, derive_cursor_key, write_cursor
from tests.serving.conftest import SECRET, Api, Users, token_for

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "30"))
CONFIG = {
    # Unknown parameters are ignored, as everywhere on the web. The callers bring the tokens.
    "generation": {"allow-extra-parameters": False, "with-security-parameters": False},
    # A cursor is text, but not any text: what was not issued here is refused with 400.
    "checks": {"positive_data_acceptance": {"expected-statuses": [200, 304, 400, 401, 403, 404, 410]}},
}
# Of the routes and not of a server, because pytest wants to know the operations before there is one.
app = DocumentedApi(title="Delete matching", version="0", generate_unique_id_function=lambda route: route.name)
app.include_router(routes.router)
schema = schemathesis.openapi.from_dict(app.openapi(), config=SchemathesisConfig.from_dict(CONFIG))
# Not by the schema's own `parametrize`: pytest-xdist would take all its tests for one.
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)}

# Half of them may ask.
CALLERS = ("listed", "listed", "newcomer", "erased", "expired", "nobody")
CURSORS = ("made up", "next", "gone")
PAGED = {
    "/v1/me/matches": "page cursors",
    "/v1/me/likes": "cursors of likes",
    "/v1/me/conversations": "cursors of conversations",
}
"""What the key of the cursors of each path is for."""


class World(NamedTuple):
    """What there is to ask the API with."""

    tokens: dict[str, str]
    cursors: dict[str, dict[str, str]]
    """By path, by name."""
    candidate: UUID


@pytest.fixture(scope="module")
def world(telling: Api, api_database: str) -> World:
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        connection.execute("TRUNCATE app.profiles, matching.publications CASCADE")
        users = Users(connection)
        (me, candidates), newcomer = users.neighbours(30), users.add()
        users.embed(newcomer, 1, 0)
        publication = users.publish({me: candidates[:25]})
        users.pair(publication, me, candidates[0])
        for candidate in candidates[10:]:
            users.act(candidate, "like", me)
            users.run(
                "INSERT INTO app.conversations (person_a, person_b)"
                " SELECT least(%(me)s, %(him)s), greatest(%(me)s, %(him)s)",
                me=me,
                him=candidate,
            )
    cursors = {}
    for path, purpose in PAGED.items():
        # Those of conversations are of no publication.
        lost = None if path.endswith("conversations") else publication + 1
        gone = write_cursor(Cursor(lost, [1]), me, derive_cursor_key(SECRET, purpose))
        page = telling.get(f"{path}?limit=10", token_for(me)).json()
        cursors[path] = {"next": page["next_cursor"], "gone": gone}
    tokens = {
        "listed": token_for(me),
        "newcomer": token_for(newcomer),
        "erased": token_for(uuid4()),
        "expired": token_for(me, timedelta(hours=-1)),
    }
    return World(tokens, cursors, candidates[0])


def test_every_operation_is_asked(api: Api) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert paths == app.openapi()["paths"]
    assert len(OPERATIONS) == sum(map(len, paths.values()))


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_response_is_documented(label: str, telling: Api, world: World) -> None:
    requests = st.one_of([OPERATIONS[label].as_strategy(generation_mode=mode) for mode in GenerationMode])

    @given(case=requests, caller=st.sampled_from(CALLERS), cursor=st.sampled_from(CURSORS), known=st.booleans())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Case[Any], caller: str, cursor: str, known: bool) -> None:
        if case.meta is None or case.meta.generation.mode.is_positive:
            if cursor in (known_cursors := world.cursors.get(case.path, {})):
                case.query["cursor"] = known_cursors[cursor]
            if known and case.path_parameters:
                case.path_parameters["candidate_id"] = str(world.candidate)
        headers = {"Authorization": f"Bearer {world.tokens[caller]}"} if caller in world.tokens else {}
        case.call_and_validate(base_url=str(telling.client.base_url), headers=headers)

    ask()
