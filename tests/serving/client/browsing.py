"""The built example in a real Chromium, as users see it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal
from uuid import UUID

from playwright.sync_api import Browser, Locator, Page, expect

from tests.examples.conftest import Backend
from tests.serving.client.conftest import CLIENT, run
from tests.serving.conftest import Api, serving, token_for, wait_until_served
from tests.support.waiting import free_port, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
"""Chromium asks no other servers than the page's own."""
PATIENCE = 120_000
"""Milliseconds: the first visit to a development server is slow where other tests keep both cores busy."""
expect.set_options(timeout=PATIENCE)


@contextmanager
def site(folder: Path, database_url: str, **variables: str) -> Iterator[str]:
    """The URL of the example as it is deployed: built, from one origin, over an API with these variables on another."""
    files = folder / "files"
    files.mkdir()
    serve_files = partial(SimpleHTTPRequestHandler, directory=str(files))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve_files) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}"
        with serving(database_url, folder / "log", MATCHING_CORS_ORIGINS=origin, **variables) as api:
            url = str(api.client.base_url).rstrip("/")
            run("npm", "run", "build", "-w", "example", "--", "--outDir", str(files), VITE_MATCHING_API=url)
            yield origin
        server.shutdown()


@contextmanager
def development_server(api: Api, backend: Backend) -> Iterator[str]:
    """The example as `make example` runs it, at this URL."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(CLIENT / "node_modules" / ".bin" / "vite"), "--port", str(port), "--strictPort"]
    urls = {"MATCHING_API": str(api.client.base_url), "EXAMPLE_BACKEND": str(backend.client.base_url)}
    environment = os.environ | urls
    with subprocess.Popen(command, cwd=CLIENT / "example", env=environment) as process:
        try:
            wait_until_served(url, process)
            yield url
        finally:
            process.terminate()


class Visit:
    """A user's visit to the example; fails at the end if the page threw anything."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.thrown: list[str] = []
        page.on("pageerror", lambda error: self.thrown.append(str(error)))
        page.set_default_timeout(PATIENCE)

    def sign_in(self, person: UUID) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("Your token").fill(token_for(person))
        self.click("Sign in")

    def choose(self, name: str) -> None:
        """Sign in as a simulated person, where there is a backend."""
        self.page.goto(self.url)
        self.page.get_by_role("listitem").get_by_role("button", name=name).click()

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def names(self) -> Locator:
        """The links of the cards in the list."""
        return self.page.locator("ol.cards h3 a")

    def shown(self) -> list[UUID]:
        """All candidates, once the list was scrolled to its end."""
        self.scroll_until("That is everyone for now.")
        hrefs = self.names().evaluate_all("links => links.map(link => link.hash)")
        return [UUID(href.rpartition("/")[2]) for href in hrefs]

    def scroll_until(self, text: str) -> None:
        wanted = self.page.get_by_text(text).filter(visible=True)

        def scrolled() -> bool:
            self.page.mouse.wheel(0, 1500)
            self.page.wait_for_timeout(30)
            return wanted.count() > 0

        until(scrolled)

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.page.evaluate("document.activeElement.innerText")).strip()


@contextmanager
def visiting(browser: Browser, url: str, dark: bool = False, width: int = 1280) -> Iterator[Visit]:
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    with browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}) as context:
        visit = Visit(context.new_page(), url)
        visit.page.mouse.move(width / 2, 400)
        yield visit
        assert visit.thrown == []
