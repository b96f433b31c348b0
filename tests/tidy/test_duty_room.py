"""A page of the duty room is whole: its name stands in both documents, its key among the keys, and no key
opens two things."""

import re
from collections import Counter

from tests.support.rooms import ROOT

MAIN = (ROOT / "console" / "static" / "main.js").read_text("utf-8")
LIST = MAIN.partition("const PAGES = [")[2].partition("\n];")[0]
PAGES = re.findall(r'words: \["([^"]+)", "([^"]+)"\](?:, key: "(.)")?', LIST)
KEYS = MAIN.partition("const KEYS = [")[2].partition("\n];")[0]
# within pages
IN_PAGES = {
    key
    for p in (ROOT / "console" / "static").glob("*.js")
    for key in re.findall(
        r'\["(.)", "', p.read_text("utf-8").partition("export const keys")[2].partition("];")[0]
    )
}


def test_every_page_stands_in_both_documents_with_its_key() -> None:
    assert len(PAGES) > 8
    chinese = (ROOT / "docs" / "console.md").read_text("utf-8")
    english = (ROOT / "docs" / "en" / "console.md").read_text("utf-8")
    wrong = []
    for zh, en, key in PAGES:
        for document, name, file in ((chinese, zh, "console.md"), (english, en, "en/console.md")):
            if f"\n| {name} |" not in document:
                wrong.append(f"docs/{file}: no row for the page {name}")
            if key and f"`{key}` " not in document:
                wrong.append(f"docs/{file}: no key `{key}` of the page {name}")
    assert not wrong, "\n".join(wrong)


def test_no_key_opens_two_things() -> None:
    keys = [k for _, _, k in PAGES if k] + re.findall(r'^  \["(.)", "', KEYS, re.MULTILINE)
    twice = [k for k, n in Counter(keys).items() if n > 1] + sorted({*keys} & IN_PAGES)
    assert not twice, f"console/static/main.js: {twice} open two things"
