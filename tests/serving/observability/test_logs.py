"""The log: JSON, one line a request, without personal data."""

import re
from http import HTTPStatus
from uuid import uuid4

from tests.serving.conftest import UNEXPECTED, Api, Users, problem, token_for
from tests.support.waiting import until

HEX = re.compile(r"[0-9a-f]{32}")


def lines_of(api: Api, request_id: str) -> list[dict[str, object]]:
    """The lines of a request; the last of them is written just after the response is sent."""

    def lines() -> list[dict[str, object]]:
        return [line for line in api.log_lines() if line.get("request_id") == request_id]

    until(lambda: any(line["event"] == "request" for line in lines()))
    return lines()


def test_one_line_a_request(api: Api, users: Users) -> None:
    token = token_for(users.add())
    for path, route, status in (
        ("/v1/me/matches?limit=7", "/v1/me/matches", 200),
        ("/v1/me/similar?limit=x", "/v1/me/similar", 422),
        ("/livez", "/livez", 200),
        ("/v1/people/7", "none", 404),
    ):
        request_id = f"a.b_c-{uuid4().hex}"
        response = api.get(path, token, **{"X-Request-ID": request_id})
        assert response.headers["x-request-id"] == request_id
        [line] = lines_of(api, request_id)
        assert float(str(line.pop("ms"))) > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(line.pop("timestamp")))
        expected = {"event": "request", "level": "info", "request_id": request_id, "method": "GET"}
        assert line == expected | {"route": route, "status": status}


def test_a_request_id_that_is_missing_or_unsafe_is_replaced(api: Api) -> None:
    given: list[dict[bytes, bytes]] = [{}, {}]
    given += [{b"X-Request-ID": unsafe} for unsafe in (b"", b"a b", b"x" * 65, b"\xe4", b'{"level":"error"}', b"a\tb")]
    chosen = {api.client.get("/livez", headers=each).headers["x-request-id"] for each in given}
    assert len(chosen) == len(given)
    assert all(HEX.fullmatch(request_id) for request_id in chosen)


def test_an_unexpected_error_is_a_bare_500(api: Api, users: Users) -> None:
    me, he = users.add(), users.add("man", display_name="Secretive")
    users.publish({me: [he]}, reasons=UNEXPECTED)
    response = api.me(me, "matches", **{"X-Request-ID": "broken"})
    problem(response, HTTPStatus.INTERNAL_SERVER_ERROR, "about:blank")
    assert "Secretive" not in response.text
    error, request = lines_of(api, "broken")
    assert (error["level"], error["error"], request["status"]) == ("error", "InvalidTextRepresentation", 500)
    assert re.search(r"'viewer_matches\.py:\d+ fetch_page'", str(error["where"]))


def test_neither_log_nor_metrics_name_anyone(api: Api, users: Users) -> None:
    me, he = users.add(display_name="Rumpelstiltskin"), users.add("man", display_name="Rapunzel")
    token = token_for(me)
    users.publish({me: [he]})
    for path in (
        "me/matches",
        f"me/matches/{he}",
        f"me/matches?limit=3&secret={he}",
        f"me/matches?limit={he}",
        str(he),
    ):
        api.get(f"/v1/{path}", token)
    api.get("/v1/me/matches", token[:-2])
    api.get(f"/v1/me/matches?access_token={token}")
    users.publish({me: [he]}, reasons=[[{"code": "close_by", "detail": f"{he} Rapunzel"}]])
    assert api.matches(me).status_code == 500
    users.erase(me)
    assert api.me(me, "matches", **{"X-Request-ID": "the-last"}).status_code == 403
    assert lines_of(api, "the-last")[0]["status"] == 403
    lines = api.log_lines()
    assert str(lines[0]["event"]).startswith("Started server process")
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    log = api.log.read_text()
    metrics = "\n".join(line for line in api.get("/metrics").text.splitlines() if not line.startswith("#"))
    payload = token.split(".")[1]
    for personal in (str(me), str(he), me.hex, he.hex, payload, "Rumpelstiltskin", "Rapunzel", "limit=", "secret="):
        assert personal not in log + metrics, personal
