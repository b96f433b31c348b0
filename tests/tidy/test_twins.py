"""Every page for readers stands twice, in Chinese and in English, and both say the same: the same headings,
tables, code and links, and in each no sentence of the other language (tests/support/pages.py)."""

import re
from os.path import relpath
from pathlib import Path

import pytest

from tests.support import pages

ROOT = pages.ROOT
# names that a page needs in the other language and that are no quotation: page, the words
NAMES: dict[str, tuple[str, ...]] = {"docs/glossary.md": ("stage of the line",)}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# five words of English beside each other, or one that only a sentence has; a term has neither
ENGLISH_SENTENCE = re.compile(
    r"(?<![\w./-])[A-Za-z][a-z'’]+(?:,? [A-Za-z][a-z'’-]+){4,}"
    r"|(?<![\w.’'/-])(?:the|a|an|is|are|was|were|which|that|it|who|when|where|what)(?![\w./'’-])"
)
# a term is short and has no comma
CHINESE_SENTENCE = re.compile(
    r"[\u4e00-\u9fff]{9,}|[\u4e00-\u9fff][，。；：、]|[，。；：、][\u4e00-\u9fff]"
)
both = pytest.mark.parametrize("pair", pages.twins(), ids=lambda pair: pair[0])


def test_every_page_stands_in_both_languages() -> None:
    without = set(pages.chinese_pages()) - {chinese for chinese, _ in pages.twins()}
    assert not without, "a page has no twin in English"
    found = [p.relative_to(ROOT).as_posix() for p in (ROOT / "docs" / "en").rglob("*.md")]
    left = [p for p in found if not (ROOT / pages.chinese_of(p)).is_file()]
    assert not left, f"there is no page in Chinese to {left}"


@both
def test_twins_are_built_alike(pair: tuple[str, str]) -> None:
    chinese, english = map(pages.read, pair)
    assert chinese.headings == english.headings
    assert [len(t) for t in chinese.tables] == [len(t) for t in english.tables], (
        "rows of the tables"
    )
    for rows in zip(chinese.tables, english.tables, strict=True):
        for one, other in zip(*rows, strict=True):
            assert len(one) == len(other), (one, other)
            wrong = [
                c for c in zip(one, other, strict=True) if c[0] != c[1] and not CHINESE.search(c[0])
            ]
            assert not wrong, "cells that are code"


@both
def test_twins_have_the_same_code(pair: tuple[str, str]) -> None:
    """Comments are in the page's language, and so are lines that hold Chinese."""
    chinese, english = map(pages.read, pair)
    assert len(chinese.blocks) == len(english.blocks)
    for one, other in zip(chinese.blocks, english.blocks, strict=True):
        assert len(one) == len(other), (one, other)
        wrong = [
            c for c in zip(one, other, strict=True) if c[0] != c[1] and not CHINESE.search(c[0])
        ]
        assert not wrong


@both
def test_twins_link_to_the_same_pages_in_their_own_language(pair: tuple[str, str]) -> None:
    chinese, english = map(pages.read, pair)
    to = ({pages.chinese_of(at) for at in page.links} - {pair[0]} for page in (chinese, english))
    one, other = to
    assert one == other
    for name, twin in (pair, pair[::-1]):
        text = (ROOT / name).read_text("utf-8")
        first = text.partition("\n")[0]
        word = "English" if name == pair[0] else "中文"
        assert first == f"[{word}]({relpath(twin, Path(name).parent.as_posix())})", "the first line"
        assert text == pages.in_own_language(name), "run: python -m tests.support.pages"


@both
def test_a_page_speaks_one_language(pair: tuple[str, str]) -> None:
    """Code, quotations and names of works in italics may be in the other."""
    wrong = []
    for name, other in zip(pair, (ENGLISH_SENTENCE, CHINESE_SENTENCE), strict=True):
        for said in pages.read(name).prose[1:]:  # all but the link to the twin
            for known in NAMES.get(name, ()):
                said = said.replace(known, "")
            wrong += [f"{name}: {found[0]!r} in {said[:90]!r}" for found in other.finditer(said)]
    assert not wrong, "\n".join(wrong)
