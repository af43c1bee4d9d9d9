"""The pages as Markdown: their blocks, the cells of their tables, the code in their sentences, their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
# The pages whose blocks are all run, and all pages.
RUN = ("README.md", *DOCS, "serving/client/README.md")
ALL = (*RUN, "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@dataclass(frozen=True)
class Block:
    """A block of code. An indented one, which names no language, is taken for commands."""

    page: str
    line: int
    language: str
    argument: str
    """What is behind the language: of `json`, the request."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def read_tokens(page: str) -> tuple[Token, ...]:
    markdown = MarkdownIt("commonmark").enable("table")
    return tuple(markdown.parse((ROOT / page).read_text(encoding="utf-8")))


def read_blocks(page: str) -> list[Block]:
    found = [token for token in read_tokens(page) if token.type in ("fence", "code_block")]
    languages = [token.info.partition(" ")[::2] if token.info else ("sh", "") for token in found]
    return [
        Block(page, (token.map or [0])[0] + 1, *language, token.content)
        for token, language in zip(found, languages, strict=True)
    ]


def read_commands(block: Block) -> Iterator[str]:
    """Each line without its comment; one that sets a variable together with the next, which needs it."""
    kept = ""
    for line in block.text.splitlines():
        kept += re.sub(r"\s+#.*", "", line)
        if kept and not re.match(r"[A-Z]+=", line):
            yield kept
            kept = ""
        else:
            kept += "\n" if kept else ""


def _read_inline(page: str, kind: str) -> list[Token]:
    inline = [each for token in read_tokens(page) if token.type == "inline" for each in token.children or []]
    return [each for each in inline if each.type == kind]


def read_code(page: str) -> list[str]:
    """Everything between backticks in sentences and cells."""
    return [token.content for token in _read_inline(page, "code_inline")]


def read_links(page: str) -> list[str]:
    return [str(token.attrs["href"]) for token in _read_inline(page, "link_open")]


def read_rows(page: str) -> list[list[str]]:
    """The cells of all tables, a row a list, headers among them."""
    found: list[list[str]] = []
    for before, token in pairwise(read_tokens(page)):
        if before.type == "tr_open":
            found.append([])
        if before.type in ("th_open", "td_open"):
            found[-1].append(token.content)
    return found


def read_anchors(page: str) -> set[str]:
    """The names by which GitHub links to a page's headings."""
    headings = [token.content for before, token in pairwise(read_tokens(page)) if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
