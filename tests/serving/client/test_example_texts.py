"""Any text holds in the example: no word, script or amount of it breaks the page."""

from playwright.sync_api import Page, expect

from tests.serving.client.browsing import Visit
from tests.serving.client.hostile import LINES, PROFILES, add_hostile
from tests.serving.conftest import Users

# Each text that is drawn outside the window, with the side on which it is; and whether the page can be scrolled there.
OUTSIDE = """
() => {
  const found = [];
  const texts = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, range = document.createRange();
    if (text.parentElement.closest(".visually-hidden, [hidden]")) continue;
    range.selectNodeContents(text);
    for (const { left, right } of range.getClientRects())
      if (left < -0.5 || right > innerWidth + 0.5) found.push(`${left} to ${right}: ${text.data.slice(0, 30)}`);
  }
  const width = document.documentElement.scrollWidth;
  return width > innerWidth ? [`the page is ${width} wide`, ...found] : found;
}
"""
# A phone, the same at a zoom of 200 %, and with letters of twice the size.
SCREENS = ((360, "100%"), (180, "100%"), (360, "200%"))


def check_width(page: Page) -> None:
    for width, letters in SCREENS:
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate("size => document.documentElement.style.fontSize = size", letters)
        assert page.evaluate(OUTSIDE) == [], (width, letters)
    page.evaluate("document.documentElement.style.fontSize = ''")


def test_any_text_holds_on_a_phone_and_at_twice_its_size(visit: Visit, users: Users) -> None:
    crowd, page = add_hostile(users), visit.page
    check_width_of_sign_in(visit)
    visit.sign_in(crowd.me)
    for region, cards in (("Most compatible today", 1), ("They like you", 6)):
        expect(page.get_by_role("region", name=region).locator("article")).to_have_count(cards)
    visit.scroll_until("That is everyone for now.")
    assert page.get_by_text("Worth a look").count() == len(PROFILES)
    check_width(page)
    for candidate in crowd.published.values():
        page.goto(f"{visit.url}/#/matches/{candidate}")
        visit.sees("Why you two")
        check_width(page)


def check_width_of_sign_in(visit: Visit) -> None:
    visit.page.goto(visit.url)
    visit.click("Sign in")
    check_width(visit.page)


def test_lines_and_directions_are_as_they_were_written(visit: Visit, users: Users) -> None:
    crowd, page = add_hostile(users), visit.page
    visit.sign_in(crowd.me)
    visit.sees("Your list")
    page.goto(f"{visit.url}/#/matches/{crowd.published['right to left']}")
    visit.sees("Why you two", "working in public service and star sign")
    sections = page.locator("section.answer")
    assert sections.locator("h2").all_inner_texts() == ["About me", "שאלה", "What I am looking for"]
    assert sections.first.locator("p").inner_text() == LINES
    directions = sections.locator("p").evaluate_all("all => all.map(each => getComputedStyle(each).direction)")
    assert directions == ["ltr", "rtl", "rtl"]
    interests = page.locator(".interests li").evaluate_all("all => all.map(each => getComputedStyle(each).direction)")
    assert interests == ["ltr", "rtl", "ltr", "rtl", "rtl"]
    expect(page.get_by_role("heading", level=1)).to_have_text("ליאור בן־דוד, 36")
