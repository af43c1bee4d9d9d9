"""The built example in a real Chromium, as somebody uses it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Literal, NamedTuple
from uuid import UUID

import httpx2
from playwright.sync_api import Browser, Locator, Page, expect

from tests.serving.client.conftest import run
from tests.serving.conftest import Api, serving, token_for

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
"""Chromium asks nobody but the page's own servers."""
PATIENCE = 120
"""Seconds: a first visit to a development server takes many of them where other tests keep both cores busy."""
expect.set_options(timeout=PATIENCE * 1000)


class Site(NamedTuple):
    """The example, and the API on another origin that it asks."""

    url: str
    api: Api


@contextmanager
def site(folder: Path, database_url: str, **variables: str) -> Iterator[Site]:
    """The example as it is deployed: built, from one origin, over an API on another."""
    files = folder / "files"
    files.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(files))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}"
        with serving(database_url, folder / "log", MATCHING_CORS_ORIGINS=origin, **variables) as api:
            address = str(api.client.base_url).rstrip("/")
            run("npm", "run", "build", "-w", "example", "--", "--outDir", str(files), VITE_MATCHING_API=address)
            yield Site(origin, api)
        server.shutdown()


class Files(SimpleHTTPRequestHandler):
    """Files without a log."""

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 -- the name is http.server's
        """Nothing."""


class Visit:
    """One person's look at the example; fails at the end if the page threw anything."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.thrown: list[str] = []
        page.on("pageerror", lambda error: self.thrown.append(str(error)))
        page.set_default_timeout(PATIENCE * 1000)

    def sign_in(self, person: UUID) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("Your token").fill(token_for(person))
        self.page.get_by_role("button", name="Sign in").click()

    def names(self) -> Locator:
        """The links of the cards in the list."""
        return self.page.locator("ol.cards h3 a")

    def people(self) -> list[UUID]:
        """Who is in the list so far, in order."""
        hrefs = self.names().evaluate_all("links => links.map(link => link.hash)")
        return [UUID(href.rpartition("/")[2]) for href in hrefs]

    def scroll_to_the_end(self) -> None:
        """Scroll until there is nobody more."""
        self.scroll_until_text("That is everyone for now.")

    def scroll_until_text(self, text: str) -> None:
        """Scroll as people do, until there is this to read."""
        wanted = self.page.get_by_text(text).filter(visible=True)
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            if wanted.count():
                return
            self.page.mouse.wheel(0, 1500)
            self.page.wait_for_timeout(30)
        raise AssertionError(f"scrolling never shows {text!r}: {self.page.inner_text('body')}")

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def picture(self, client: Path, name: str) -> None:
        """Keep what is seen, for people to look at; git ignores the folder."""
        self.page.screenshot(path=client / "example" / "screenshots" / f"{name}.png")

    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.page.evaluate("document.activeElement.innerText")).strip()


@contextmanager
def visiting(browser: Browser, url: str, dark: bool = False, width: int = 1280, height: int = 800) -> Iterator[Visit]:
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    with browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height}) as context:
        visit = Visit(context.new_page(), url)
        visit.page.mouse.move(width / 2, height / 2)
        yield visit
        assert visit.thrown == []


@contextmanager
def running(client: Path, **variables: str) -> Iterator[str]:
    """The example as `make example` runs it, at this URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    vite = client / "node_modules" / ".bin" / "vite"
    command = [str(vite), "--port", str(port), "--strictPort"]
    with subprocess.Popen(command, cwd=client / "example", env=os.environ | variables) as process:
        try:
            wait_until_served(url, process)
            yield url
        finally:
            process.terminate()


def wait_until_served(url: str, process: subprocess.Popen[bytes]) -> None:
    """Asks the server itself: what it prints differs with the terminal (colours under `CI=true`)."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        assert process.poll() is None, f"the development server ended with exit code {process.returncode}"
        with suppress(httpx2.TransportError):
            httpx2.get(url)
            return
        sleep(0.1)
    raise AssertionError(f"the development server does not answer at {url}")
