"""Whatever is asked, the answer is one that the OpenAPI document promises: requests are made up from that document.

SCHEMATHESIS_EXAMPLES says how many for each operation that has parameters; 1500 make more than 5,000 in all.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
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
from serving.app import _make_operation_id
from serving.documentation import DocumentedApi
from serving.queries.cursor import Cursor, derive_cursor_key, write_cursor
from tests.serving.conftest import SECRET, Api, Town, serving, token_for

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "30"))

CONFIG = {
    # Parameters that nobody knows are passed over, as everywhere on the web. The callers bring the tokens.
    "generation": {"allow-extra-parameters": False, "with-security-parameters": False},
    # A cursor is text, but not any text: what was not made here is refused with 400.
    "checks": {"positive_data_acceptance": {"expected-statuses": [200, 304, 400, 401, 403, 404, 410]}},
}

# Of the routes and not of a server, because pytest wants to know the operations before there is one.
_app = DocumentedApi(title="Delete matching", version="0", generate_unique_id_function=_make_operation_id)
_app.include_router(routes.router)
schema = schemathesis.openapi.from_dict(_app.openapi(), config=SchemathesisConfig.from_dict(CONFIG))

# Not by the schema's own `parametrize`: pytest-xdist would take all its tests for one.
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)}

# Half of them may ask.
CALLERS = ("listed", "listed", "newcomer", "newcomer", "erased", "expired", "forged", "nobody")
CURSORS = ("made up", "next", "gone", "another's")
PAGED = {"/v1/me/matches": "page cursors", "/v1/me/likes": "cursors of likes"}
"""What the key of the cursors of each path is for."""


class World(NamedTuple):
    """The API, and what there is to ask it with."""

    api: Api
    authorization: dict[str, dict[str, str]]
    cursors: dict[str, dict[str, str]]
    """By path, by name."""
    candidate: UUID


@pytest.fixture(scope="module")
def world(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("schemathesis") / "log"
    with (
        psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection,
        serving(
            api_database, log, MATCHING_LIKES="told", MATCHING_RATE_PER_SECOND="1e6", MATCHING_RATE_BURST="1000000"
        ) as api,
    ):
        connection.execute("TRUNCATE app.profiles, matching.publications CASCADE")
        assert api.get("/openapi.json").json()["paths"] == _app.openapi()["paths"]
        yield _world(api, Town(connection))
        _tell(log, api)


def _world(api: Api, town: Town) -> World:
    me, newcomer = town.person(), town.person()
    candidates = town.people("man", 30)
    for number, person in enumerate((me, newcomer, *candidates)):
        town.embed(person, 1, number)
    publication = town.publish({me: candidates[:25]})
    town.pair(publication, me, candidates[0])
    for candidate in candidates[10:]:
        town.act(candidate, "like", me)
    cursors = {}
    for path, purpose in PAGED.items():
        key = derive_cursor_key(SECRET, purpose)
        following = api.get(f"{path}?limit=10", token_for(me)).json()["next_cursor"]
        cursors[path] = {
            "next": following,
            "gone": write_cursor(Cursor(publication + 1, [1]), me, key),
            "another's": write_cursor(Cursor(publication, [1]), newcomer, key),
        }
    tokens = {
        "listed": token_for(me),
        "newcomer": token_for(newcomer),
        "erased": token_for(uuid4()),
        "expired": token_for(me, timedelta(hours=-1)),
        "forged": token_for(me)[:-4] + "AAAA",
    }
    authorization = {caller: {"Authorization": f"Bearer {token}"} for caller, token in tokens.items()}
    return World(api, authorization | {"nobody": {}}, cursors, candidates[0])


def _tell(log: Path, api: Api) -> None:
    time.sleep(0.2)  # until the last line is written
    statuses = Counter(line["status"] for line in api.log_lines() if line.get("event") == "request")
    print(f"\n{statuses.total():,} answers: {dict(sorted(statuses.items()))}")
    assert statuses.total() >= 3 * EXAMPLES  # the other four operations have no parameters to vary
    assert {200, 401, 422} <= set(statuses) <= {200, 304, 400, 401, 403, 404, 410, 422}


def test_every_operation_is_asked() -> None:
    assert len(OPERATIONS) == sum(map(len, _app.openapi()["paths"].values()))


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_documented(label: str, world: World) -> None:
    requests = st.one_of([OPERATIONS[label].as_strategy(generation_mode=mode) for mode in GenerationMode])

    @given(case=requests, caller=st.sampled_from(CALLERS), cursor=st.sampled_from(CURSORS), known=st.booleans())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Case[Any], caller: str, cursor: str, known: bool) -> None:
        if case.meta is None or case.meta.generation.mode.is_positive:
            if cursor in (known_cursors := world.cursors.get(case.path, {})):
                case.query["cursor"] = known_cursors[cursor]
            if known and case.path_parameters:
                case.path_parameters["candidate_id"] = str(world.candidate)
        case.call_and_validate(base_url=str(world.api.client.base_url), headers=world.authorization[caller])

    ask()
