"""SMS by SMPP 3.4: registered delivery, long messages, a window of requests under way, delivery
receipts as deliver_sm. Accepted: every part has a submit_sm_resp without error.

`validity_period` is what is left until the warning expires, so that no carrier delivers it later.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dispatch.channels import Heard, Parcel, SendError, Told
from dispatch.channels.smpp_link import Bind, Link
from dispatch.channels.smpp_text import Coded, code, decode
from dispatch.channels.table import SMPP_MESSAGE_STATE

_TEXT_RECEIPT = re.compile(r"\bid:\s*(\S+)|\bstat:\s*(\w+)|\berr:\s*(\w+)")
_RECEIPT = 0x04  # esm_class of a delivery receipt, bits 5-2
_UDHI = 0x40
_TRY_LATER = 0x64  # ESME_RX_T_APPN: say it again
_LATE_KEPT = 10_000
_AGAIN_S = 1.0


class Smpp:
    """hear: takes what is heard later. long: `udh` (parts with a header each) or `payload` (one PDU,
    for carriers that cut themselves). window: requests under way at once."""

    channel = "sms"

    def __init__(
        self,
        name: str,
        bind: Bind,
        hear: Callable[[Heard], None],
        *,
        source: str = "",
        long: str = "udh",
        window: int = 10,
        timeout_s: float = 10.0,
        quiet_s: float = 30.0,
    ) -> None:
        self.name = name
        self._bind, self._hear, self._source, self._long = bind, hear, source, long
        self._timeout_s, self._quiet_s = timeout_s, quiet_s
        self._room = threading.BoundedSemaphore(window)
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._refused: tuple[float, SendError] | None = None
        self._late: OrderedDict[tuple[int, int], str] = OrderedDict()

    def send(self, parcel: Parcel) -> Told:
        try:
            coded = code(parcel.text, parcel.key)
        except ValueError as e:
            raise SendError(str(e), permanent=True) from e
        link = self._open()
        begun: list[tuple[int, Any]] = []
        with self._room:
            try:
                for fields in self._bodies(coded, parcel.key):
                    one = link.begin("submit_sm", **self._head(parcel), **fields)
                    begun.append(one)
                refs = tuple(self._id(link.finish(*one)) for one in begun)
            except SendError:
                self._expect_late(link, begun, parcel.key)
                raise
        return Told("accepted", "", refs)

    def probe(self) -> bool:
        """The session stands and answers enquire_link."""
        self._open().ask("enquire_link")
        return True

    def close(self) -> None:
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _open(self) -> Link:
        with self._lock:
            if self._link is None or not self._link.alive:
                self._link = self._bound()
            return self._link

    def _bound(self) -> Link:
        """A new session. Who waited while one could not be had does not wait for another."""
        if self._refused is not None and time.monotonic() - self._refused[0] < _AGAIN_S:
            raise self._refused[1]
        try:
            return Link(self._bind, self._timeout_s, self._quiet_s, self._deliver, self._came_late)
        except SendError as e:
            self._refused = (time.monotonic(), e)
            raise

    def _head(self, parcel: Parcel) -> dict[str, Any]:
        to = re.sub(r"[^0-9]", "", parcel.to)
        letters = not self._source.isdigit()
        return {
            "source_addr_ton": 5 if letters and self._source else 0,
            "source_addr_npi": 0 if letters else 1,
            "source_addr": self._source,
            "dest_addr_ton": 1 if parcel.to.startswith("+") else 0,
            "dest_addr_npi": 1,
            "destination_addr": to,
            "registered_delivery": 1,
            "priority_flag": 3 if parcel.delivery.level >= 4 or parcel.delivery.action else 1,
            "validity_period": relative(parcel.valid_s),
        }

    def _bodies(self, coded: Coded, key: str) -> list[dict[str, Any]]:
        if len(coded.parts) == 1 and len(coded.whole) <= 254:
            return [{"data_coding": coded.data_coding, "short_message": coded.whole}]
        if self._long == "payload":
            return [{"data_coding": coded.data_coding, "message_payload": coded.whole}]
        return [
            {"data_coding": coded.data_coding, "esm_class": _UDHI, "short_message": part}
            for part in coded.parts
        ]

    def _id(self, response: Any) -> str:
        found = getattr(response, "message_id", None)
        return f"{self.name}|{_words(found)}" if found else ""

    def _expect_late(self, link: Link, begun: list[tuple[int, Any]], key: str) -> None:
        """Of one part only: of several, a late yes to one is no yes to the message."""
        if len(begun) != 1:
            return
        with self._lock:
            self._late[id(link), begun[0][0]] = key
            while len(self._late) > _LATE_KEPT:
                self._late.popitem(last=False)

    def _came_late(self, sequence: int, pdu: Any) -> None:
        """The carrier took it after we had given up: a fact all the same."""
        with self._lock:
            link = self._link
            key = self._late.pop((id(link), sequence), "")
        if key and not pdu.status:
            ref = self._id(pdu)
            refs, words = (ref,) if ref else (), "逾时才答 after the deadline"
            self._hear(Heard("sms", self.name, key, refs, "ACCEPTD", words))

    def _deliver(self, link: Link, pdu: Any) -> None:
        """A receipt is answered once the log has it."""

        def done(kept: bool) -> None:
            with suppress(SendError):  # the session broke: the carrier says it again
                link.answer(pdu, "deliver_sm_resp", 0 if kept else _TRY_LATER)

        ids, status, detail = receipt(pdu)
        refs = tuple(f"{self.name}|{i}" for i in ids)
        sender, text = ("", "") if status else message(pdu)
        self._hear(Heard("sms", self.name, "", refs, status, detail, done, sender, text))


def relative(valid_s: float) -> str:
    """SMPP 3.4, 7.1.1.2: the relative time format, YYMMDDhhmmss000R; a month is no fixed time, so
    it counts days up to 99."""
    s = int(max(1, min(valid_s, 28 * 86_400)))
    days, rest = divmod(s, 86_400)
    return f"0000{days:02d}{rest // 3600:02d}{rest % 3600 // 60:02d}{rest % 60:02d}000R"


def receipt(pdu: Any) -> tuple[tuple[str, ...], str, str]:
    """(spellings of the message's id, the carrier's word, detail) of a deliver_sm. The word is empty
    when it is no delivery receipt: a person's message."""
    if (pdu.esm_class or 0) & 0x3C != _RECEIPT:
        return (), "", ""
    said = {"id": "", "stat": "", "err": ""}
    body = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    for ident, stat, err in _TEXT_RECEIPT.findall(decode(body, pdu.data_coding or 0)):
        said["id"], said["stat"] = said["id"] or ident, said["stat"] or stat
        said["err"] = said["err"] or err
    ids = []
    if (tlv := getattr(pdu, "receipted_message_id", None)) is not None:
        ids.append(_words(tlv))
    ids += spellings(said["id"]) if said["id"] else []
    state = getattr(pdu, "message_state", None)
    status = said["stat"] or SMPP_MESSAGE_STATE.get(state or 0, "")
    return tuple(dict.fromkeys(ids)), status or "no status", f"err {said['err']}".strip()


def message(pdu: Any) -> tuple[str, str]:
    """(number, words) of a person's message; of a part of a long one, the part."""
    body = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    if (pdu.esm_class or 0) & 0x40 and body:  # a header stands before the words
        body = body[1 + body[0] :]
    return _words(pdu.source_addr or ""), decode(body, pdu.data_coding or 0)


def spellings(ident: str) -> list[str]:
    """Some SMSCs write an id in hexadecimal in submit_sm_resp and in decimal in the receipt."""
    found = [ident]
    if ident.isdecimal():
        number = int(ident)
        found += [ident.lstrip("0") or "0", f"{number:x}", f"{number:X}", f"{number:08x}"]
    elif re.fullmatch(r"[0-9a-fA-F]{1,16}", ident):
        found += [str(int(ident, 16)), f"{int(ident, 16):010d}"]
    return list(dict.fromkeys(found))


def _words(octets: Any) -> str:
    text = octets.decode("latin-1") if isinstance(octets, bytes) else str(octets)
    return text.rstrip("\0")
