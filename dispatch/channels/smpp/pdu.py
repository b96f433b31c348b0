"""A PDU of the other side, read as far as it can be. Pure; takes any octets.

SMSCs of the field write lengths that are one off, texts with a NUL after them and ids without one
(SMPP 3.4 wants it, 3.1). The header is always readable, so a PDU always gets its answer; what of the
rest could not be read is in `fault`. Ours are made by smpplib.
"""

import re
import struct
from typing import NamedTuple

from config.language import Said, Text

GENERIC_NACK = 0x80000000
RESPONSE = 0x80000000
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, DATA_SM = 9, 4, 5, 6, 0x15, 0x103
UNANSWERED = frozenset({0x0B, 0x102})  # outbind, alert_notification (SMPP 3.4, 4.1.7, 4.12)
HEADER = 16

_PAYLOAD, _RECEIPTED_ID, _STATE = 0x0424, 0x001E, 0x0427  # SMPP 3.4, 5.3.2
_STATES = range(10)  # 5.2.28; 9 is 5.0's
_UDHI = 0x40
_OFF = (0, 1, 2, -1, -2)  # by how much an sm_length is off


class Pdu(NamedTuple):
    """message_id: of a response. The others of deliver_sm and data_sm: text without a header of
    parts; receipted, state: of a receipt's TLVs, "" and 0 where there is none; fault: what could not
    be read, "" for nothing."""

    command: int
    status: int
    sequence: int
    message_id: str = ""
    source: str = ""
    destination: str = ""
    esm_class: int = 0
    data_coding: int = 0
    text: bytes = b""
    receipted: str = ""
    state: int = 0
    fault: Said = ""


def read(octets: bytes) -> Pdu:
    """octets: one whole PDU, of 16 at least."""
    _, command, status, sequence = struct.unpack(">LLLL", octets[:HEADER])
    head, body = Pdu(command, status, sequence), octets[HEADER:]
    if command in (SUBMIT_SM | RESPONSE, DATA_SM | RESPONSE):
        return head._replace(message_id=_ident(body))
    if command in (DELIVER_SM, DATA_SM):
        return _delivered(head, body)
    return head


def _delivered(head: Pdu, body: bytes) -> Pdu:
    at = 0
    strings: list[str] = []
    for numbers in (0, 2, 2):  # service_type; ton, npi and address of both ends
        found, at = _string(body, at + numbers)
        strings.append(found.decode("latin-1").strip())
    head = head._replace(source=strings[1], destination=strings[2])
    fields, at = body[at : at + 3], at + 3
    if head.command == DATA_SM and len(fields) == 3:
        head = head._replace(esm_class=fields[0], data_coding=fields[2])
        return _with_tlvs(head, b"", body[at:])
    for _ in range(2):  # schedule_delivery_time, validity_period
        _, at = _string(body, at)
    if head.command == DATA_SM or len(body) < at + 5:
        # a receipt may be found in what there is all the same
        return head._replace(text=body, fault=Text("字段不全", "fields are missing"))
    head = head._replace(esm_class=fields[0], data_coding=body[at + 2])
    return _with_tlvs(head, *_cut(body[at + 5 :], body[at + 4]))


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    """A C-octet string and where it ends; behind the end of `body` where its NUL is missing."""
    end = body.find(b"\0", at)
    return (body[at:end], end + 1) if end >= 0 else (b"", len(body) + 1)


def _cut(octets: bytes, length: int) -> tuple[bytes, bytes]:
    """The text and its TLVs, where `length` may be a little off: what follows the right one can be
    read as TLVs to the end."""
    for n in (length + off for off in _OFF):
        inside = 0 <= n <= len(octets) and (n >= length or n < len(octets))
        if inside and _tlvs(octets[n:]) is not None:
            return octets[:n], octets[n:]
    if not 0 < length <= len(octets):
        return octets, octets  # the length says nothing
    return octets[:length], octets[length:]


def _with_tlvs(head: Pdu, text: bytes, rest: bytes) -> Pdu:
    whole = _tlvs(rest)
    fault = "" if whole is not None else Text("附加参数读不懂", "TLVs that cannot be read")
    found = _salvaged(rest) if whole is None else whole
    if not text or text == rest:  # a text of which no length is known may be all TLVs
        text = found.get(_PAYLOAD, text)
    if head.esm_class & _UDHI and text and text[0] < len(text):
        text = text[1 + text[0] :]
    receipted, state = _ident(found.get(_RECEIPTED_ID, b"")), _state(found.get(_STATE, b""))
    if text or receipted or state:  # enough to act on
        fault = ""
    return head._replace(text=text, receipted=receipted, state=state, fault=fault)


def _tlvs(octets: bytes) -> dict[int, bytes] | None:
    """By tag; None where they do not end with the octets, or with NULs behind them."""
    found: dict[int, bytes] = {}
    at, end = 0, len(octets.rstrip(b"\0"))
    while at < end:
        if at + 4 > len(octets):
            return None
        tag, size = struct.unpack_from(">HH", octets, at)
        at += 4 + size
        if at > len(octets):
            return None
        found.setdefault(tag, octets[at - size : at])
    return found


def _salvaged(octets: bytes) -> dict[int, bytes]:
    """Of TLVs with wrong lengths those that tell what became of a message. An id is as long as it is
    printable, a state is one octet."""
    found: dict[int, bytes] = {}
    if hit := re.search(rb"\x00\x1e\x00[\x01-\x48]([\x21-\x7e]{1,64})", octets):
        found[_RECEIPTED_ID] = hit[1]
    if hit := re.search(rb"\x04\x27\x00[\x00-\x04]\x00{0,3}([\x01-\x09])", octets):
        found[_STATE] = hit[1]
    if (at := octets.find(b"\x04\x24")) >= 0 and len(octets) >= at + 4:
        (size,) = struct.unpack_from(">H", octets, at + 2)
        rest = octets[at + 4 :]
        found[_PAYLOAD] = rest if _tlvs(rest[size:]) is None else rest[:size]
    return found


def _ident(octets: bytes) -> str:
    """Up to its NUL, or where what cannot be part of an id begins."""
    hit = re.match(rb"[\x21-\x7e\x80-\xff]*", octets.lstrip(b" "))
    return hit[0].decode("latin-1") if hit else ""


def _state(octets: bytes) -> int:
    """A message_state of any width, or as a figure; 0 for none."""
    number = octets.strip(b"\0")
    if len(number) != 1:
        return 0
    state = number[0] - 0x30 if number.isdigit() else number[0]
    return state if state in _STATES else 0
