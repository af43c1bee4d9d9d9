"""The example in a real Chromium against the real API and database: seen, scrolled and opened."""

from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.examples.conftest import Backend
from tests.serving.client.browsing import Visit, development_server, visiting
from tests.serving.client.conftest import add_viewer, slow
from tests.serving.conftest import Api, Users, token_for
from tests.support.waiting import until

AXE = "async () => (await axe.run()).violations.map(found => `${found.impact}: ${found.id}: ${found.nodes[0].html}`)"


def test_the_list_and_the_most_compatible_are_shown(visit: Visit, users: Users) -> None:
    me = add_viewer(users)
    visit.sign_in(me.id)
    expect(visit.names()).to_have_count(20)
    assert visit.shown() == me.listed
    expect(visit.page.get_by_role("status")).to_have_text("64 matches shown, that is everyone.")
    card = visit.page.locator("ol.cards article").first
    for text in ("Emeka, 41", "90% chance that you both like each other", "You both like hiking and jazz."):
        expect(card).to_contain_text(text)
    today = visit.page.get_by_role("region", name="Most compatible today")
    expect(today).to_contain_text("27%")
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
    visit.sees("The first lists are being made")
    users.publish({me: []})
    visit.click("Look again")
    visit.sees("Nobody fits just now")
    users.change(me, paused=True)
    visit.page.reload()
    visit.sees("Your profile is paused")
    expect(visit.page.get_by_text("Most compatible")).to_have_count(0)
    visit.click("Sign out")
    she = add_viewer(users, listed=2, others=3)
    visit.sign_in(she.id)
    assert visit.shown() == she.listed + she.others
    cards = visit.page.locator("ol.cards article").all_inner_texts()
    marked = [("Worth a look" in text, "%" in text) for text in cards]
    assert marked == [(False, True)] * 2 + [(True, False)] * 3, "similar users have no chance"


def test_likes_are_seen_where_they_are_told(visit: Visit, users: Users) -> None:
    """And those who like her are not shown again below."""
    me = add_viewer(users, listed=2, others=1)
    likers = [me.listed[1], *me.others]
    for man in likers:
        users.act(man, "like", me.id)
    visit.sign_in(me.id)
    cards = visit.page.get_by_role("region", name="They like you").get_by_role("link")
    expect(cards).to_have_count(2)
    assert visit.shown() == [*reversed(likers), me.listed[0]]
    cards.first.click()
    visit.sees("Why you two")


def test_the_most_compatible_is_shown_once_and_low_chances_not(visit: Visit, users: Users) -> None:
    me, men = users.add(), users.men(3)
    publication = users.publish({me: men}, p_match=[0.1, 0.5, 0.2])
    users.pair(publication, me, men[1], 0.5)
    users.act(men[1], "like", me)
    visit.sign_in(me)
    assert visit.shown() == [men[0], men[2]]
    today = visit.page.get_by_role("region", name="Most compatible today")
    expect(today).to_contain_text("Likes you")
    expect(visit.page.get_by_role("region", name="They like you")).to_have_count(0)
    cards = visit.page.locator("article").all_inner_texts()
    assert ["%" in text for text in cards] == [True, False, True]
    visit.click("Back to the top")
    expect(visit.page.get_by_role("heading", name="Your matches")).to_be_focused()


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light and wide", "dark and narrow"])
def test_axe_finds_every_state_accessible(
    browser: Browser, example: str, users: Users, client: Path, api_database: str, dark: bool, width: int
) -> None:
    me = add_viewer(users, listed=22, others=6)
    for man in (me.partner, *me.others[:2]):
        users.act(man, "like", me.id)
    with visiting(browser, example, dark, width) as visit:

        def check() -> None:
            visit.page.add_script_tag(path=client / "node_modules" / "axe-core" / "axe.min.js")
            assert visit.page.evaluate(AXE) == []

        visit.page.goto(example)
        visit.click("Sign in")
        check()
        visit.sign_in(me.id)
        visit.sees("Most compatible today", "They like you", "Likes you")
        check()
        visit.scroll_until("That is everyone for now.")
        check()
        visit.names().first.click()
        visit.sees("Why you two")
        check()
        with slow(api_database):
            visit.page.reload()
            visit.sees("One moment")
            check()


VIEWS = "SELECT surface, candidate_id, publication_id, position FROM app.views WHERE viewer_id = %s"
# Of each card in the list, the share that is on screen.
SHARES = """
cards => cards.map(card => {
  const { top, bottom, height } = card.getBoundingClientRect();
  return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
})
"""


def test_cards_on_screen_for_a_second_are_reported(
    browser: Browser, telling: Api, backend: Backend, users: Users
) -> None:
    me = add_viewer(users)
    for man in me.others:
        users.act(man, "like", me.id)
    with development_server(telling, backend) as url, visiting(browser, url) as visit:
        visit.choose("Helena")
        listed = visit.page.get_by_role("region", name="Your list").locator("article")
        liking = visit.page.get_by_role("region", name="They like you").locator("article")
        expect(listed).to_have_count(20)
        expect(liking).to_have_count(6)
        visit.page.wait_for_timeout(1500)
        visit.page.mouse.wheel(0, 700)
        likes = find_seen(liking)
        assert likes
        seen = find_seen(listed)
        listed.nth(14).scroll_into_view_if_needed()
        seen |= find_seen(listed)
        visit.page.goto("about:blank")  # what waits is reported when the page is left
        until(lambda: users.connection.execute(VIEWS, [me.id]).rowcount > len(seen | likes))
        reported = users.connection.execute(VIEWS, [me.id]).fetchall()

    def report(surface: str) -> set[tuple[UUID, int | None, int | None]]:
        return {tuple(view) for where, *view in reported if where == surface}

    assert 15 <= max(position for _, _, position in report("list") if position is not None) <= 20
    for candidate, publication, position in report("list"):
        assert position is not None
        assert (candidate, publication) == (me.listed[position - 1], me.publication)
    assert seen <= {candidate for candidate, _, _ in report("list")}
    assert report("likes") >= {(man, None, None) for man in likes}
    assert report("likes") <= {(man, None, None) for man in me.others}
    assert report("most_compatible") == {(me.partner, me.publication, None)}
    assert users.connection.execute("SELECT FROM app.views WHERE shown_at > now()").rowcount == 0


def find_seen(cards: Locator) -> set[UUID]:
    """The candidates of which half of the card stays on screen for more than a second."""
    cards.page.wait_for_timeout(1500)
    shares = cards.evaluate_all(SHARES)
    links = cards.locator("h3 a").evaluate_all("links => links.map(link => link.hash)")
    return {UUID(link.rpartition("/")[2]) for share, link in zip(shares, links, strict=True) if share >= 0.5}
