"""What a person sees of a page, and which of it is not in the language of the page."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from config.language import Language

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
# two words of English beside each other
PHRASE = re.compile(r"(?<![\w./`{<=-])[A-Za-z][a-z'’]+ [a-z][a-z'’]+(?![\w/=])")
# what is the same in both: a command with its words, an option, a path
SAME = re.compile(r"`[^`]*`|\bfengsui [a-z-]+(?: [a-z-]+)*|--[a-z-]+(?: [\w.]+)?|/[\w./-]+")


def foreign(said: Iterable[str], language: Language, people: Iterable[str] = ()) -> list[str]:
    """Texts that are not in `language`. people: what persons wrote, and names that there are in one
    language only; it stands as it is."""
    found = []
    for text in said:
        rest = text
        for own in sorted(people, key=len, reverse=True):
            rest = rest.replace(own, " ")
        rest = SAME.sub(" ", rest)
        if (CHINESE if language == "en" else PHRASE).search(rest):
            found.append(text)
    return found


class _Written(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script")
        self.found += [v for k, v in attrs if k in ("aria-label", "title", "alt") and v]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.found.append(data.strip())


def written(html: str) -> list[str]:
    """The texts of a page, node by node, and its labels."""
    reader = _Written()
    reader.feed(html)
    return reader.found
