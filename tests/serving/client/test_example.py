"""The example in a real Chromium against the real API and database: seen, scrolled, opened and gone wrong."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.serving.client.browsing import CHROMIUM, QUIET, Site, Visit, running, site, visiting
from tests.serving.client.conftest import slow
from tests.serving.client.people import settle
from tests.serving.conftest import Town, token_for

AXE = "async () => (await axe.run()).violations.map(found => `${found.impact}: ${found.id}: ${found.nodes[0].html}`)"


@pytest.fixture(scope="module")  # not longer: Playwright keeps this thread's event loop to itself
def browser(client: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no browser here; install Debian's chromium, or Google Chrome")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False)


@pytest.fixture(scope="module")
def example(browser: Browser, tmp_path_factory: pytest.TempPathFactory, api_database: str) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("site"), api_database) as example:
        yield example


@pytest.fixture
def visit(browser: Browser, example: Site) -> Iterator[Visit]:
    with visiting(browser, example.url) as visit:
        yield visit


def test_the_list_scrolls_to_its_end(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    expect(visit.names()).to_have_count(20)
    visit.scroll_to_the_end()
    assert visit.people() == me.listed
    expect(visit.page.get_by_role("status")).to_have_text("64 matches shown, that is everyone.")
    card = visit.page.locator("ol.cards article").first
    expect(card).to_contain_text("Emeka, 41")
    expect(card).to_contain_text("90 percent chance that you both like each other")
    expect(card).to_contain_text("You both like hiking and jazz.")


def test_the_button_brings_more_where_nothing_scrolls(visit: Visit, town: Town) -> None:
    """As for whoever hears the page; the observer of scrolling is taken away."""
    me = settle(town)
    visit.page.add_init_script("IntersectionObserver.prototype.observe = () => {}")
    visit.sign_in(me.id)
    for shown in (20, 40, 60):
        expect(visit.names()).to_have_count(shown)
        more = visit.page.get_by_role("button", name="Show more matches")
        more.focus()
        visit.page.keyboard.press("Enter")
    expect(visit.names()).to_have_count(64)
    expect(more).to_have_count(0)


def test_a_match_is_opened_by_keyboard_and_back_is_where_one_was(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.page.goto(visit.url)
    press, focused = visit.page.keyboard.press, visit.focused
    expect(visit.page.get_by_label("Your token")).to_be_focused()
    visit.page.keyboard.insert_text(token_for(me.id))
    press("Tab")
    press("Enter")
    visit.sees("Most compatible today")
    expect(visit.page.get_by_role("heading", name="Your matches")).to_be_focused()
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


def test_an_address_opens_a_match_at_once(visit: Visit, town: Town) -> None:
    me, stranger = settle(town), town.person("man")
    visit.sign_in(me.id)
    visit.sees("Your list")
    visit.page.goto(f"{visit.url}/#/matches/{stranger}")
    visit.page.reload()
    visit.sees("This person moved on")
    visit.page.get_by_role("link", name="Back to your matches").click()
    expect(visit.page.get_by_role("heading", name="Your matches")).to_be_focused()


def test_the_most_compatible_of_today(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    today = visit.page.get_by_role("region", name="Most compatible today")
    expect(today).to_contain_text("27 percent")
    expect(today).to_contain_text("The interest is likely to be mutual.")
    today.get_by_role("link").click()
    visit.sees("Why you two", "27%", "The interest is likely to be mutual.")
    assert visit.page.url.endswith(str(me.partner))


def test_likes_are_seen_where_they_are_told(
    browser: Browser, example: Site, town: Town, api_database: str, tmp_path: Path
) -> None:
    me = settle(town, listed=2, others=1)
    for man in (likers := [*me.listed, *me.others]):
        town.act(man, "like", me.id)
    with visiting(browser, example.url) as visit:
        visit.sign_in(me.id)
        visit.scroll_to_the_end()
        expect(visit.page.get_by_role("region", name="They like you")).to_have_count(0)
    with site(tmp_path, api_database, MATCHING_LIKES="told") as telling, visiting(browser, telling.url) as visit:
        visit.sign_in(me.id)
        cards = visit.page.get_by_role("region", name="They like you").get_by_role("link")
        expect(cards).to_have_count(3)
        hrefs = cards.evaluate_all("links => links.map(link => link.hash)")
        assert hrefs == [f"#/matches/{man}" for man in reversed(likers)]
        cards.first.click()
        visit.sees("Why you two")


def test_people_not_on_the_list_are_marked_kindly(visit: Visit, town: Town) -> None:
    me = settle(town, listed=2, others=3)
    visit.sign_in(me.id)
    visit.scroll_to_the_end()
    assert visit.people() == me.listed + me.others
    cards = visit.page.locator("ol.cards article")
    assert [("Worth a look" in text, "percent" in text) for text in cards.all_inner_texts()] == [
        (False, True),
        (False, True),
        (True, False),
        (True, False),
        (True, False),
    ]


def test_a_card_of_a_list_made_anew_meanwhile_opens(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    visit.sees("Most compatible today")
    town.publish({me.id: me.listed[:1]})
    visit.scroll_to_the_end()
    visit.names().nth(40).click()
    visit.sees("Why you two", "50%")


def test_nobody_to_show(visit: Visit, town: Town) -> None:
    me = town.person()
    visit.sign_in(me)
    visit.sees("The first matches are being made.")
    town.publish({me: []})
    visit.page.reload()
    visit.sees("Your next list may bring somebody.")
    expect(visit.page.get_by_text("Most compatible")).to_have_count(0)


def test_a_wrong_token_is_asked_for_again(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.page.goto(visit.url)
    field, button = visit.page.get_by_label("Your token"), visit.page.get_by_role("button", name="Sign in")
    for wrong, answer in (
        ("", "Paste your token"),
        ("no token", "not a whole token"),
        ("a.b.c", "Please sign in again"),
    ):
        field.fill(wrong)
        button.click()
        expect(visit.page.get_by_role("alert")).to_contain_text(answer)
        expect(field).to_be_focused()
    field.fill(token_for(me.id))
    button.click()
    visit.sees("Your list")


def test_who_has_just_joined_waits_for_a_profile_and_need_not_sign_in_again(visit: Visit, town: Town) -> None:
    me = uuid4()
    visit.sign_in(me)
    visit.sees("There is no profile of yours here")
    town.person(id=me)
    visit.page.get_by_role("button", name="Try again now").click()
    visit.sees("Nobody to show just now")
    town.erase(me)
    visit.page.reload()
    visit.sees("There is no profile of yours here")
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_label("Your token")).to_be_focused()
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_a_token_that_ends_while_one_looks_is_asked_for_again(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    visit.sees("Your list")
    ended = {"authorization": f"Bearer {token_for(me.id, timedelta(hours=-1))}"}
    visit.page.route("**/v1/me/matches?*", lambda route: route.continue_(headers=route.request.headers | ended))
    visit.scroll_until_text("Please sign in again")
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_the_session_ends_by_the_button_and_outlives_a_reload(visit: Visit, town: Town) -> None:
    visit.sign_in(settle(town).id)
    visit.sees("Your list")
    visit.page.reload()
    visit.sees("Your list")
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_label("Your token")).to_be_focused()
    expect(visit.page.get_by_role("alert")).to_be_empty()
    visit.page.reload()
    visit.sees("Your token")


def test_a_list_that_is_gone_begins_anew(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    visit.sees("Your list")
    town.publish({me.id: me.listed[::-1]})
    town.run(f"DROP TABLE matching.match_lists_{me.publication}")
    visit.scroll_until_text("There is a newer list")
    visit.page.get_by_role("button", name="Show the new list").click()
    visit.scroll_to_the_end()
    assert visit.people() == me.listed[::-1]


def test_someone_who_is_not_shown_any_more(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    visit.sees("Your list")
    town.block(me.listed[0], me.id)
    visit.names().first.click()
    visit.sees("Not among your matches any more")


def test_a_database_too_slow_is_asked_again(visit: Visit, town: Town, api_database: str) -> None:
    me = settle(town)
    with slow(api_database):
        visit.sign_in(me.id)
        visit.sees("One moment, please", "Trying again in 5 seconds.")
    visit.page.get_by_role("button", name="Try again now").click()
    expect(visit.names()).to_have_count(20)


def test_offline_and_back(visit: Visit, town: Town) -> None:
    me = settle(town)
    visit.sign_in(me.id)
    visit.sees("Your list")
    visit.page.context.set_offline(True)
    visit.scroll_until_text("You are offline")
    visit.page.context.set_offline(False)
    visit.scroll_to_the_end()
    assert visit.people() == me.listed


def test_asked_for_patience_and_then_the_server_is_down(
    browser: Browser, town: Town, api_database: str, tmp_path: Path
) -> None:
    me = settle(town)
    impatient = {"MATCHING_RATE_PER_SECOND": "0.3", "MATCHING_RATE_BURST": "2"}
    with site(tmp_path, api_database, **impatient) as mean, visiting(browser, mean.url) as visit:
        visit.sign_in(me.id)
        visit.scroll_until_text("Trying again in")
        visit.scroll_to_the_end()
        assert visit.people() == me.listed
        mean.api.process.terminate()
        mean.api.process.wait(timeout=20)
        visit.names().first.click()
        visit.sees("The service does not answer.", "Try again now")


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light and wide", "dark and narrow"])
def test_everybody_can_use_it(
    browser: Browser, example: Site, town: Town, client: Path, api_database: str, dark: bool, width: int
) -> None:
    """By axe-core, in every state; and pictures of them in serving/client/example/screenshots."""
    me = settle(town, listed=22, others=6)
    with visiting(browser, example.url, dark, width) as visit:

        def check(name: str) -> None:
            visit.picture(client, f"{name}-{'dark' if dark else 'light'}")
            visit.page.add_script_tag(path=client / "node_modules" / "axe-core" / "axe.min.js")
            assert visit.page.evaluate(AXE) == []

        visit.page.goto(example.url)
        visit.page.get_by_role("button", name="Sign in").click()
        check("sign-in")
        visit.sign_in(me.id)
        visit.sees("Most compatible today")
        check("list")
        visit.scroll_to_the_end()
        check("end")
        visit.names().first.click()
        visit.sees("Why you two")
        check("match")
        with slow(api_database):
            visit.page.reload()
            visit.sees("One moment")
            check("trouble")


def test_the_development_server_passes_questions_on(browser: Browser, example: Site, town: Town, client: Path) -> None:
    me = settle(town)
    with running(client, MATCHING_API=str(example.api.client.base_url)) as url, visiting(browser, url) as visit:
        visit.sign_in(me.id)
        expect(visit.names()).to_have_count(20)
        visit.scroll_to_the_end()
        assert visit.people() == me.listed
