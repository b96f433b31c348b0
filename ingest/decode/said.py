"""What a person's short message means: code words in Chinese or English, a count, names of areas.

    水涨 涨水 山洪 洪水        report_flood         求助 救命 被困        help
    泥石流                    report_debris_flow   已转移 12 人 全部转移  moved
    塌方 滑坡 落石            report_landslide     平安                  safe
    倒塌 冲毁 受损            damage               收到 1                received

Full-width characters and Chinese numerals are read as what they mean. A word that is denied (没有, 未,
不) means nothing here: what is left unsaid by a person is never an all-clear. Pure.
"""

import re
import unicodedata
from typing import NamedTuple

LONGEST = 500  # characters; an SMS of several parts has fewer
_MOST = 100_000  # people
_WORDS: tuple[tuple[str, str], ...] = (
    ("help", r"求助|求救|救命|救援|被困|需要帮助|无法转移|转移不了|走不了|\bhelp\b|\bsos\b"),
    ("report_debris_flow", r"泥石流|\bdebris ?flow\b"),
    ("report_landslide", r"塌方|滑坡|崩塌|落石|山体垮|\blandslide\b"),
    ("report_flood", r"水涨|涨水|山洪|洪水|发水|漫堤|漫桥|\bflood(?:ing)?\b"),
    ("damage", r"房屋?倒|倒塌|冲毁|冲垮|受损|断路|路断|桥断|\bdamage\b"),
    ("moved", r"转移|撤离|撤走|\bmoved\b|\bevacuated\b"),
    ("safe", r"平安|没事|无事|\bsafe\b"),
    ("received", r"收到|知道了|明白|\breceived\b|\bok\b"),
)
# a denial right before the word; 没事 and 无法转移 are words of their own
_DENIED = re.compile(r"(?:没有?|未见?|无|不(?:用|需要|能)?|别|\bno|\bnot)\s*(?:发生|出现)?\s*$")
# what is still to be done has not been done
_NOT_YET = re.compile(r"(?:正在|准备|开始|马上|立即|需要?|请|要|将|待)\s*$")
# a word about the warning, or a question, reports nothing
_ABOUT = re.compile(
    r"\s*(?:灾害)?的?(?:橙色|红色|黄色|蓝色)?(?:预警|警报|警告|风险|通知|消息|吗|么|没有|\?)"
)
_WHOLE = re.compile(
    r"已|全|都|完|了|moved|evacuated"
)  # without it, or a count, 转移 is only a word
_PART = re.compile(r"部分|一半|一些|有的|some|part")
_NUMERAL = "零〇一二两三四五六七八九十百千"
_COUNT = re.compile(rf"(\d+|[{_NUMERAL}]+)\s*(?:余|多)?\s*(?:个人|口人|人|名|位|口|people|persons)")
_BARE = re.compile(
    rf"(?:转移|撤离|撤走|moved|evacuated)(?:了|出)?[\s,:，：]*(\d+|[{_NUMERAL}]+)\s*$"
)


class Meaning(NamedTuple):
    """what: as in `ingest.observation.PersonSays`. people: of moved."""

    what: str
    people: int | None = None


def plain(text: str) -> str:
    """Full-width characters as ASCII, lower case, one space, no control characters."""
    folded = unicodedata.normalize("NFKC", text).lower()
    kept = (" " if unicodedata.category(c)[0] in "CZ" else c for c in folded)
    return " ".join("".join(kept).split())


def meanings(text: str) -> list[Meaning]:
    """What `text` (any) says, the most urgent first; nothing where it is not understood. 收到 and
    平安 beside something else say nothing more."""
    text = plain(text)
    if not text or len(text) > LONGEST:
        return []
    if re.fullmatch(r"[1１]\W*", text):
        return [Meaning("received")]
    found = [Meaning(what, n) for what, pattern in _WORDS for n in _said(text, what, pattern)]
    if any(w.what == "help" for w in found):  # 无法转移, 请求转移
        found = [w for w in found if w.what != "moved" or w.people is not None]
    if any(w.people is not None and w.people > _MOST for w in found):
        return []
    loud = [w for w in found if w.what not in ("safe", "received")]
    return loud or found[:1]


def _said(text: str, what: str, pattern: str) -> list[int | None]:
    """One value, of `moved` the people counted, where the text says it."""
    for hit in re.finditer(pattern, text):
        before, after = text[: hit.start()], text[hit.end() :]
        if _DENIED.search(before) or (what != "help" and _ABOUT.match(after)):
            continue
        if what != "moved":
            return [None]
        people = _counted(before, text[hit.start() :])
        whole = _WHOLE.search(text) and not _PART.search(text)
        if not _NOT_YET.search(before) and (people is not None or whole):
            return [people]
    return []


def _counted(before: str, rest: str) -> int | None:
    """已转移 12 人; else 12 人已转移. rest begins with the word."""
    found = _COUNT.search(rest) or _BARE.search(rest)
    if found is None:
        found = next(reversed(list(_COUNT.finditer(before))), None)
    return number(found[1]) if found else None


def number(digits: str) -> int:
    """12, 十二, 一百零五, 两千三百, 一二 (figures said one by one)."""
    if digits.isdigit() and digits.isascii():
        return int(digits[:12])
    if not any(c in "十百千" for c in digits):
        return int("".join(str(_figure(c)) for c in digits[:12]))
    total, figure = 0, 0
    for c in digits:
        if c in "十百千":
            total += (figure or 1) * int(unicodedata.numeric(c))
            figure = 0
        else:
            figure = _figure(c)
    return total + figure


def _figure(c: str) -> int:
    return 2 if c == "两" else int(unicodedata.numeric(c))
