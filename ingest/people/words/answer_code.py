"""The code in a person's answer (叫应): figures alone, behind 确认码, or beside 收到 or a move. Pure.

A question, hearsay, a time, a year, a count of people or a level is none. Figures of another length than
the code are given all the same: whoever slipped is told so, and it is counted.
"""

import re

from ingest.decode.phrases import LONGEST, meanings, plain, talks

_FIGURES = r"\d{3,8}"
_NAMED = re.compile(rf"(?:确认码|回执码|\bcode)\s*(?:是|为|is)?[\s:：]*({_FIGURES})(?!\d)")
_ALONE = re.compile(rf"\W*({_FIGURES})\W*")
_LAST = re.compile(rf"(?:收到|知道了|明白|已阅|\breceived|\bok)\W*({_FIGURES})\W*")
_FIRST = re.compile(rf"\W*({_FIGURES})\W*(?:收到|知道了|明白|received|ok)\W*")
# at the front of an answer or behind 收到, with more behind it: no figure that counts or measures something
_BEFORE = re.compile(
    rf"(?:^|收到|知道了|明白|好的?|回复|received|\bok)\W*({_FIGURES})(?=$|\D)"
    r"(?!\s*(?:余|多)?\s*(?:个|人|名|口|位|户|年|月|日|点|时|分|秒|米|毫米|厘米|公里|开始|左右|号|度|元|万|m|[:.%/\-]\s*\d))"
)
_POLITE = re.compile(r"好的?|谢谢|辛苦了?|回复|我是" + r"|thanks|thank you|ok")
_MOVED = re.compile(rf"(?:人|名|口|位|户)(?:到|去|在)?\D{{0,12}}[\s,，。;；]({_FIGURES})\W*")


def answer_code(text: str, names: tuple[str, ...] = ()) -> str:
    """The figures, "" where there are none. names: of areas, which may stand beside them.

    >>> [answer_code(t) for t in ("4821", "收到 4821。", "确认码：４８２１", "香屯村收到4821")]
    ['4821', '4821', '4821', '4821']
    >>> [answer_code(t) for t in ("收到4821，正在转移", "4821 已转移12人", "好的4821", "收到 1250毫米")]
    ['4821', '4821', '4821', '']
    >>> [answer_code(t) for t in ("确认码是4821吗？", "听说确认码是4821", "收到", "已转移4821人", "1")]
    ['', '', '', '', '']
    """
    text = plain(text)
    if not text or len(text) > LONGEST or talks(text):
        return ""
    if hit := _NAMED.search(text):
        return hit[1]
    if hit := _ALONE.fullmatch(text) or _FIRST.fullmatch(text):
        return hit[1]
    said = {m.what for m in meanings(text)}
    pattern = _MOVED if "moved" in said else _LAST
    found = [h for h in pattern.finditer(text) if h.end() == len(text)]
    if found:
        return found[0][1]
    # a text that says something else is for the duty room to read, whatever figures it begins with
    for name in names:
        text = text.replace(name.lower(), " ")
    if said and not said <= {"received", "moved", "safe"}:
        return ""
    hit = _BEFORE.search(text.strip())
    rest = re.sub(r"\W", "", _POLITE.sub("", text))
    return hit[1] if hit and (said or hit[1] == rest) else ""


def figures(field: str) -> str:
    """What somebody put into the field for the code: its figures, at most eight; "" for anything else.

    >>> figures(" ４８２１ "), figures("4 8 2 1"), figures("<b>")
    ('4821', '4821', '')
    """
    text = plain(field[:40]).replace(" ", "")
    return text if text.isascii() and text.isdigit() and len(text) <= 8 else ""
