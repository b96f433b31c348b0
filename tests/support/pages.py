"""The pages for readers, each in Chinese and in English, and what a page of Markdown is made of.

`docs/NAME.md` is the Chinese page and `docs/en/NAME.md` the same page in English; elsewhere the English one
is `NAME.en.md` beside `NAME.md`. `python -m tests.support.pages` points the links of each page at pages in
its own language."""

import re
from dataclasses import dataclass, field
from functools import cache
from os.path import normpath, relpath
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
# a record of changes that is only added to, and a list that a program writes
ALONE = ("CHANGELOG.md", "THIRD-PARTY.md")
_COMMENT = re.compile(r"(?:^|\s+)(?:#|//)(?:\s.*)?$")
_QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|「[^」]*」|《[^》]*》|\"[^\"]*\"")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(slots=True)
class Page:
    """A page taken apart. `prose` is what is read in flow, by paragraph and cell: without code, without what
    stands in quotation marks, without what is set in italics (the names of works)."""

    headings: list[int] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)  # lines without their comments
    tables: list[list[list[str]]] = field(
        default_factory=list
    )  # the code of a cell of code; else ""
    links: set[str] = field(default_factory=set)
    prose: list[str] = field(default_factory=list)


def english_of(chinese: str) -> str:
    """The name of the English page beside a Chinese one, from the root of the tree."""
    if chinese.startswith("docs/"):
        return f"docs/en/{chinese.removeprefix('docs/')}"
    return f"{chinese.removesuffix('.md')}.en.md"


def chinese_of(page: str) -> str:
    """The name of the Chinese page of a pair, whichever of the two `page` is."""
    if page.startswith("docs/en/"):
        return f"docs/{page.removeprefix('docs/en/')}"
    return f"{page.removesuffix('.en.md')}.md" if page.endswith(".en.md") else page


def chinese_pages() -> list[str]:
    """Every page of the house that is to have a twin."""
    found = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").rglob("*.md"))
    names = {p.relative_to(ROOT).as_posix() for p in found}
    return sorted(n for n in names if chinese_of(n) == n and n not in ALONE)


def twins() -> list[tuple[str, str]]:
    """The pairs that there are: the Chinese page and the English one."""
    pairs = [(n, english_of(n)) for n in chinese_pages()]
    return [pair for pair in pairs if (ROOT / pair[1]).is_file()]


def read(name: str) -> Page:
    """A page taken apart, its relative links as names from the root of the tree. Whoever asks again of a page
    that has not changed is given the same, and changes nothing of it."""
    return _apart(name, (ROOT / name).read_text("utf-8"))


@cache
def _apart(name: str, text: str) -> Page:
    page = Page()
    cell = False
    for t in _MARKDOWN.parse(text):
        match t.type:
            case "heading_open":
                page.headings.append(int(t.tag[1:]))
            case "fence" | "code_block":
                page.blocks.append(_lines(t.content))
            case "table_open":
                page.tables.append([])
            case "tr_open":
                page.tables[-1].append([])
            case "inline":
                children = t.children or []
                page.prose.append(_prose(children))
                page.links |= {_from_root(name, at) for at in _links(children)}
                if cell:
                    page.tables[-1][-1].append(_code(children))
        cell = t.type in ("th_open", "td_open")
    return page


def _lines(block: str) -> list[str]:
    bare = (_COMMENT.sub("", line).rstrip() for line in block.splitlines())
    return [line for line in bare if line]


def _code(children: list[Token]) -> str:
    """The code of a cell that holds nothing but code and marks between; else ""."""
    if any(re.search(r"\w", t.content) for t in children if t.type == "text"):
        return ""
    return " ".join(t.content for t in children if t.type == "code_inline")


def _prose(children: list[Token]) -> str:
    said, italic = [], 0
    for t in children:
        italic += {"em_open": 1, "em_close": -1}.get(t.type, 0)
        if t.type == "image":
            said.append(t.content)
        elif not italic:
            said.append({"text": t.content, "code_inline": " ` ", "softbreak": " "}.get(t.type, ""))
    return _QUOTED.sub(" ` ", "".join(said))


def _links(children: list[Token]) -> list[str]:
    found = [str(t.attrs.get("href") or t.attrs.get("src") or "") for t in children]
    return [at.partition("#")[0] for at in found if at and "://" not in at and at[0] != "#"]


def _from_root(page: str, link: str) -> str:
    return normpath((Path(page).parent / link).as_posix())


def in_own_language(page: str) -> str:
    """The text of a page of a pair, each link of which leads to a page in its own language where there is
    one; the first line leads to the twin and stays."""
    english = chinese_of(page) != page
    have = dict(twins())

    def led(found: re.Match[str]) -> str:
        words, link = found[1], found[2]
        at, _, anchor = link.partition("#")
        if "://" in at or not at.endswith(".md"):
            return found[0]
        to = chinese_of(_from_root(page, at))
        lead = have.get(to, to) if english else to
        words = lead if chinese_of(words) == to else words  # a page called by its path
        at = relpath(lead, Path(page).parent.as_posix())
        return f"[{words}]({at}#{anchor})" if anchor else f"[{words}]({at})"

    first, _, rest = (ROOT / page).read_text("utf-8").partition("\n")
    return first + "\n" + re.sub(r"\[([^]]*)\]\(([^)\s]+)\)", led, rest)


if __name__ == "__main__":
    for one in (name for pair in twins() for name in pair):
        (ROOT / one).write_text(in_own_language(one), "utf-8")
