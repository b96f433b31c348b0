"""Files of smsd's spool: headers in lines, a blank line, the text. Pure."""

import re
from typing import NamedTuple

# what GSM 7 bit writes in one septet and ISO 8859-1 has at the same place; all else goes as UCS-2
_PLAIN = re.compile(r"[ -Z_a-z\r\n]*")
_SAME = frozenset("`")
_CMS = re.compile(r"\+CM[SE] ERROR: (\d+)")
# 3GPP TS 27.005, 3.2.5 and 24.011, E.2: this number will not be reached by asking again
_NUMBER = frozenset({1, 8, 22, 28, 30, 96, 111})
_STATUS = re.compile(r"^Status: (\d+)", re.MULTILINE)
_IDENT = re.compile(r"^Message_id: (\d+)", re.MULTILINE)
_LONGEST = 65_536
_REPORT = "SMS STATUS REPORT"  # how smsd begins one


class SpoolFile(NamedTuple):
    """headers: names in small letters. text: decoded by its Alphabet."""

    headers: dict[str, str]
    text: str


class StatusReport(NamedTuple):
    """A delivery report: which message, and its state in the words of `status_words.CARRIER`."""

    ident: str
    word: str


def written(to: str, text: str, valid_s: float, *, urgent: bool) -> bytes:
    """A message for `outgoing`. to: digits with the country's code."""
    plain = _PLAIN.fullmatch(text) is not None and not _SAME & set(text)
    headers = [
        f"To: {to}",
        f"Alphabet: {'ISO' if plain else 'UCS'}",
        "Report: yes",
        f"Validity: {validity(valid_s)}",
        *(["Priority: HIGH"] if urgent else []),
    ]
    body = text.encode("latin-1" if plain else "utf-16-be")
    return "\n".join([*headers, "", ""]).encode() + body


def validity(valid_s: float) -> int:
    """3GPP TS 23.040, 9.2.3.12.1: relative, at least five minutes; never longer than it may arrive."""
    minutes = int(valid_s // 60)
    if minutes <= 720:
        return max(0, min(143, minutes // 5 - 1))
    return (
        min(167, 143 + (minutes - 720) // 30)
        if minutes <= 1440
        else min(196, 166 + minutes // 1440)
    )


def read_file(data: bytes) -> SpoolFile:
    """Whatever lies there: what cannot be read is empty."""
    head, _, body = data[:_LONGEST].partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    coding = "utf-16-be" if headers.get("alphabet", "").upper().startswith("UCS") else "latin-1"
    return SpoolFile(headers, body.decode(coding, "replace").strip("\r\n\0"))


def report_of(found: SpoolFile) -> StatusReport | None:
    """None for what is no report, a person's words that look like one among it."""
    if not found.text.startswith(_REPORT):
        return None
    ident, status = _IDENT.search(found.text), _STATUS.search(found.text)
    if not ident or not status:
        return None
    code = int(status[1])
    # 3GPP TS 23.040, 9.2.3.15: 0-31 done, 32-63 still trying, from 64 on it is given up
    word = "delivered" if code < 32 else "accepted" if code < 64 else "undelivered"
    if code in (70, 102):
        word = "expired"
    return StatusReport(ident[1], word)


def refusal(found: SpoolFile) -> tuple[str, bool]:
    """Why it failed, as a code without a number, and whether it is the number's fault."""
    reason = found.headers.get("fail_reason", "")
    code = _CMS.search(reason)
    if code:
        return code[0], int(code[1]) in _NUMBER
    return re.sub(r"\+?\d[\d -]{5,}", "#", reason)[:80], False
