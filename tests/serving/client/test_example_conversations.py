"""The conversations of the example in a real Chromium: whose turn it is, what to begin with, and any text."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.client.browsing import Visit, visiting
from tests.serving.client.conftest import Viewer, add_conversation, add_viewer
from tests.serving.client.hostile import add_hostile
from tests.serving.client.test_example import AXE
from tests.serving.client.test_example_texts import check_width
from tests.serving.conftest import Users


def add_talker(users: Users) -> Viewer:
    """A viewer with a conversation of each turn, with the first three of her list."""
    me = add_viewer(users, listed=4, others=1)
    for turn, man in zip(("mine", "theirs", "nobody"), me.listed, strict=False):
        add_conversation(users, me.id, man, turn)
    return me


def open_conversations(visit: Visit, users: Users) -> Viewer:
    me = add_talker(users)
    visit.sign_in(me.id)
    visit.page.get_by_role("link", name="Conversations").click()
    visit.sees("Your turn")
    return me


def test_whose_turn_it_is_and_what_to_begin_with(visit: Visit, users: Users) -> None:
    me = open_conversations(visit, users)
    page, rows = visit.page, visit.page.locator("ol.talks article")
    expect(page.get_by_role("heading", name="Your conversations")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("3 conversations shown, and it is your turn in 1.")
    for row, (name, said) in enumerate(
        (
            ("Emeka, 41", "Emeka wrote 5 minutes ago"),
            ("Jonas, 40", "You wrote 3 hours ago"),
            ("Luís, 39", "You matched"),
        )
    ):
        expect(rows.nth(row)).to_contain_text(name)
        expect(rows.nth(row)).to_contain_text(said)
    expect(page.get_by_role("region", name="To begin with")).to_have_count(1)
    opener = page.get_by_role("button", name="Ask about their answer to “You should know”.")
    opener.click()
    visit.sees("I play the cello.")
    opener.click()
    expect(page.get_by_text("I play the cello.")).to_have_count(0)
    page.get_by_role("link", name="Luís, 39").click()
    expect(page.get_by_role("heading", level=1, name="Luís, 39")).to_be_focused()
    assert page.title() == "Luís, in Delete"
    visit.sees("To begin with", "You both like hiking.", "I play the cello.")
    users.block(me.listed[2], me.id)
    page.reload()
    visit.sees("This conversation is not here any more")
    page.get_by_role("link", name="Back to your conversations").click()
    expect(rows).to_have_count(2)
    users.change(me.id, paused=True)
    page.reload()
    visit.sees("Nobody to talk to yet")
    page.get_by_role("link", name="See your matches").click()
    visit.sees("Your profile is paused")


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light and wide", "dark and narrow"])
def test_axe_finds_conversations_accessible(
    browser: Browser, example: str, users: Users, client: Path, dark: bool, width: int
) -> None:
    with visiting(browser, example, dark, width) as visit:

        def check() -> None:
            visit.page.add_script_tag(path=client / "node_modules" / "axe-core" / "axe.min.js")
            assert visit.page.evaluate(AXE) == []

        open_conversations(visit, users)
        visit.page.get_by_role("button", name="Ask about").first.click()
        check()
        visit.page.get_by_role("link", name="Luís, 39").click()
        visit.sees("Back to your conversations", "Interests")
        check()
        users.run("DELETE FROM app.conversations")
        visit.page.reload()
        visit.sees("This conversation is not here any more")
        check()
        visit.page.get_by_role("link", name="Conversations", exact=True).click()
        visit.sees("Nobody to talk to yet")
        check()


def test_any_text_holds_in_conversations(visit: Visit, users: Users) -> None:
    crowd, page = add_hostile(users), visit.page
    for number, man in enumerate(crowd.published.values()):
        add_conversation(users, crowd.me, man, ("nobody", "mine")[number % 2])
    visit.sign_in(crowd.me)
    page.get_by_role("link", name="Conversations").click()
    expect(page.locator("ol.talks article")).to_have_count(len(crowd.published))
    for opener in page.get_by_role("button", name="Ask about").all():
        opener.click()
    check_width(page)
    addresses = page.locator("ol.talks h2 a").evaluate_all("links => links.map(link => link.href)")
    for address in addresses:
        page.goto(address)
        visit.sees("Back to your conversations")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        check_width(page)
