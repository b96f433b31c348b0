"""A delivery receipt by SMPP, known by its form and not by its esm_class, which many SMSCs leave 0: a TLV
of a receipt, or a text like that of SMPP 3.4, appendix B (`id:… sub:… dlvrd:… stat:… err:… text:…`),
with its keys in any case and by their other names, with blanks, commas or marks between, as JSON or
XML. Pure.
"""

import re
from typing import NamedTuple

from dispatch.channels.smpp.pdu import Pdu
from dispatch.channels.smpp.text import tried
from dispatch.channels.status_words import SMPP_MESSAGE_STATE

_TYPE, _TYPES = 0x3C, frozenset({0x04, 0x20, 0x24})  # receipt, intermediate notification, both
# the appendix's names, and what others call the same; in JSON and XML too
_NAMES = (
    r"(?:message|msg)[ _]?id|id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us|e)?|"
    r"err(?:or)?(?:[ _]?code)?|text"
)
_IS = r"[\"']?\s*[:=：＝>]"
# a field may be empty: what stands there then is the next one's name
_KEY = re.compile(
    rf"(?<![a-z0-9])({_NAMES}){_IS}\s*[\"']?(?!(?:{_NAMES}){_IS})([^\s,;|&<>\"'，；]*)",
    re.IGNORECASE,
)
_OURS = {"status": "stat", "state": "stat", "messageid": "id", "msgid": "id"}
_QUOTED = re.compile(rf"(?<![a-z0-9])text{_IS}.*", re.IGNORECASE | re.DOTALL)
_UNKNOWN = 7  # message_state that says less than a word


class Found(NamedTuple):
    """ids: of the message, the surest first. status: the carrier's word."""

    ids: tuple[str, ...]
    status: str
    detail: str


def receipt(pdu: Pdu) -> Found | None:
    """None: it is no delivery receipt, but a person's message, or cannot be read."""
    said: dict[str, str] = {}
    for text in tried(pdu.text, pdu.data_coding):
        if said := _form(text):
            break
    by_class = pdu.esm_class & _TYPE in _TYPES and not pdu.fault
    if not (said or pdu.receipted or pdu.state or by_class):
        return None
    ids = dict.fromkeys(i for i in (pdu.receipted, said.get("id", "")) if i)
    state = SMPP_MESSAGE_STATE.get(pdu.state, "")
    word = said.get("stat", "")
    status = word if word and pdu.state in (0, _UNKNOWN) else state
    err = said.get("err", "")
    return Found(tuple(ids), status or "no status", f"err {err}" if err else "")


def _form(text: str) -> dict[str, str]:
    """The fields of a receipt's text; nothing where it has not at least two, an id or a status among
    them. What `text:` quotes is ours, and says nothing."""
    for part in (_QUOTED.sub(" text:", text), text):
        found: dict[str, str] = {}
        for name, value in _KEY.findall(part.replace("\0", " ")):
            key = re.sub(r"[ _]", "", name.lower())
            key = "err" if key.startswith("err") else _OURS.get(key, key)
            found.setdefault(key, value.rstrip("."))
        if len(found) > 1 and (found.get("id") or found.get("stat")):
            return found
    return {}
