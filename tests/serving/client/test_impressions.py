"""Impressions of the example in a real Chromium, as its development server receives them."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.serving.client.people import settle

from tests.serving.client.browsing import CHROMIUM, PATIENCE, QUIET, Visit, running, visiting
from tests.serving.conftest import Api, Town

# Of each card in the list, the share that is on screen.
SHARES = """
cards => cards.map(card => {
  const { top, bottom, height } = card.getBoundingClientRect();
  return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
})
"""


@pytest.fixture(scope="module")  # not longer: Playwright keeps this thread's event loop to itself
def browser(client: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no browser here; install Debian's chromium, or Google Chrome")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False)


def test_cards_on_screen_for_a_second_are_reported(browser: Browser, api: Api, town: Town, client: Path) -> None:
    me = settle(town)
    with running(client, MATCHING_API=str(api.client.base_url)) as url, visiting(browser, url) as visit:
        visit.sign_in(me.id)
        expect(visit.names()).to_have_count(20)
        first = seen(visit)
        visit.names().nth(14).scroll_into_view_if_needed()
        second = seen(visit)
        assert {1, 15} <= first | second < set(range(1, 21))
        visit.page.goto("about:blank")  # what waits is reported when the page is left
        reported = await_reports(url, len(first | second) + 1)
    listed = [each for each in reported if each["surface"] == "list"]
    assert {each["position"] for each in listed} == first | second
    assert {(each["candidate_id"], each["publication_id"]) for each in listed} == {
        (str(me.listed[position - 1]), me.publication) for position in first | second
    }
    (today,) = (each for each in reported if each["surface"] != "list")
    assert (today["candidate_id"], today["publication_id"]) == (str(me.partner), me.publication)
    assert (today["surface"], today["position"]) == ("most_compatible", None)
    assert all(0 <= float(str(each["seconds_ago"])) < PATIENCE for each in reported)


def seen(visit: Visit) -> set[int]:
    """The positions of which half stays on screen for more than a second."""
    visit.page.wait_for_timeout(1500)
    shares = visit.page.locator("ol.cards article").evaluate_all(SHARES)
    return {position for position, share in enumerate(shares, 1) if share >= 0.5}


def await_reports(url: str, count: int) -> list[dict[str, object]]:
    """What the receiver has once it has so many."""
    deadline = monotonic() + PATIENCE
    while True:
        received = httpx2.get(f"{url}/impressions").json()
        if received["count"] >= count:
            return list(received["impressions"])
        assert monotonic() < deadline, f"{received['count']} of {count} impressions came"
