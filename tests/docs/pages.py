"""The pages as Markdown: their blocks, the cells of their tables, the code in their sentences, their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
RUN = ("README.md", *DOCS, "serving/client/README.md")
"""The pages whose blocks are all run."""
ALL = (*RUN, "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram-v2", "erDiagram")
"""The types of Mermaid diagrams in the pages."""


@dataclass(frozen=True)
class Block:
    """A block of code. An indented one, which names no language, is taken for commands."""

    page: str
    line: int
    language: str
    argument: str
    """What stands behind the language: of `json`, the request that it answers."""
    text: str


@cache
def tokens(page: str) -> tuple[Token, ...]:
    markdown = MarkdownIt("commonmark").enable("table")
    return tuple(markdown.parse((ROOT / page).read_text(encoding="utf-8")))


def blocks(page: str) -> list[Block]:
    found = [token for token in tokens(page) if token.type in ("fence", "code_block")]
    return [
        Block(
            page,
            (token.map or [0])[0] + 1,
            *(token.info.partition(" ")[::2] if token.info else ("sh", "")),
            token.content,
        )
        for token in found
    ]


def commands(block: Block) -> Iterator[str]:
    """Each line without its comment; one that sets a variable goes together with the next, which needs it."""
    kept = ""
    for line in block.text.splitlines():
        kept += re.sub(r"\s+#.*", "", line)
        if kept and not re.match(r"[A-Z]+=", line):
            yield kept
            kept = ""
        else:
            kept += "\n" if kept else ""


def code(page: str) -> list[str]:
    """Everything between backticks in sentences and cells."""
    inline = [each for token in tokens(page) if token.type == "inline" for each in token.children or []]
    return [each.content for each in inline if each.type == "code_inline"]


def rows(page: str) -> list[list[str]]:
    """The cells of all tables, a row a list, headers among them."""
    found: list[list[str]] = []
    for before, token in zip(tokens(page), tokens(page)[1:], strict=False):
        if before.type == "tr_open":
            found.append([])
        if before.type in ("th_open", "td_open"):
            found[-1].append(token.content)
    return found


def links(page: str) -> list[str]:
    inline = [each for token in tokens(page) if token.type == "inline" for each in token.children or []]
    return [str(each.attrs["href"]) for each in inline if each.type == "link_open"]


def anchors(page: str) -> set[str]:
    """The names by which GitHub links to a page's headings."""
    pairs = zip(tokens(page), tokens(page)[1:], strict=False)
    headings = [token.content for before, token in pairs if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
