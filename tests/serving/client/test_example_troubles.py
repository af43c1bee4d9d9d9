"""The example in a real Chromium when something goes wrong: tokens, lists that change, lost connections."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Browser, Route, expect

from tests.examples.conftest import Backend
from tests.serving.client.browsing import Visit, development_server, visiting
from tests.serving.client.conftest import add_viewer, slow
from tests.serving.conftest import Users, serving, token_for


def test_a_refused_token_is_asked_for_again(visit: Visit, users: Users) -> None:
    me = add_viewer(users)
    visit.page.goto(visit.url)
    field = visit.page.get_by_label("Your token")
    for wrong, message in (
        ("", "Paste your token"),
        ("no token", "not a whole token"),
        ("a.b.c", "Please sign in again"),
    ):
        field.fill(wrong)
        visit.click("Sign in")
        expect(visit.page.get_by_role("alert")).to_contain_text(message)
        expect(field).to_be_focused()
    # From the second page on, which may be asked for as soon as the first one is shown.
    expired = {"authorization": f"Bearer {token_for(me.id, timedelta(hours=-1))}"}
    later = re.compile(r"/v1/me/matches\?.*cursor=")
    visit.page.route(later, lambda route: route.continue_(headers=route.request.headers | expired))
    visit.sign_in(me.id)
    visit.scroll_until("Please sign in again")
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_a_new_user_waits_for_a_profile_signed_in(visit: Visit, users: Users) -> None:
    me = uuid4()
    visit.sign_in(me)
    visit.sees("There is no profile of yours here")
    users.add(id=me)
    visit.click("Try again now")
    visit.sees("The first lists are being made")
    users.erase(me)
    visit.page.reload()
    visit.sees("There is no profile of yours here")


def test_lists_and_candidates_change_meanwhile(visit: Visit, users: Users) -> None:
    me = add_viewer(users)
    visit.sign_in(me.id)
    visit.sees("Your list")
    newer = users.publish({me.id: me.listed[::-1]})
    assert visit.shown() == me.listed
    visit.names().nth(40).click()
    visit.sees("Why you two", "50%")
    visit.page.go_back()
    users.block(me.listed[0], me.id)
    visit.names().first.click()
    visit.sees("Not among your matches any more")
    visit.page.goto(visit.url)
    visit.page.reload()
    visit.sees("Your list")
    users.publish({me.id: me.listed})
    users.run(f"DROP TABLE matching.match_lists_{newer}")
    visit.scroll_until("There is a newer list")
    visit.click("Show the new list")
    assert visit.shown() == me.listed[1:]


def test_a_slow_database_and_a_lost_connection(visit: Visit, users: Users, api_database: str) -> None:
    me = add_viewer(users)
    with slow(api_database):
        visit.sign_in(me.id)
        visit.sees("One moment, please", "Trying again in 5 seconds.")
    visit.click("Try again now")
    expect(visit.names()).to_have_count(20)
    visit.page.context.set_offline(True)
    visit.scroll_until("You are offline")
    visit.page.context.set_offline(False)
    assert visit.shown() == me.listed
    visit.page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
    visit.names().first.click()
    visit.sees("The service cannot be reached", "Trying again in", "Try again now")


PAGE = "<!doctype html><html><body><h1>502 Bad Gateway</h1><p>nginx</p></body></html>"


def test_the_page_of_a_proxy_is_never_shown(visit: Visit, users: Users) -> None:
    """First an error, then a page of its own with status 200, then a failure of the API; then it is back."""
    me = add_viewer(users, listed=3, others=0)
    html, seconds = {"Content-Type": "text/html"}, {"Access-Control-Expose-Headers": "Retry-After", "Retry-After": "1"}
    failures: list[dict[str, Any]] = [
        {"status": 502, "body": PAGE, "headers": html | seconds},
        {"status": 200, "body": PAGE, "headers": html},
        {"status": 500, "json": {"type": "about:blank", "title": "x", "status": 500, "detail": "Traceback: nginx"}},
    ]
    told: list[str] = []

    def fail(route: Route) -> None:
        if not failures:
            return route.fallback()
        if (alert := visit.page.get_by_role("alert")).count():
            told.append(alert.inner_text())
        failure = failures.pop(0)
        allowed = {"Access-Control-Allow-Origin": visit.url} | failure.pop("headers", {})
        return route.fulfill(**failure, headers=allowed)

    visit.page.route("**/v1/me/most-compatible", fail)
    visit.sign_in(me.id)
    visit.sees("The service cannot be reached", "Trying again in a second.")
    expect(visit.names()).to_have_count(3)
    expect(visit.page.get_by_role("alert")).to_have_count(0)
    assert failures == []
    assert len(told) == 2
    assert all("cannot be reached" in text and "Trying again in" in text for text in told)
    assert not any(word in text for text in told for word in ("502", "nginx", "Traceback"))


def test_the_development_server_waits_for_a_limited_api(
    browser: Browser, users: Users, backend: Backend, api_database: str, tmp_path: Path
) -> None:
    me = add_viewer(users, listed=50, others=0)
    few = {"MATCHING_RATE_PER_SECOND": "0.2", "MATCHING_RATE_BURST": "3"}
    with (
        serving(api_database, tmp_path / "log", **few) as api,
        development_server(api, backend) as url,
        visiting(browser, url) as visit,
    ):
        users.act(me.listed[0], "like", me.id)
        visit.choose("Helena")
        visit.scroll_until("Trying again in")
        assert visit.shown() == me.listed
        expect(visit.page.get_by_role("region", name="They like you")).to_have_count(0)
