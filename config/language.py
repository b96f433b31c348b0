"""What a person reads, in both languages: a text is a pair, and where it is shown one of the two is
chosen. Pure.

Who makes a sentence makes it twice, `Text("没有预警区", "no area")`, and hands on the pair: as the word of an
exception, of a problem, of a line of a report, of a record of the log, where it stands as `[zh, en]`. Who
shows it chooses (`choose`). A record of an older build has both in one string, and what a person typed is
a string too: `Said`.
"""

from collections.abc import Callable, Iterable
from typing import Literal, get_args

import msgspec

Language = Literal["zh", "en", "both"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Text(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One sentence in Chinese and in English; each is whole without the other.

    `"before " + text` and `text + " after"` are texts again. In a string (`f"{text}"`) stand both: a
    half is made of halves, `Text(f"…{zh(x)}…", f"…{en(x)}…")`.
    """

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}"

    def __add__(self, other: object) -> "Text":
        return Text(self.zh + zh(other), self.en + en(other))

    def __radd__(self, other: object) -> "Text":
        return Text(zh(other) + self.zh, en(other) + self.en)

    def __contains__(self, words: str) -> bool:
        return words in str(self)


Said = Text | str  # a plain string is the same in both languages: a name, a number, a path


def text_of(said: object) -> Text:
    """What is said, as a pair: of an exception the text that it was raised with, also where a validation
    (msgspec) has taken it up and put the place behind it; of an object with a `text` that text; of
    anything else its string, twice."""
    if isinstance(said, Text):
        return said
    if isinstance(said, BaseException):
        return _of_exception(said)
    text = None if isinstance(said, str) else getattr(said, "text", None)
    return text if isinstance(text, Text) else Text(str(said), str(said))


def _of_exception(e: BaseException) -> Text:
    whole = str(e)
    for one in (e, e.__cause__):
        text = getattr(one, "text", None) or next(iter(getattr(one, "args", ())), None)
        if isinstance(text, Text) and str(text) in whole:
            return Text(whole.replace(str(text), text.zh), whole.replace(str(text), text.en))
    return Text(whole, whole)


def zh(said: object) -> str:
    """The Chinese of what is said."""
    return said if isinstance(said, str) else text_of(said).zh


def en(said: object) -> str:
    """The English of what is said."""
    return said if isinstance(said, str) else text_of(said).en


def each(said: Said, change: Callable[[str], str]) -> Said:
    """What is said with each half changed alike: cleaned, cut, stripped."""
    return change(said) if isinstance(said, str) else Text(change(said.zh), change(said.en))


def choose(said: object, language: Language) -> str:
    """What is said, in one language; or in both, Chinese first."""
    text = text_of(said)
    if language == "both":
        return text.zh if text.zh == text.en else str(text)
    return text.en if language == "en" else text.zh


def joined(parts: Iterable[object], between: Said = "") -> Text:
    """Parts as one text, with `between` between them: `joined(names, Text("、", ", "))`."""
    texts = [text_of(p) for p in parts]
    return Text(
        zh(between).join(t.zh for t in texts),
        en(between).join(t.en for t in texts),
    )
