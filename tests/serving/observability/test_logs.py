"""The log: JSON, one line a request, and nobody in it."""

import re
from time import monotonic, sleep
from uuid import uuid4

import pytest

from tests.serving.conftest import Api, Town, token_for

HEX = re.compile(r"[0-9a-f]{32}")


def lines_of(api: Api, request_id: str) -> list[dict[str, object]]:
    """The lines of a request; the last of them is written just after the answer is sent."""
    deadline = monotonic() + 10
    while True:
        lines = [line for line in api.log_lines() if line.get("request_id") == request_id]
        if lines and lines[-1]["event"] == "request":
            return lines
        assert monotonic() < deadline, "never logged"
        sleep(0.01)


def test_one_line_a_request(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    api.get("/v1/me/matches?limit=7", token_for(me), **{"X-Request-ID": "one-line"})
    [line] = lines_of(api, "one-line")
    assert isinstance(milliseconds := line.pop("ms"), float)
    assert 0 < milliseconds < 2000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(line.pop("timestamp")))
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "one-line",
        "method": "GET",
        "route": "/v1/me/matches",
        "status": 200,
    }


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [("/livez", "/livez", 200), ("/v1/me/matches", "/v1/me/matches", 401), ("/v1/people/7", "none", 404)],
)
def test_the_route_is_a_template(api: Api, path: str, route: str, status: int) -> None:
    request_id = uuid4().hex
    api.get(path, **{"X-Request-ID": request_id})
    assert [(line["route"], line["status"]) for line in lines_of(api, request_id)] == [(route, status)]


def test_a_request_id_is_echoed(api: Api) -> None:
    for path in ("/livez", "/readyz", "/v1/me/matches", "/nowhere"):
        assert api.get(path, **{"X-Request-ID": "a.b_c-1"}).headers["x-request-id"] == "a.b_c-1"


@pytest.mark.parametrize("unfit", ["", "a b", "x" * 65, "ä", '{"level":"error"}', "a\tb"])
def test_a_request_id_that_does_not_fit_is_replaced(api: Api, unfit: str) -> None:
    answer = api.client.get("/livez", headers=[(b"X-Request-ID", unfit.encode("latin-1"))])
    assert HEX.fullmatch(answer.headers["x-request-id"])


def test_each_request_gets_an_id_of_its_own(api: Api) -> None:
    ids = {api.get("/livez").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(HEX.fullmatch(request_id) for request_id in ids)


def test_an_unexpected_error_is_told_by_type_and_place(api: Api, town: Town) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]}, reasons=[[{"code": "close_by", "detail": "Secretive is not a list"}]])
    api.get("/v1/me/matches", token_for(me), **{"X-Request-ID": "broken"})
    error, request = lines_of(api, "broken")
    assert (error["level"], error["event"]) == ("error", "request failed")
    assert error["error"] == "InvalidTextRepresentation"
    assert re.search(r"'viewer_matches\.py:\d+ fetch_page'", str(error["where"]))
    assert request["status"] == 500


def test_nobody_is_in_the_log(api: Api, town: Town) -> None:
    me, he = town.person(display_name="Rumpelstiltskin"), town.person("man", display_name="Rapunzel")
    token = token_for(me)
    town.publish({me: [he]})
    for path in ("/v1/me/matches", f"/v1/me/matches?limit=3&secret={he}", f"/v1/me/matches?limit={he}", f"/v1/{he}"):
        api.get(path, token)
    api.get("/v1/me/matches", token[:-2])
    api.get(f"/v1/me/matches?access_token={token}")
    town.publish({me: [he]}, reasons=[[{"code": "close_by", "detail": f"{he} Rapunzel"}]])
    assert api.get("/v1/me/matches", token).status_code == 500
    town.erase(me)
    assert api.get("/v1/me/matches", token, **{"X-Request-ID": "the-last"}).status_code == 403

    assert lines_of(api, "the-last")[0]["status"] == 403
    log = api.log.read_text()
    payload = token.split(".")[1]
    for personal in (
        str(me),
        str(he),
        me.hex,
        he.hex,
        token,
        payload,
        "Rumpelstiltskin",
        "Rapunzel",
        "limit=",
        "secret=",
    ):
        assert personal not in log, personal


def test_every_line_is_json(api: Api) -> None:
    lines = api.log_lines()
    assert str(lines[0]["event"]).startswith("Started server process")
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
