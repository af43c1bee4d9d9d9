"""The loop of the example in a real Chromium, with its backend: what is pressed is written, and the API shows it."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.serving.client.browsing import Visit, visiting
from tests.serving.client.conftest import Viewer, add_conversation, add_viewer
from tests.serving.client.hostile import ARABIC, LONG, PROFILES, add_hostile
from tests.serving.client.test_example import AXE
from tests.serving.client.test_example_texts import check_width
from tests.serving.conftest import Api, Users
from tests.support.waiting import until

DECISIONS = "SELECT target_id, kind, publication_id, position, surface FROM app.interactions WHERE actor_id = %s"
PHONE = 360


def enter(visit: Visit, users: Users, listed: int = 4) -> Viewer:
    me = add_viewer(users, listed=listed, others=1)
    visit.choose("Helena")
    visit.sees("Your list")
    return me


def get_card(visit: Visit, name: str) -> Locator:
    return visit.page.locator("article.card").filter(has=visit.page.get_by_role("heading", name=name))


def get_toast(visit: Visit) -> Locator:
    return visit.page.locator(".toast")


def get_decisions(users: Users, me: UUID) -> list[tuple[object, ...]]:
    return users.connection.execute(DECISIONS, [me]).fetchall()


def await_decisions(users: Users, me: UUID, *expected: tuple[object, ...]) -> None:
    """A decision is on the page before it is saved."""
    until(lambda: get_decisions(users, me) == list(expected), seconds=120)


def fail_once(page: Page, path: str) -> None:
    """The next request to the backend at this path does not reach it."""
    page.route(re.compile(f"/backend/{path}"), lambda route: route.abort(), times=1)


def test_a_like_a_match_a_conversation_and_the_answer(stay: Visit, telling: Api, users: Users) -> None:
    me, page = enter(stay, users), stay.page
    users.act(me.listed[1], "like", me.id)
    page.reload()
    likes = page.get_by_role("region", name="They like you")
    likes.get_by_role("button", name="Like Jonas").click()
    expect(get_toast(stay)).to_contain_text("You and Jonas like each other!")
    expect(likes).to_have_count(0)
    assert get_decisions(users, me.id) == [(me.listed[1], "like", None, None, "likes")]
    page.get_by_role("link", name="Write").click()
    expect(page.get_by_role("heading", level=1, name="Jonas, 40")).to_be_focused()
    stay.sees("Nobody has written yet.", "To begin with")
    field = page.get_by_label("Your message to Jonas")
    field.fill("  Which piece do you play?\n  And where? ")
    stay.click("Send")
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Which piece do you play?\n  And where?")
    expect(field).to_have_value("")
    stay.sees("You wrote")
    expect(page.get_by_role("region", name="To begin with")).to_have_count(0)
    page.get_by_role("switch", name="Let our words be counted").click()
    stay.sees("You agree. It is off until the other agrees, too.")
    stay.click("Continue as Jonas")
    expect(page.get_by_role("heading", level=1, name="Helena")).to_be_focused()
    stay.sees("Your turn", "Which piece do you play?")
    page.get_by_role("switch", name="Let our words be counted").click()
    stay.sees("Both of you agree: it is on.")
    page.get_by_label("Your message to Helena").fill("The second suite.")
    page.keyboard.press("Control+Enter")
    expect(log).to_contain_text("The second suite.")
    texts = users.connection.execute("SELECT body FROM app.message_texts").fetchall()
    assert texts == [("The second suite.",)], "only what was written after both agreed"
    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="End").click()
    stay.sees("This conversation is over.", "It ended")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert telling.read(me.id, "conversations")["conversations"][0]["closed"] is True


def test_a_message_that_was_not_sent_is_kept_and_sent_once(stay: Visit, users: Users) -> None:
    me, page = add_viewer(users, listed=1, others=0), stay.page
    conversation = add_conversation(users, me.id, me.listed[0], "nobody")
    stay.choose("Helena")
    stay.sees("Your list")
    page.goto(f"{stay.url}/#/conversations/{conversation}")
    field = page.get_by_label("Your message to Emeka")

    def lose_response(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(re.compile(r"/messages/"), lose_response, times=1)
    field.fill("Hello")
    stay.click("Send")
    stay.sees("This was not sent. Your words are still here")
    expect(field).to_have_value("Hello")
    stay.click("Send")
    expect(field).to_have_value("")
    assert users.connection.execute("SELECT FROM app.messages").rowcount == 1


def test_a_pass_is_undone_by_keyboard_and_a_reload_shows_what_is_saved(stay: Visit, users: Users) -> None:
    me, page = enter(stay, users), stay.page
    card = get_card(stay, "Emeka")
    card.get_by_role("button", name="Pass on Emeka").focus()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    page.keyboard.press("Escape")
    expect(get_toast(stay)).to_have_count(0)
    expect(get_card(stay, "Jonas").get_by_role("link")).to_be_focused()
    passed = (me.listed[0], "pass", me.publication, 1, "list")
    await_decisions(users, me.id, passed)
    page.reload()
    expect(get_card(stay, "Jonas")).to_be_visible()
    expect(card).to_have_count(0)
    get_card(stay, "Jonas").get_by_role("button", name="Like Jonas").press("Enter")
    expect(undo).to_be_focused()
    until(lambda: len(get_decisions(users, me.id)) == 2, seconds=120)
    page.keyboard.press("Enter")
    expect(get_card(stay, "Jonas")).to_be_visible()
    await_decisions(users, me.id, passed)
    page.reload()
    expect(get_card(stay, "Jonas")).to_be_visible()


def test_what_cannot_be_saved_is_said_and_is_back(stay: Visit, users: Users) -> None:
    me, page = enter(stay, users), stay.page
    fail_once(page, "decisions")
    get_card(stay, "Emeka").get_by_role("button", name="Like").click()
    expect(get_toast(stay)).to_contain_text("Your like of Emeka was not saved.")
    expect(get_card(stay, "Emeka")).to_be_visible()
    get_card(stay, "Jonas").get_by_role("button", name="Like").click()
    expect(get_toast(stay)).to_have_count(2)
    stay.click("Try again")
    expect(get_card(stay, "Emeka")).to_have_count(0)
    fail_once(page, "decisions")
    of_emeka = get_toast(stay).filter(has_text="Emeka")
    of_emeka.get_by_role("button", name="Undo").click()
    expect(of_emeka).to_contain_text("could not be undone")
    expect(get_card(stay, "Emeka")).to_have_count(0)
    until(lambda: {target for target, *_ in get_decisions(users, me.id)} == {*me.listed[:2]}, seconds=120)


def test_a_profile_is_decided_on_with_its_card_and_blocked(stay: Visit, telling: Api, users: Users) -> None:
    me, page = enter(stay, users), stay.page
    get_card(stay, "Luís").get_by_role("link").click()
    stay.sees("Why you two")
    page.get_by_role("button", name="Like Luís").click()
    expect(get_toast(stay)).to_contain_text("You liked Luís.")
    stay.sees("Your list")
    await_decisions(users, me.id, (me.listed[2], "like", me.publication, 3, "list"))
    get_card(stay, "Jonas").get_by_role("link").click()
    block = page.get_by_role("button", name="Block")
    block.click()
    dialog = page.get_by_role("dialog", name="Block Jonas?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(block).to_be_focused()
    block.click()
    fail_once(page, "blocks")
    dialog.get_by_role("button", name="Block").click()
    expect(dialog.get_by_role("alert")).to_contain_text("This was not saved.")
    assert me.listed[1] in telling.shown(me.id)
    dialog.get_by_role("button", name="Block").click()
    expect(get_toast(stay)).to_contain_text("You blocked Jonas.")
    expect(get_card(stay, "Jonas")).to_have_count(0)
    assert me.listed[1] not in telling.shown(me.id)
    assert telling.shown(me.listed[1]) == []
    page.goto(f"{stay.url}/#/matches/{me.partner}")
    page.reload()
    page.get_by_role("button", name="Pass on").click()
    expect(get_toast(stay)).to_contain_text("You passed on")
    nobody_knows_the_card = (me.partner, "pass", None, None, None)
    until(lambda: nobody_knows_the_card in get_decisions(users, me.id), seconds=120)


def test_a_pause_is_on_every_page_until_it_ends(stay: Visit, users: Users) -> None:
    enter(stay, users)
    page = stay.page
    fail_once(page, "me/paused")
    stay.click("Helena")
    stay.click("Pause my profile")
    expect(get_toast(stay)).to_contain_text("Your profile could not be paused.")
    banner = page.get_by_role("region", name="Pause")
    expect(banner).to_have_count(0)
    stay.click("Try again")
    expect(banner).to_contain_text("You are paused.")
    stay.sees("Your profile is paused")
    page.get_by_role("link", name="Conversations").click()
    expect(banner).to_be_visible()
    page.reload()
    banner.get_by_role("button", name="Resume").click()
    expect(banner).to_have_count(0)
    page.get_by_role("link", name="Matches", exact=True).click()
    stay.sees("Your list")


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, PHONE)], ids=["light and wide", "dark and narrow"])
def test_axe_finds_the_loop_accessible(
    browser: Browser, whole_example: str, users: Users, client: Path, dark: bool, width: int
) -> None:
    me = add_viewer(users, listed=4, others=1)
    users.act(me.listed[1], "like", me.id)
    conversation = add_conversation(users, me.id, me.listed[2], "mine")
    with visiting(browser, whole_example, dark, width) as visit:
        page = visit.page

        def check() -> None:
            page.add_script_tag(path=client / "node_modules" / "axe-core" / "axe.min.js")
            assert page.evaluate(AXE) == []

        page.goto(whole_example)
        visit.sees("Choose whom you want to be", "Helena")
        check()
        visit.choose("Helena")
        visit.sees("They like you", "Your list")
        fail_once(page, "decisions")
        get_card(visit, "Emeka").get_by_role("button", name="Like").click()
        visit.sees("was not saved")
        get_card(visit, "Jonas").get_by_role("button", name="Like").click()
        visit.sees("You and Jonas like each other!")
        check()
        get_card(visit, "Emeka").get_by_role("link").click()
        visit.sees("Why you two")
        page.get_by_role("button", name="Block").click()
        visit.sees("Block Emeka?")
        check()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.goto(f"{whole_example}/#/conversations/{conversation}")
        visit.sees("A simulated message, without words", "Let our words be counted")
        page.get_by_role("switch").click()
        visit.sees("You agree. It is off until the other agrees, too.")
        check()
        visit.click("Helena")
        check()
        visit.click("Pause my profile")
        visit.sees("You are paused.", "This conversation is not here any more")
        check()


def test_hostile_profiles_hold_in_the_loop(stay: Visit, users: Users) -> None:
    crowd, page = add_hostile(users), stay.page
    name = str(PROFILES["long words"]["display_name"])
    users.change(crowd.me, source_key="simulated:1-2000:0", display_name=name)
    conversation = add_conversation(users, crowd.me, crowd.published["right to left"], "nobody")
    page.goto(stay.url)
    check_width(page)
    stay.choose(name[:20])
    stay.sees("Your list")
    page.get_by_role("button", name=f"Like {LONG[:30]}").last.click()
    stay.sees("You liked")
    check_width(page)
    for candidate in crowd.published.values():
        page.goto(f"{stay.url}/#/matches/{candidate}")
        if candidate != crowd.published["long words"]:
            stay.sees("Why you two")
            stay.click("Block")
            check_width(page)
            page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.goto(f"{stay.url}/#/conversations/{conversation}")
    page.get_by_label("Your message to").fill(f"{LONG}\n{ARABIC} {'🎉' * 300}")
    stay.click("Send")
    expect(page.get_by_role("log")).to_contain_text(ARABIC)
    check_width(page)
    page.get_by_role("banner").get_by_role("button", name=name[:20]).click()
    stay.click("Pause my profile")
    stay.sees("You are paused.")
    check_width(page)
