"""A platform's row of channels.toml: what is wrong with it or still to be asked of the county, and the
carrier that is made of it."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config.language import Said, Text
from config.records.channels import Carrier as Row
from config.records.devices.broadcast import STATES, Platform
from config.records.district import District
from config.records.level import HAZARD_ZH
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.platform.ebd.form import is_code
from dispatch.channels.platform.link import PlatformLink
from dispatch.channels.platform.register import Register
from dispatch.channels.platform.signer import Device, Public, Software, needs, on_curve
from dispatch.channels.status_words import PLATFORM

Fault = tuple[str, Said, Said]
_ASK = Text(
    "缺；公开资料里没有，请向平台要接口表",
    "is missing, and in no public text: ask the platform for its interface sheet",
)
_HEX64, _HEX128 = re.compile(r"[0-9A-Fa-f]{64}"), re.compile(r"(04)?[0-9A-Fa-f]{128}")
_SERIAL = re.compile(r"\d{1,12}")
_EVENT = re.compile(r"[0-9A-Z]{5}")
_LISTEN = re.compile(r"[^:\s]+:\d{1,5}")
_UNKNOWN = Text("不认识", "is not known")
_SOUND_S, _SOUND_BYTES = 30, 20_000_000


def faults(row: Row) -> Iterator[Fault]:
    """Of a row of kind ebd by itself: key, what, what to do."""
    p = row.platform
    for key in ("ours", "theirs"):
        code = getattr(p, key)
        if not is_code(code):
            words = Text("不是资源编码", "is no resource code") if code else _ASK
            yield f"platform.{key}", words, Text("18 或 23 位", "18 or 23 digits")
    if p.theirs and p.ours == p.theirs:
        yield "platform.theirs", _OURS, Text("平台自己的编码", "the platform's own code")
    if p.their_public and p.their_public.lower()[-128:] == p.public.lower()[-128:]:
        yield "platform.their_public", _OURS, Text("平台的公钥", "the platform's key")
    if not p.sender_code:
        yield "platform.sender_code", _ASK, 'sender_code = "…"'
    if not p.drill_type:
        yield "platform.drill_type", _ASK, "3 | 4 | 5"
    for order in ("prepare", "move"):
        if order not in p.order_severity:
            yield (
                f"platform.order_severity.{order}",
                _ASK,
                'order_severity = { prepare = "2", move = "1" }',
            )
    for key in sorted(p.order_severity.keys() - {"prepare", "move"}):
        yield f"platform.order_severity.{key}", _UNKNOWN, "prepare, move"
    yield from _keys(row)
    yield from _tables(p)
    yield from _door(p)


def _door(p: Platform) -> Iterator[Fault]:
    """Where the platform posts, and the numbers."""
    if p.listen and not _LISTEN.fullmatch(p.listen):
        yield "platform.listen", Text("不是地址", "is no address"), "HOST:PORT"
    if not p.listen:
        words = Text(
            "没有接收口：播出结果由平台另行推送，听不到",
            "has no door: what came of it would not be heard",
        )
        yield "platform.listen", words, 'listen = "0.0.0.0:8700"'
    if not re.fullmatch(r"/[A-Za-z0-9._/-]{0,100}", p.path):
        yield "platform.path", Text("不是路径", "is no path"), "/ebd"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", p.field):
        yield "platform.field", Text("不是字段名", "is no name of a field"), "file | upfile"
    least = {"heartbeat_s": 5, "silent_s": 0, "clock_s": 60, "air_min": 0, "list_every_h": 0}
    for key, low in {**least, "range_m": 0}.items():
        if not low <= getattr(p, key) <= 86_400:
            yield f"platform.{key}", Text("越界", "out of range"), f"{low} … 86400"


def _keys(row: Row) -> Iterator[Fault]:
    p = row.platform
    if not _SERIAL.fullmatch(p.serial):
        yield "platform.serial", _ASK if not p.serial else _NO_SERIAL, "CertSN"
    if p.layout == "long" and not _SERIAL.fullmatch(p.issuer):
        yield "platform.issuer", _ASK if not p.issuer else _NO_SERIAL, "IssuerID"
    yield from _signer(row)
    names = ("their_public", "public") if p.signer == "software" else ("their_public",)
    for name in names:
        yield from _public(name, getattr(p, name))
    if (missing := needs()) is not None:
        yield "kind", missing, "pip install 'fengsui[broadcast]'"


def _signer(row: Row) -> Iterator[Fault]:
    p = row.platform
    if p.signer == "software":
        if not row.secret:
            yield "secret", Text("缺私钥", "the private key is missing"), "env:NAME, file:/PATH"
    elif p.signer.startswith("exec:"):
        if not shlex.split(p.signer.removeprefix("exec:")):
            yield "platform.signer", Text("没有命令", "no command"), "exec:/opt/sjj/sign"
    elif not _is_socket(p.signer):
        yield "platform.signer", _UNKNOWN, "software | exec:COMMAND | tcp://HOST:PORT"


def _public(name: str, key: str) -> Iterator[Fault]:
    if not key:
        yield f"platform.{name}", _ASK, Text("公钥，128 位十六进制", "the key, 128 hex digits")
    elif not _HEX128.fullmatch(key):
        hint = Text("128 位十六进制", "128 hex digits")
        yield f"platform.{name}", Text("不是公钥", "is no public key"), hint
    elif not on_curve(bytes.fromhex(key)[-64:]):
        yield f"platform.{name}", Text("不是曲线上的点", "is no point of the curve"), _MISTYPED


_OURS = Text("和我方的一样", "is the same as ours")
_MISTYPED = Text("抄错了？", "mistyped?")
_NO_SERIAL = Text("不是编号", "is no number of a certificate")


def _is_socket(place: str) -> bool:
    try:
        parts = urlsplit(place)
        return parts.scheme == "tcp" and bool(parts.hostname and parts.port)
    except ValueError:
        return False


def _tables(p: Platform) -> Iterator[Fault]:
    for hazard, event in p.events.items():
        if hazard not in HAZARD_ZH:
            yield f"platform.events.{hazard}", _UNKNOWN, ", ".join(HAZARD_ZH)
        elif not _EVENT.fullmatch(event):
            yield f"platform.events.{hazard}", Text("不是事件编码", "is no EventType"), "11A51"
    for code, word in p.states.items():
        if word not in STATES.values():
            known = ", ".join(w for w in PLATFORM if w in STATES.values())
            yield f"platform.states.{code}", f"{word!r} " + _UNKNOWN, known


def refers(district: District, row: Row) -> Iterator[Fault]:
    """To other files: whose it is, and that it is spoken to in Chinese."""
    who = district.contacts.get(row.contact)
    if not district.contacts:
        return
    if who is None:
        words = f"{row.contact!r} " + Text("不是联系人", "is no contact")
        yield (
            "contact",
            words,
            Text("contacts.csv 里登记平台", "the platform is a row of contacts.csv"),
        )
    elif who.role != "organisation" or "broadcast_platform" not in who.channels or who.lang != "zh":
        hint = "role organisation, channels broadcast_platform, lang zh"
        yield "contact", Text("联系人不像平台", "this contact is no platform"), hint


def made(
    district: District, row: Row, word: str, folder: Path | None, clock: Callable[[], int]
) -> ByPlatform:
    """word: the private key. folder: the run's own; None: nothing is kept. Raises ValueError for a key
    that is none."""
    p = row.platform
    if (missing := needs()) is not None:
        raise ValueError(missing)
    timeout_s = district.channels.attempt_timeout_s
    signer: Software | Device
    if p.signer == "software":
        if not _HEX64.fullmatch(word):
            raise ValueError(Text("私钥应为 64 位十六进制", "the private key has 64 hex digits"))
        public = bytes.fromhex(p.public)[-64:]
        signer = Software(bytes.fromhex(word), public, p.serial, lambda: clock() / 1000)
    else:
        signer = Device(p.signer, timeout_s)
    file = None if folder is None else folder / "platform" / f"{row.name}.json"
    verifier = Public(bytes.fromhex(p.their_public))
    link = PlatformLink(district, row, signer, verifier, Register(file, p.ours, clock), clock)
    return ByPlatform(link, _speaker(p.sound) if p.sound else None)


def _speaker(command: str) -> Callable[[str], bytes]:
    """Text on its standard input, MP3 on its standard output."""

    def speak(text: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  # the district's own configuration names it
                shlex.split(command), input=text.encode(), capture_output=True, timeout=_SOUND_S, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired as e:
            raise TimeoutError from e
        if done.returncode or not 0 < len(done.stdout) <= _SOUND_BYTES:
            raise ValueError(f"exit {done.returncode}, {len(done.stdout)} B")
        return done.stdout

    return speak
