"""SMS by SMPP 3.4: registered delivery, long messages, a window of requests under way, delivery
receipts as deliver_sm or data_sm. Accepted: every part has a submit_sm_resp without error.

`validity_period` is what is left until the warning expires, so that no carrier delivers it later.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from config.language import Text, text_of
from dispatch.channels import CarrierWord, Parcel, SendError, SendResult
from dispatch.channels.smpp.pdu import Pdu
from dispatch.channels.smpp.receipt import receipt
from dispatch.channels.smpp.session import Bind, Link
from dispatch.channels.smpp.text import Coded, code, decodings

_UDHI = 0x40
_TRY_LATER, _NEVER = 0x64, 0x65  # ESME_RX_T_APPN: say it again; ESME_RX_P_APPN: do not
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
        hear: Callable[[CarrierWord], None],
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

    def send(self, parcel: Parcel) -> SendResult:
        try:
            coded = code(parcel.text, parcel.key)
        except ValueError as e:
            raise SendError(text_of(e), permanent=True) from e
        link = self._open()
        begun: list[tuple[int, Any]] = []
        with self._room:
            try:
                for fields in self._bodies(coded, parcel.key):
                    one = link.begin("submit_sm", **self._head(parcel), **fields)
                    begun.append(one)
                refs = tuple(filter(None, [self._id(link.finish(*one)) for one in begun]))
            except SendError:
                self._expect_late(link, begun, parcel.key)
                raise
        return SendResult("accepted", "", refs)

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

    def _id(self, response: Pdu) -> str:
        return f"{self.name}|{response.message_id}" if response.message_id else ""

    def _expect_late(self, link: Link, begun: list[tuple[int, Any]], key: str) -> None:
        """Of one part only: of several, a late yes to one is no yes to the message."""
        if len(begun) != 1:
            return
        with self._lock:
            self._late[id(link), begun[0][0]] = key
            while len(self._late) > _LATE_KEPT:
                self._late.popitem(last=False)

    def _came_late(self, link: Link, pdu: Pdu) -> None:
        """The carrier took it after we had given up: a fact all the same."""
        with self._lock:
            key = self._late.pop((id(link), pdu.sequence), "")
        if key and not pdu.status:
            ref = self._id(pdu)
            refs, words = (ref,) if ref else (), Text("逾时才答", "after the deadline")
            self._hear(CarrierWord("sms", self.name, key, refs, "ACCEPTD", words))

    def _deliver(self, link: Link, pdu: Pdu) -> None:
        """A receipt is answered once the log has it."""
        found = receipt(pdu)
        unread = pdu.fault if found is None else ""

        def done(kept: bool) -> None:
            with suppress(SendError):  # the session broke: the carrier says it again
                link.answer(pdu, (_NEVER if unread else 0) if kept else _TRY_LATER)

        heard = CarrierWord("sms", self.name, "", (), "", done=done)
        if found is not None:
            refs = tuple(f"{self.name}|{i}" for i in found.ids)
            numbers = (pdu.source, pdu.destination)
            heard = heard._replace(
                refs=refs, status=found.status, detail=found.detail, numbers=numbers
            )
        elif unread:
            heard = heard._replace(fault=f"SMPP 0x{pdu.command:X}: " + text_of(unread))
        else:
            texts = decodings(pdu.text, pdu.data_coding)
            heard = heard._replace(sender=pdu.source, text=texts[0], instead=tuple(texts[1:]))
        self._hear(heard)


def relative(valid_s: float) -> str:
    """SMPP 3.4, 7.1.1.2: the relative time format, YYMMDDhhmmss000R; a month is no fixed time, so
    it counts days up to 99."""
    s = int(max(1, min(valid_s, 28 * 86_400)))
    days, rest = divmod(s, 86_400)
    return f"0000{days:02d}{rest // 3600:02d}{rest % 3600 // 60:02d}{rest % 60:02d}000R"
