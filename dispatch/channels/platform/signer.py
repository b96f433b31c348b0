"""Who signs packets, and who checks them: SM2 over SM3 (GB/T 32918.2) in software, or the county's cipher
device. The port is bytes in, 74 bytes out (`dispatch.channels.platform.ebd.signature`).

A device is asked by a command of the county's own (the bytes on its standard input, the 74 bytes on its
standard output, raw, in hex or in base64), or at `tcp://HOST:PORT`: four bytes of length, big-endian, and
the bytes; the answer in the same frame. What lies behind it, the maker's driver or protocol, is the
county's: no public text of it is known.
"""

import base64
import binascii
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from config.language import Text
from dispatch.channels.platform.ebd.form import Wrong
from dispatch.channels.platform.ebd.signature import BLOCK, Block, block_bytes, block_of

USER_ID = b"1234567812345678"  # the usual one of GM/T 0009
_HEX = re.compile(rb"[0-9A-Fa-f]{148}")
_MOST = 4096


class SignerError(Exception):
    """The packet could not be signed; what is to be done is in the words."""


class PacketSigner(Protocol):
    """sign(data) -> 74 bytes. Raises SignerError. May be called from several threads."""

    def sign(self, data: bytes) -> bytes: ...


class Verifier(Protocol):
    """Is this the peer's signature (64 bytes r ‖ s) of these bytes?"""

    def good(self, data: bytes, rs: bytes) -> bool: ...


def needs() -> Text | None:
    """What is missing for SM2 in software; None: nothing."""
    try:
        import gmssl_pyx  # noqa: F401
    except ImportError:
        return Text(
            "缺少国密库：pip install 'fengsui[broadcast]'",
            "SM2 and SM3 are missing: pip install 'fengsui[broadcast]'",
        )
    return None


def der(rs: bytes) -> bytes:
    """r ‖ s as the SEQUENCE of two INTEGERs that libraries speak. Raises ValueError for another length."""
    if len(rs) != 64:
        raise ValueError(len(rs))
    body = b""
    for half in (rs[:32], rs[32:]):
        number = half.lstrip(b"\0") or b"\0"
        number = b"\0" + number if number[0] & 0x80 else number
        body += bytes((2, len(number))) + number
    return bytes((0x30, len(body))) + body


def plain(signature: bytes) -> bytes:
    """The other way round. Raises ValueError for what is no such SEQUENCE."""
    if len(signature) < 8 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        raise ValueError("DER")
    out, at = b"", 2
    for _ in range(2):
        if signature[at : at + 1] != b"\x02" or at + 1 >= len(signature):
            raise ValueError("DER")
        size = signature[at + 1]
        number = signature[at + 2 : at + 2 + size].lstrip(b"\0")
        if len(number) > 32:
            raise ValueError("DER")
        out += number.rjust(32, b"\0")
        at += 2 + size
    if at != len(signature):
        raise ValueError("DER")
    return out


class Software:
    """private: 32 bytes. public: 64 bytes. serial: of the certificate, up to 12 digits. now: seconds since
    1970. Raises ValueError for a key that is none, with what to do."""

    def __init__(
        self, private: bytes, public: bytes, serial: str, now: Callable[[], float]
    ) -> None:
        import gmssl_pyx

        self._library, self._private, self._public = gmssl_pyx, private, public
        self._serial, self._now = serial, now
        probe = b"fengsui"
        try:
            good = Public(public).good(probe, self.sign(probe)[10:])
        except (SignerError, ValueError) as e:
            raise ValueError(_NO_KEY) from e
        if not good:
            raise ValueError(_NO_PAIR)

    def sign(self, data: bytes) -> bytes:
        try:
            found = self._library.sm2_sign(self._private, self._public, data, USER_ID)
            return block_bytes(Block(int(self._now()), self._serial, plain(found)))
        except (self._library.GmsslInnerError, ValueError) as e:
            raise SignerError(Text("签名失败", "signing failed")) from e


class Public:
    """public: the peer's key, 64 bytes x ‖ y, or 65 with 04 before them. Raises ValueError for another."""

    def __init__(self, public: bytes) -> None:
        import gmssl_pyx

        self._library = gmssl_pyx
        self._public = public[1:] if len(public) == 65 and public[0] == 4 else public
        if len(self._public) != 64 or not on_curve(self._public):
            raise ValueError(_NO_PUBLIC)

    def good(self, data: bytes, rs: bytes) -> bool:
        try:
            return bool(self._library.sm2_verify(self._public, data, der(rs), USER_ID))
        except (self._library.GmsslInnerError, ValueError):
            return False


# GB/T 32918.5, the curve of SM2
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93


def on_curve(public: bytes) -> bool:
    """Are these 64 bytes a point of SM2's curve? A mistyped key verifies nothing, and would be found out
    in the flood."""
    x, y = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


class Device:
    """place: `exec:COMMAND …`, or `tcp://HOST:PORT`; see the module. timeout_s: of one signature."""

    def __init__(self, place: str, timeout_s: float) -> None:
        self._place, self._timeout_s = place, timeout_s

    def sign(self, data: bytes) -> bytes:
        try:
            told = self._ask(data)
        except subprocess.TimeoutExpired as e:
            raise SignerError(Text("密码机没有答复", "the cipher device did not answer")) from e
        except (OSError, ValueError) as e:
            why = e.strerror if isinstance(e, OSError) and e.strerror else type(e).__name__
            words = Text("密码机不通：", "the cipher device cannot be reached: ")
            raise SignerError(words + str(why)) from e
        raw = _raw(told)
        try:
            block_of(raw)
        except Wrong as e:
            words = Text("密码机的答复不是 74 字节签名", "the cipher device gave no 74 bytes")
            raise SignerError(words + f" ({len(told)})") from e
        return raw

    def _ask(self, data: bytes) -> bytes:
        if self._place.startswith("exec:"):
            command = shlex.split(self._place.removeprefix("exec:"))
            done = subprocess.run(  # noqa: S603  # the district's own configuration names it
                command, input=data, capture_output=True, timeout=self._timeout_s, check=False
            )
            if done.returncode:
                code = f" (exit {done.returncode})"
                raise SignerError(Text("密码机拒签", "the cipher device refused") + code)
            return done.stdout[:_MOST]
        at = urlsplit(self._place)
        whom = (at.hostname or "", at.port or 0)
        with socket.create_connection(whom, self._timeout_s) as line:
            line.settimeout(self._timeout_s)
            until = time.monotonic() + self._timeout_s
            line.sendall(len(data).to_bytes(4, "big") + data)
            size = int.from_bytes(_take(line, 4, until), "big")
            return _take(line, size, until) if size <= _MOST else b""


def _take(line: socket.socket, size: int, until: float) -> bytes:
    """Raises TimeoutError at `until` (s, by time.monotonic), however it drips."""
    found = b""
    while len(found) < size:
        line.settimeout(max(0.001, until - time.monotonic()))
        if not (more := line.recv(size - len(found))):
            break
        found += more
    return found


def _raw(told: bytes) -> bytes:
    if len(told) == BLOCK:
        return told
    text = b"".join(told.split())
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.decode())
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


_NO_KEY = Text("不是 SM2 私钥（64 位十六进制）", "is no private key of SM2 (64 hex digits)")
_NO_PAIR = Text("私钥与公钥不是一对", "the private and the public key are no pair")
_NO_PUBLIC = Text(
    "不是 SM2 公钥（128 位十六进制，曲线上的点）",
    "is no public key of SM2 (128 hex digits, a point of the curve)",
)
