"""The example in a real Chromium against the real API and database: seen, scrolled, opened and gone wrong."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.serving.client.browsing import CHROMIUM, QUIET, Visit, development_server, site, visiting
from tests.serving.client.conftest import add_viewer, slow
from tests.serving.conftest import Api, Users, serving, token_for, wait_until

AXE = "async () => (await axe.run()).violations.map(found => `${found.impact}: ${found.id}: ${found.nodes[0].html}`)"


@pytest.fixture(scope="module")  # not longer: Playwright keeps this thread's event loop to itself
def browser(client: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no browser here; install Debian's chromium, or Google Chrome")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False)


@pytest.fixture(scope="module")
def example(browser: Browser, tmp_path_factory: pytest.TempPathFactory, api_database: str) -> Iterator[str]:
    with site(tmp_path_factory.mktemp("site"), api_database) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, example: str) -> Iterator[Visit]:
    with visiting(browser, example) as visit:
        yield visit


def test_the_list_and_the_most_compatible_are_shown(visit: Visit, users: Users) -> None:
    me = add_viewer(users)
    visit.sign_in(me.id)
    expect(visit.names()).to_have_count(20)
    assert visit.shown() == me.listed
    expect(visit.page.get_by_role("status")).to_have_text("64 matches shown, that is everyone.")
    card = visit.page.locator("ol.cards article").first
    for text in ("Emeka, 41", "90 percent chance that you both like each other", "You both like hiking and jazz."):
        expect(card).to_contain_text(text)
    today = visit.page.get_by_role("region", name="Most compatible today")
    expect(today).to_contain_text("27 percent")
    today.get_by_role("link").click()
    visit.sees("Why you two", "27%", "The interest is likely to be mutual.")
    assert visit.page.url.endswith(str(me.partner))
    visit.page.reload()
    visit.sees("Why you two")
    visit.click("Sign out")
    expect(visit.page.get_by_label("Your token")).to_be_focused()
    expect(visit.page.get_by_role("alert")).to_be_empty()
    visit.page.reload()
    visit.sees("Your token")


def test_the_button_brings_more_where_nothing_scrolls(visit: Visit, users: Users) -> None:
    """As for users of screen readers; the observer of scrolling is taken away."""
    me = add_viewer(users, listed=44)
    visit.page.add_init_script("IntersectionObserver.prototype.observe = () => {}")
    visit.sign_in(me.id)
    more = visit.page.get_by_role("button", name="Show more matches")
    for shown in (20, 40):
        expect(visit.names()).to_have_count(shown)
        more.focus()
        visit.page.keyboard.press("Enter")
    expect(visit.names()).to_have_count(50)
    expect(more).to_have_count(0)


def test_a_match_opens_by_keyboard_and_back_returns(visit: Visit, users: Users) -> None:
    me = add_viewer(users)
    visit.page.goto(visit.url)
    press, focused = visit.page.keyboard.press, visit.focused
    expect(visit.page.get_by_label("Your token")).to_be_focused()
    visit.page.keyboard.insert_text(token_for(me.id))
    press("Tab")
    press("Enter")
    visit.sees("Most compatible today")
    heading = visit.page.get_by_role("heading", name="Your matches")
    expect(heading).to_be_focused()
    for _ in range(1 + 15):
        press("Tab")
    name, scrolled = focused(), visit.page.evaluate("scrollY")
    assert (name, scrolled > 0) == ("Luís, 39", True)
    press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_be_focused()
    assert (focused(), visit.page.title()) == (name, "Luís, in Delete")
    visit.sees("You should know", "pottery", "4 km away")
    press("Shift+Tab")
    press("Enter")
    expect(visit.names().nth(14)).to_be_focused()
    assert visit.page.evaluate("scrollY") == scrolled
    press("Enter")
    visit.page.wait_for_url("**/#/matches/*")
    visit.page.go_back()
    expect(visit.names().nth(14)).to_be_focused()
    visit.page.goto(f"{visit.url}/#/matches/{users.add('man')}")
    visit.page.reload()
    visit.sees("This person moved on")
    visit.page.get_by_role("link", name="Back to your matches").click()
    expect(heading).to_be_focused()


def test_empty_and_short_lists(visit: Visit, users: Users) -> None:
    me = users.add()
    visit.sign_in(me)
    visit.sees("The first matches are being made.")
    users.publish({me: []})
    visit.page.reload()
    visit.sees("Your next list may bring somebody.")
    expect(visit.page.get_by_text("Most compatible")).to_have_count(0)
    visit.click("Sign out")
    she = add_viewer(users, listed=2, others=3)
    visit.sign_in(she.id)
    assert visit.shown() == she.listed + she.others
    cards = visit.page.locator("ol.cards article").all_inner_texts()
    marked = [("Worth a look" in text, "percent" in text) for text in cards]
    assert marked == [(False, True)] * 2 + [(True, False)] * 3, "similar users have no chance"


def test_likes_are_seen_where_they_are_told(
    browser: Browser, visit: Visit, users: Users, api_database: str, tmp_path: Path
) -> None:
    me = add_viewer(users, listed=2, others=1)
    for man in (likers := me.listed + me.others):
        users.act(man, "like", me.id)
    visit.sign_in(me.id)
    assert visit.shown() == likers
    expect(visit.page.get_by_role("region", name="They like you")).to_have_count(0)
    with site(tmp_path, api_database, MATCHING_LIKES="told") as url, visiting(browser, url) as told:
        told.sign_in(me.id)
        cards = told.page.get_by_role("region", name="They like you").get_by_role("link")
        expect(cards).to_have_count(3)
        hrefs = cards.evaluate_all("links => links.map(link => link.hash)")
        assert hrefs == [f"#/matches/{man}" for man in reversed(likers)]
        cards.first.click()
        told.sees("Why you two")


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
    visit.sign_in(me.id)
    visit.sees("Your list")
    expired = {"authorization": f"Bearer {token_for(me.id, timedelta(hours=-1))}"}
    visit.page.route("**/v1/me/matches?*", lambda route: route.continue_(headers=route.request.headers | expired))
    visit.scroll_until("Please sign in again")
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_a_new_user_waits_for_a_profile_signed_in(visit: Visit, users: Users) -> None:
    me = uuid4()
    visit.sign_in(me)
    visit.sees("There is no profile of yours here")
    users.add(id=me)
    visit.click("Try again now")
    visit.sees("Nobody to show just now")
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
    visit.sees("The service does not answer.", "Try again now")


def test_the_development_server_waits_for_a_limited_api(
    browser: Browser, users: Users, api_database: str, tmp_path: Path
) -> None:
    me = add_viewer(users, listed=50, others=0)
    few = {"MATCHING_RATE_PER_SECOND": "0.2", "MATCHING_RATE_BURST": "3"}
    with (
        serving(api_database, tmp_path / "log", **few) as api,
        development_server(api) as url,
        visiting(browser, url) as visit,
    ):
        visit.sign_in(me.id)
        visit.scroll_until("Trying again in")
        assert visit.shown() == me.listed


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light and wide", "dark and narrow"])
def test_axe_finds_every_state_accessible(
    browser: Browser, example: str, users: Users, client: Path, api_database: str, dark: bool, width: int
) -> None:
    me = add_viewer(users, listed=22, others=6)
    with visiting(browser, example, dark, width) as visit:

        def check() -> None:
            visit.page.add_script_tag(path=client / "node_modules" / "axe-core" / "axe.min.js")
            assert visit.page.evaluate(AXE) == []

        visit.page.goto(example)
        visit.click("Sign in")
        check()
        visit.sign_in(me.id)
        visit.sees("Most compatible today")
        check()
        visit.shown()
        check()
        visit.names().first.click()
        visit.sees("Why you two")
        check()
        with slow(api_database):
            visit.page.reload()
            visit.sees("One moment")
            check()


# Of each card in the list, the share that is on screen.
SHARES = """
cards => cards.map(card => {
  const { top, bottom, height } = card.getBoundingClientRect();
  return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
})
"""


def test_cards_on_screen_for_a_second_are_reported(browser: Browser, api: Api, users: Users) -> None:
    me = add_viewer(users)
    with development_server(api) as url, visiting(browser, url) as visit:
        visit.sign_in(me.id)
        expect(visit.names()).to_have_count(20)
        first = find_seen(visit)
        visit.names().nth(14).scroll_into_view_if_needed()
        second = find_seen(visit)
        assert {1, 15} <= first | second < set(range(1, 21))
        visit.page.goto("about:blank")  # what waits is reported when the page is left
        wait_until(lambda: read_receiver(url)["count"] > len(first | second))
        reported = read_receiver(url)["impressions"]
    listed = [each for each in reported if each["surface"] == "list"]
    assert {each["position"] for each in listed} == first | second
    assert {(each["candidate_id"], each["publication_id"]) for each in listed} == {
        (str(me.listed[position - 1]), me.publication) for position in first | second
    }
    (today,) = (each for each in reported if each["surface"] != "list")
    assert (today["candidate_id"], today["publication_id"]) == (str(me.partner), me.publication)
    assert (today["surface"], today["position"]) == ("most_compatible", None)
    assert all(each["seconds_ago"] >= 0 for each in reported)


def find_seen(visit: Visit) -> set[int]:
    """The positions of which half stays on screen for more than a second."""
    visit.page.wait_for_timeout(1500)
    shares = visit.page.locator("ol.cards article").evaluate_all(SHARES)
    return {position for position, share in enumerate(shares, 1) if share >= 0.5}


def read_receiver(url: str) -> dict[str, Any]:
    """What the receiver of the development server has."""
    received: dict[str, Any] = httpx2.get(f"{url}/impressions").json()
    return received
