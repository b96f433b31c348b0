"""A 4G modem on a pseudo terminal, to try `smsd` with: AT commands in PDU mode (3GPP TS 27.005, 27.007), what
it sends put together again, delivery reports, and its faults: an error, silence, no network.
"""

import contextlib
import os
import pty
import re
import select
import threading
import tty
from typing import NamedTuple

_SCTS = "62113021000023"  # 2026-11-30 12:00:00 +8


class Submitted(NamedTuple):
    """A part that went out. part, of: by its header, 1 of 1 without. reference: what the modem answered."""

    to: str
    text: str
    part: int
    of: int
    series: int
    report: bool
    validity: int
    reference: int


class Modem:
    """fault: what it does now: "" well, "cms 38" an error of the network, "silent" no answer to anything,
    "no network" not registered. Runs until `close`."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.device, self._theirs = os.ttyname(theirs), theirs
        self.fault = ""
        self.sent: list[Submitted] = []
        self.commands: list[str] = []
        self._memory: dict[int, str] = {}  # index: a PDU that lies on the SIM
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="modem", daemon=True)
        self._thread.start()

    def texts(self) -> list[tuple[str, str]]:
        """(number, text) of what went out whole, in order of its last part."""
        found, parts = [], dict[tuple[str, int], dict[int, str]]()
        for n, s in enumerate(list(self.sent)):
            key = (s.to, s.series if s.of > 1 else -1 - n)
            parts.setdefault(key, {})[s.part] = s.text
            if len(parts[key]) == s.of:
                whole = parts.pop(key)
                found.append((s.to, "".join(whole[i] for i in sorted(whole))))
        return found

    def receive(self, sender: str, text: str) -> None:
        """Somebody writes to it (SMS-DELIVER, UCS-2)."""
        body = text.encode("utf-16-be")
        pdu = f"0004{_address(sender)}0008{_SCTS}{len(body):02X}{body.hex().upper()}"
        self._keep(pdu)

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        for fd in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _keep(self, pdu: str) -> None:
        self._memory[max(self._memory, default=0) + 1] = pdu

    def _work(self) -> None:
        waiting, pdu = b"", False
        while not self._closing:
            if not select.select([self._ours], [], [], 0.05)[0]:
                continue
            try:
                waiting += os.read(self._ours, 4096)
            except OSError:
                continue
            while (found := re.search(rb"\x1a" if pdu else rb"[\r\n]", waiting)) is not None:
                line, waiting = waiting[: found.start()], waiting[found.end() :]
                words = line.decode("ascii", "replace").strip()
                if not words:
                    continue
                self.commands.append(words)
                if self.fault == "silent":
                    pdu = False
                    continue
                answer = self._submitted(words) if pdu else self._answer(words)
                pdu = answer == "> "
                os.write(self._ours, f"\r\n{answer}".encode() + (b"" if pdu else b"\r\n"))

    def _answer(self, command: str) -> str:
        upper = command.upper()
        if upper.startswith("AT+CMGS="):
            return "> " if self.fault != "no network" else "+CMS ERROR: 331"
        if upper.startswith(("AT+CREG?", "AT+CEREG?")):
            name = upper[2:].rstrip("?")
            return f"{name}: 0,{0 if self.fault == 'no network' else 1}\r\n\r\nOK"
        if upper.startswith("AT+CPIN?"):
            return "+CPIN: READY\r\n\r\nOK"
        if upper.startswith("AT+CSQ"):
            return f"+CSQ: {99 if self.fault == 'no network' else 21},99\r\n\r\nOK"
        if upper.startswith("AT+CPMS"):
            used = ",".join([f'"SM",{len(self._memory)},50'] * 3)
            short = ",".join([f"{len(self._memory)},50"] * 3)
            return f"+CPMS: {used if '?' in upper else short}\r\n\r\nOK"
        if upper.startswith("AT+CMGL"):
            rows = [f"+CMGL: {i},0,,{len(p) // 2 - 1}\r\n{p}\r\n" for i, p in self._memory.items()]
            return "".join(rows) + "\r\nOK"
        if upper.startswith("AT+CMGR="):
            pdu = self._memory.get(int(upper[8:].split(",")[0]))
            return f"+CMGR: 0,,{len(pdu) // 2 - 1}\r\n{pdu}\r\n\r\nOK" if pdu else "OK"
        if upper.startswith("AT+CMGD="):
            self._memory.pop(int(upper[8:].split(",")[0]), None)
        if upper.startswith("AT+CIMI"):
            return "460000000000000\r\n\r\nOK"
        return "OK"

    def _submitted(self, pdu: str) -> str:
        if self.fault.startswith("cms "):
            return f"+CMS ERROR: {self.fault[4:]}"
        reference = (len(self.sent) + 1) % 256
        found = submitted(pdu, reference)
        self.sent.append(found)
        if found.report:
            self._keep(f"0006{reference:02X}{_address(found.to)}{_SCTS}{_SCTS}00")
        return f"+CMGS: {reference}\r\n\r\nOK"


def submitted(pdu: str, reference: int = 0) -> Submitted:
    """An SMS-SUBMIT (3GPP TS 23.040, 9.2.2.2), with a service centre before it. Raises ValueError."""
    data = bytes.fromhex(pdu)
    at = 1 + data[0]
    first, size = data[at], data[at + 2]
    digits = (size + 1) // 2
    to = "".join(f"{b & 15:X}{b >> 4:X}" for b in data[at + 4 : at + 4 + digits])[:size]
    at += 4 + digits
    coding, at = data[at + 1], at + 2
    relative = first >> 3 & 3 == 2
    validity = data[at] if relative else -1
    at += 1 if relative else 7 if first >> 3 & 3 else 0
    length, body = data[at], data[at + 1 :]
    header = body[: body[0] + 1] if first & 0x40 else b""
    series, of, part = 0, 1, 1
    if header[1:3] == b"\x00\x03":
        series, of, part = header[3:6]
    elif header[1:3] == b"\x08\x04":
        series, of, part = header[3] << 8 | header[4], header[5], header[6]
    if coding & 0x0C == 0x08:
        text = body[len(header) : length].decode("utf-16-be")
    else:
        text = _septets(body, length)[(len(header) * 8 + 6) // 7 :]
    return Submitted(to, text, part, of, series, bool(first & 0x20), validity, reference)


def _septets(body: bytes, count: int) -> str:
    """ASCII of the GSM alphabet, as far as tests need it."""
    bits = int.from_bytes(body, "little")
    return "".join(chr(bits >> 7 * n & 127) for n in range(count))


def _address(number: str) -> str:
    padded = number + "F" * (len(number) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    return f"{len(number):02X}91{swapped}"
