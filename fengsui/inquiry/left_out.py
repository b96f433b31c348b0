"""What of a record is personal and leaves the house only when it is named: what people typed, what carriers
said of a message, names, pictures. Pure.

Ids stay: they are opaque, and without them nobody could follow who was asked and who answered.
"""

import base64
import re
from collections.abc import Collection, Iterable
from typing import Any, Literal, get_args

import msgspec

from config.language import Text, text_of
from dispatch.records import Alert, Decision, Outcome, Report
from ingest.observation import Service

Personal = Literal["words", "carriers", "names", "pictures"]
PERSONAL: tuple[Personal, ...] = get_args(Personal)
NAMED: dict[str, Text] = {
    "words": Text(
        "原话（理由、文号、备注、坏数据原文）",
        "what people typed (reasons, references, notes; the bytes of dead letters)",
    ),
    "carriers": Text(
        "运营商对每条消息的答复和编号", "what carriers said of each message, and their ids"
    ),
    "names": Text("人名和职务", "names and roles of people"),
    "pictures": Text("照片和摄像机画面", "photographs and camera pictures"),
}
AWAY = Text("〔原话未附〕", "[words left out]")
_TYPED: dict[str, tuple[str, ...]] = {
    "decision": ("reason", "reference"),
    "outcome": ("note",),
    "service": ("reason",),
    "answer": ("note",),
    "custody": ("reason",),
    "cap_in": ("note",),
    "dead_letter": ("payload", "detail"),
}
_SAID: dict[str, tuple[str, ...]] = {"receipt": ("detail", "refs"), "route_health": ("detail",)}
# numbers of telephones, and addresses of mail, wherever they stand
_NUMBER = re.compile(r"(?<![\w.:/-])\+?\d[\d -]{9,}\d(?![\w.:/-])|[\w.+-]+@[\w-]+\.[\w.-]+")
# in bytes that nobody has read a number stands in quotes, in a path, anywhere
_NUMBER_IN_BYTES = re.compile(r"(?<!\d)\+?\d[\d -]{9,}\d(?!\d)|[\w.+-]+@[\w-]+\.[\w.-]+")
_SHORT = 2  # characters: what is shorter would be found in every word


def typed(records: Iterable[object]) -> frozenset[str]:
    """What people typed, to be looked for where other records repeat it."""
    found: set[str] = set()
    for r in records:
        match r:
            case Decision() if r.by != "policy":
                found |= {r.reason, r.reference} if isinstance(r.reason, str) else {r.reference}
            case Outcome():
                found.add(r.note)
            case Service():
                found.add(r.reason)
            case Report() if r.by:
                found.add(text_of(r.text).zh.partition(f"核实（{r.by}）：")[2])
                found |= {text_of(p.words).zh for p in r.parts if text_of(p.name).zh == "核实情况"}
            case Alert() if r.by != "policy" and isinstance(r.reason, str):
                found.add(r.reason)
            case _:
                pass
    return frozenset(x for x in found if len(x) >= _SHORT)


def without(
    value: bytes, words: Collection[str], named: Collection[str]
) -> tuple[bytes, tuple[str, ...]]:
    """A record of the log without what is personal and not named, and which of its fields that was; the
    record itself where nothing was. Numbers and addresses go whatever is named. words: as `typed` has them.
    Raises msgspec.MsgspecError."""
    fields = msgspec.json.decode(value, type=dict[str, Any])
    gone: list[str] = []
    kind = fields.get("type", "")
    if "words" in named:
        gone += _unnumbered(fields)
    else:
        mine = _TYPED.get(kind, ()) if fields.get("by") != "policy" else ()
        mine += ("reason",) if kind == "alert" and fields.get("by", "policy") != "policy" else ()
        mine += ("text",) if kind == "report" and fields.get("by") else ()
        gone += _take(fields, mine)
    if "carriers" not in named:
        gone += _take(fields, _SAID.get(kind, ()))
    longest = sorted(words, key=lambda w: (-len(w), w))
    gone += _replaced(fields, longest, "words" not in named)
    if not gone:
        return value, ()
    return msgspec.json.encode(fields), tuple(dict.fromkeys(gone))


def may_be(value: bytes, left_out: Collection[str]) -> bool:
    """May a record lack these fields, and does each say that it does?"""
    try:
        fields = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    kind = str(fields.get("type", ""))
    theirs = {*_SENTENCES, *_TYPED.get(kind, ()), *_SAID.get(kind, ())}
    return all(
        name in theirs and (not (held := fields.get(name)) or _marked(held)) for name in left_out
    )


def _marked(held: object) -> bool:
    text = msgspec.json.encode(held).decode()
    if AWAY.zh in text or "〔…〕" in text:
        return True
    try:  # the bytes of a dead letter
        return isinstance(held, str) and "〔…〕" in base64.b64decode(held, validate=True).decode()
    except ValueError:
        return False


def _take(fields: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """Empty these; a field that a record must have keeps a mark."""
    gone = []
    for name in names:
        if fields.get(name):
            gone.append(name)
            if name == "refs":
                fields[name] = []
            else:
                fields[name] = [AWAY.zh, AWAY.en] if name in _PAIRS else AWAY.zh
    return gone


_PAIRS = ("reason", "detail", "text")
# where sentences stand; ids, keys and hashes are never looked through
_SENTENCES = frozenset(
    (
        *("reason", "answer", "text", "title", "note", "detail", "routes", "plain", "evidence"),
        *("headline", "parts", "words", "reference"),
    )
)
_LOOSE = (
    *("dead_letter", "route_health", "decision", "cap_in", "answer", "service", "outcome"),
    *("receipt", "custody"),
)
_HEAD = 8  # characters: what is longer may stand somewhere cut off behind them


def _unnumbered(fields: dict[str, Any]) -> list[str]:
    """The bytes of a dead letter, which was named, without numbers; other records' fields are sentences."""
    payload = fields.get("payload")
    if fields.get("type") != "dead_letter" or not isinstance(payload, str):
        return []
    try:
        text = base64.b64decode(payload).decode()
    except ValueError:
        return []  # a frame or a picture
    clean = _NUMBER_IN_BYTES.sub("〔…〕", text)
    if clean == text:
        return []
    fields["payload"] = base64.b64encode(clean.encode()).decode()
    return ["payload"]


def _replaced(fields: dict[str, Any], words: list[str], away: bool) -> list[str]:
    """Every sentence of a record without what people typed where that goes away, else without the numbers in
    it, and without numbers where others' words stand; the fields that had some."""
    gone = []
    numbers = fields.get("type") in _LOOSE
    for name in _SENTENCES & fields.keys():
        clean = _clean(fields[name], words, numbers, away)
        if clean != fields[name]:
            fields[name] = clean
            gone.append(name)
    return sorted(gone)


def _clean(held: Any, words: list[str], numbers: bool, away: bool) -> Any:
    if isinstance(held, str):
        for word in words:
            held = _without_word(held, word, away)
        return _NUMBER.sub("〔…〕", held) if numbers else held
    if isinstance(held, list):
        return [_clean(x, words, numbers, away) for x in held]
    if isinstance(held, dict):
        return {
            k: _clean(v, words, numbers, away) if k in _SENTENCES else v for k, v in held.items()
        }
    return held


def _without_word(held: str, word: str, away: bool) -> str:
    """A sentence without what somebody typed, or where that stays without the numbers in it; also where it
    was cut off, as a report cuts what was verified and a carrier a message."""
    head = word[:_HEAD]
    at = held.find(head)
    while at >= 0:
        end = at + len(head)
        while end < len(held) and held[at : end + 1] == word[: end + 1 - at]:
            end += 1
        found = held[at:end]
        put = AWAY.zh if away else _NUMBER.sub("〔…〕", found)
        held = held[:at] + put + held[end:]
        at = held.find(head, at + len(put))
    return held
