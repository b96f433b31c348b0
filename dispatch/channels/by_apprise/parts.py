"""A text that a bot would refuse as too long, as several: whole sentences, numbered, each under the title,
so that none can be taken for something else and a keyword that the bot asks for stands in each. Pure."""

import re
import unicodedata
from collections.abc import Callable

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;\n]+[”’』」）)\"']*\s*|$)")
_PAUSE = re.compile(r"[，、,：:）)\s]")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_@+-]*$")  # a number, a time, an address
_TITLE = 60  # characters of a title that stands over each part
_DIGITS = 4
Room = Callable[[str], int]


def parts(title: str, text: str, room: Room) -> list[str]:
    """The whole of it, or numbered parts. room(text): how many bytes more a message with this text could
    hold; below 0: it is too long. Without white space, and without numbers and titles, the parts are the
    text. Where a part cannot hold anything the text is one, as it came."""
    whole = f"{title}\r\n{text}" if title else text
    if room(whole) >= 0:
        return [whole]
    title = title if len(title) <= _TITLE else title[: _cut(title, _TITLE - 1)] + "…"
    for head in (f" {title}\r\n" if title else " ", " "):
        for digits in range(1, _DIGITS):
            nines = "9" * digits
            bodies = _packed(text, lambda body: room(f"({nines}/{nines}){head}{body}"))  # noqa: B023
            if bodies and len(bodies) < 10**digits:
                return [f"({n}/{len(bodies)}){head}{b}" for n, b in enumerate(bodies, 1)]
    return [whole]


def _packed(text: str, room: Room) -> list[str]:
    """As few as hold it, each of whole sentences where one has room; none where nothing has."""
    found, now = [], ""
    for sentence in _SENTENCE.findall(text):
        if room((now + sentence).strip()) >= 0:
            now += sentence
            continue
        if now.strip():
            found.append(now.strip())
        now = sentence
        while room(now.strip()) < 0:
            at = _last(now, room)
            if not at:
                return []
            found.append(now[:at].strip())
            now = now[at:]
    return [*found, now.strip()] if now.strip() else found


def _last(text: str, room: Room) -> int:
    """Where a sentence without room for itself is cut: after a comma in the second half of what has room,
    else before a number, else between two characters. 0: not one has room."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if room(text[:middle].strip()) >= 0 else (low, middle - 1)
    if not low:
        return 0
    for pause in reversed([m.end() for m in _PAUSE.finditer(text, 0, low)]):
        inside = text[pause - 1] in ":：" and text[pause : pause + 1].isdigit()  # 10:05
        if pause >= low / 2 and not inside:
            return pause
    run = _RUN.search(text[:low])
    if run and run.start() and text[low : low + 1].isalnum():
        return run.start()
    return _cut(text, low)


def _cut(text: str, at: int) -> int:
    """`at`, or the next place before it that is not inside a character (an accent, a joined sign)."""
    place = at
    while 0 < place < len(text) and (_joins(text[place]) or text[place - 1] == "\u200d"):
        place -= 1
    return place or at


def _joins(sign: str) -> bool:
    return (
        unicodedata.combining(sign) > 0
        or sign == "\u200d"
        or "\ufe00" <= sign <= "\ufe0f"
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
    )
