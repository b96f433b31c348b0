"""The `[[carrier]]` rows of channels.toml as carriers. What a row asks for and cannot have is a
problem with its place, found before anything starts."""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import assert_never, get_args, get_type_hints
from urllib.parse import urlsplit

from config.checks.channels.release import release_problems, wis2_problems
from config.checks.channels.shared import shared_problems
from config.language import Said, Text, text_of
from config.read.problem import Problem
from config.records.channels import ADDRESS_COLUMN
from config.records.channels import Carrier as Row
from config.records.district import District
from dispatch.channels import Carrier, CarrierWord
from dispatch.channels.by_apprise.url import ByUrl, check
from dispatch.channels.email import Email
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.http.gateway import Gateway
from dispatch.channels.http.response import judges
from dispatch.channels.http.webhook import Webhook
from dispatch.channels.modem.carrier import SmsModem
from dispatch.channels.platform import declared as platform
from dispatch.channels.rate_and_breaker import Lane
from dispatch.channels.sip import declared as sip
from dispatch.channels.status_words import CARRIER, FINAL, PROOFS, WORDS
from dispatch.words.channel_names import CHANNEL_WORDS
from stream.environment import secret_at

FILE = "channels.toml"
_KINDS = {
    "sms": ("apprise", "http", "smpp", "smsd"),
    "app": ("apprise", "http"),
    "voice": ("http", "sip"),
    "email": ("smtp", "apprise"),
    "webhook": ("webhook",),
    "broadcast_platform": ("ebd",),
}
CHANNELS = tuple(_KINDS)
_SCHEMES = {
    "http": ("https", "http"),
    "smpp": ("smpp", "smpps"),
    "smtp": ("smtp", "smtps", "smtp+starttls"),
    "webhook": ("https", "http"),
    "ebd": ("http", "https"),
    "sip": ("sip", "sip+tcp"),
    "smsd": ("file",),
}


def problems(district: District) -> list[Problem]:
    """What is wrong with the carriers, by name and key."""
    if halves := list(half_made()):
        return halves  # no row can be judged by a table that lacks its channel
    found, names = list[Problem](), set[str]()
    found += release_problems(district.channels.release)
    found += wis2_problems(district.channels)
    found += shared_problems(district.channels, district.sources)
    for row in district.channels.carriers():
        for key, words, hint in (*_faults(row), *_refers(district, row)):
            found.append(Problem(FILE, 0, f"carrier {row.name}.{key}", words, hint))
        if row.name in names:
            found.append(Problem(FILE, 0, f"carrier {row.name}", *_TWICE))
        names.add(row.name)
    for key in ("not_woken_to", "reports_to"):
        for who in getattr(district.channels, key):
            if district.contacts and who not in district.contacts:
                found.append(Problem(FILE, 0, key, _no_contact(who), "contacts.csv"))
    for key in ("receipt_secret",):
        if not _is_place(getattr(district.channels, key)):
            found.append(Problem(FILE, 0, key, *_NOT_HERE))
    listen = district.channels.receipt_listen
    if listen and not re.fullmatch(r"[^:\s]+:\d{1,5}", listen):
        found.append(Problem(FILE, 0, "receipt_listen", _NO_ADDRESS, "HOST:PORT"))
    if not 1 <= district.channels.people_link_days <= 366:
        found.append(Problem(FILE, 0, "people_link_days", _OUT, "1 … 366"))
    found += _tokens(district)
    return found


def half_made() -> Iterator[Problem]:
    """A channel that one table of the program has and another lacks: a message would go out by other
    ways instead of its own, or besides it, and nobody would notice."""
    declared = get_type_hints(Row)
    tables: dict[str, Collection[str]] = {
        "config/records/channels.py, Carrier.channel": get_args(declared["channel"]),
        "config/records/channels.py, ADDRESS_COLUMN": ADDRESS_COLUMN,
        "dispatch/channels/declared.py, _KINDS": _KINDS,
    }
    ours: dict[str, Collection[str]] = {
        "dispatch/channels/status_words.py, FINAL": FINAL,
        "dispatch/channels/status_words.py, PROOFS": {p.channel for p in PROOFS},
        "dispatch/words/channel_names.py, CHANNEL_WORDS": CHANNEL_WORDS,
    }
    for channel in sorted(set().union(*tables.values())):
        for place, there in (tables | ours).items():
            if channel not in there:
                half = Text("渠道没有登记全", "a channel is half made")
                yield Problem(FILE, 0, channel, half, place)
    for kind in get_args(declared["kind"]):
        if not any(kind in kinds for kinds in _KINDS.values()):
            place = "dispatch/channels/declared.py, _KINDS"
            none = Text("没有渠道用它", "no channel takes this kind")
            yield Problem(FILE, 0, kind, none, place)
        if kind != "apprise" and kind not in _SCHEMES:
            place = "dispatch/channels/declared.py, _SCHEMES"
            none = Text("没有写它的网址以什么开头", "nothing says how its URL begins")
            yield Problem(FILE, 0, kind, none, place)


def _tokens(district: District) -> Iterator[Problem]:
    """Who posts receipts has a token of its own: with that of another it could answer for it."""
    settings = district.channels
    posting = [row for row in settings.carriers() if row.receipt.posted]
    sharing = [row for row in posting if not row.receipt.secret]
    if settings.receipt_listen and not settings.receipt_secret and (sharing or not posting):
        words = Text("缺少口令，谁都能发回执", "without a token anybody could post receipts")
        yield Problem(FILE, 0, "receipt_secret", words, "env:NAME")
    if settings.receipt_listen and len(posting) > 1:
        for row in sharing:
            words = Text(
                "须有自己的口令，不然可冒答别的通道",
                "shares its token with another carrier and could answer for it",
            )
            yield Problem(FILE, 0, f"carrier {row.name}.receipt.secret", words, "env:NAME")


_NOT_HERE = (
    Text("密钥不写在配置里", "a secret does not stand here"),
    Text("env:NAME 或 file:/PATH", "env:NAME or file:/PATH"),
)
_TWICE = (Text("重名", "stands twice"), Text("改名", "rename"))
_NO_ADDRESS = Text("不是地址", "is no address")
_OUT = Text("越界", "out of range")
Fault = tuple[str, Said, Said]


def _is_place(text: str) -> bool:
    return not text or text.startswith(("env:", "file:/"))


def _faults(row: Row) -> Iterator[Fault]:
    """Of the row by itself."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", row.name):
        letters = Text("字母、数字、- _", "letters, digits, - _")
        yield "name", Text("不能作代号", "cannot be a name"), letters
    if row.kind not in _KINDS[row.channel]:
        kinds = ", ".join(_KINDS[row.channel])
        words = Text(
            f"{row.kind} 不是 {row.channel} 的方式", f"{row.kind} is no kind of {row.channel}"
        )
        yield "kind", words, kinds
    for key, place in (("secret", row.secret), ("receipt.secret", row.receipt.secret)):
        if not _is_place(place):
            yield key, *_NOT_HERE
    if row.rate_per_s < 0 or row.burst < 1 or not 1 <= row.window <= 500:
        yield "rate_per_s", _OUT, "rate_per_s >= 0, burst >= 1, window 1 … 500"
    if row.kind == "apprise":
        try:
            check(row.url.replace("{secret}", "x"), row.name)
        except ValueError as e:
            yield "url", text_of(e), "docs/channels.md"
    else:
        yield from _url(row)
    yield from _of_kind(row)
    yield from _of_bots(row)
    known = WORDS.get(row.channel, CARRIER)
    for theirs, ours in row.receipt.words.items():
        if ours not in known:
            unknown = f"{ours!r} " + Text("不认识", "is not known")
            yield f"receipt.words.{theirs}", unknown, ", ".join(known)
    if row.receipt.status and not (row.receipt.key or row.receipt.id):
        yield "receipt.key", Text("回执认不出消息", "a receipt names no message"), "key, id"


def _of_bots(row: Row) -> Iterator[Fault]:
    """What a district says of a bot's limits."""
    if row.part_bytes and not 200 <= row.part_bytes <= 1_000_000:
        yield "part_bytes", _OUT, "200 … 1000000"
    if not 0 <= row.per_minute <= 100_000:
        yield "per_minute", _OUT, "0 … 100000"
    if row.kind != "apprise" and (row.part_bytes or row.per_minute):
        yield "part_bytes", Text("只用于 apprise", "is for apprise alone"), "rate_per_s"


def _of_kind(row: Row) -> Iterator[Fault]:
    """What each kind needs."""
    if bool(row.sign_with) != bool(row.sign_text):
        yield "sign_text", Text("签名不全", "half a signature"), "sign_with + sign_text"
    if bool(row.ok_field) != bool(row.ok_values):
        half = Text("判据不全", "half a test of the answer")
        yield "ok_values", half, "ok_field + ok_values"
    if row.ok_field and row.ok_text:
        two = Text("判据两样", "two tests of the answer")
        yield "ok_text", two, Text("ok_field 或 ok_text", "ok_field or ok_text")
    for key in ("ok_text", "id_text"):
        yield from _pattern(key, getattr(row, key))
    if row.kind == "http" and not row.fields:
        yield (
            "fields",
            Text("没有字段，什么也发不出", "has no fields: nothing would be sent"),
            'fields = { to = "{to}", text = "{text}" }',
        )
    if row.kind == "smtp" and "@" not in row.sender:
        yield "sender", Text("缺少发件地址", "a mail needs a sender"), "flood@example.gov.cn"
    if row.kind == "ebd":
        yield from platform.faults(row)
    if row.kind == "sip":
        yield from sip.faults(row)
    if row.kind == "webhook" and not row.secret:
        yield "secret", Text("缺少签名密钥", "a webhook is signed"), "env:NAME"


def _pattern(key: str, pattern: str) -> Iterator[Fault]:
    try:
        groups = re.compile(pattern).groups
    except re.error as e:
        wrong = Text("不是正则表达式：", "is no regular expression: ")
        yield key, wrong + str(e), "ok_text = '0(,|$)'"
        return
    if key == "id_text" and pattern and not groups:
        yield key, Text("没有括号", "has no group for the id"), "id_text = '^OK:(\\S+)'"


def unjudged(district: District) -> Iterator[Text]:
    """What `fengsui check` says of rows that take every 2xx for a yes."""
    for row in district.channels.carriers():
        if row.kind == "http" and not judges(row):
            how = 'ok_field + ok_values (JSON, XML), ok_text = "OK" (docs/channels.md)'
            yield f"{FILE}, carrier {row.name}: " + Text(
                f"答复无判据，2xx 即作已收；网关常以 200 拒收。{how}",
                f"nothing judges its answer: a gateway often says no under status 200. {how}",
            )


def _url(row: Row) -> Iterator[Fault]:
    schemes = _SCHEMES[row.kind]
    try:
        parts = urlsplit(row.url)
        port = parts.port
    except ValueError:
        yield "url", _NO_ADDRESS, f"{schemes[0]}://HOST:PORT"
        return
    if parts.scheme not in schemes or not parts.hostname:
        yield "url", _NO_ADDRESS, ", ".join(f"{s}://HOST:PORT" for s in schemes)
    if row.kind == "smpp" and not port:
        yield "url", Text("缺少端口", "needs a port"), "smpp://HOST:2775"
    if parts.password or parts.username:
        yield "url", *_NOT_HERE
    # without TLS only on this machine or a line of one's own
    if row.kind == "webhook" and parts.scheme == "http" and not _private(parts.hostname or ""):
        yield "url", Text("公网须加密", "needs TLS"), "https://"


def _private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _refers(district: District, row: Row) -> Iterator[Fault]:
    """To other files."""
    if row.kind == "webhook" and district.contacts and row.contact not in district.contacts:
        yield "contact", _no_contact(repr(row.contact)), "contacts.csv"
    if row.kind == "ebd":
        yield from platform.refers(district, row)


def _no_contact(who: str) -> Text:
    return f"{who} " + Text("不是联系人", "is no contact")


def channel_of(
    district: District,
    channel: str,
    rows: tuple[Row, ...],
    hear: Callable[[CarrierWord], None],
    clock: Callable[[], int],
    folder: Path | None = None,
) -> Carriers:
    """The live channel of these rows. folder: the run's own. Raises ValueError if a secret cannot be had."""
    legs = []
    for row in rows:
        if row.channel == channel:
            lane = Lane(row.rate_per_s, row.burst)
            legs.append(
                Leg(carrier_of(district, row, hear, clock, folder), lane, row.contact, row.last)
            )
    return Carriers(district, channel, legs, clock)


def carrier_of(
    district: District,
    row: Row,
    hear: Callable[[CarrierWord], None],
    clock: Callable[[], int],
    folder: Path | None = None,
) -> Carrier:
    """One carrier. Raises ValueError, naming it, if its secret cannot be had."""
    try:
        word = secret_at(row.secret)
        timeout_s = district.channels.attempt_timeout_s
        parts = urlsplit(row.url)
        match row.kind:
            case "smpp":
                from dispatch.channels.smpp.carrier import Smpp
                from dispatch.channels.smpp.session import Bind

                bind = Bind(
                    parts.hostname or "",
                    parts.port or 0,
                    parts.scheme == "smpps",
                    row.user,
                    word,
                    row.system_type,
                )
                return Smpp(
                    row.name,
                    bind,
                    hear,
                    source=row.sender,
                    long=row.long,
                    window=row.window,
                    timeout_s=timeout_s,
                )
            case "http":
                return Gateway(district, row, word)
            case "smtp":
                return Email(row.name, row.url, row.user, word, row.sender, timeout_s)
            case "webhook":
                return Webhook(row.name, row.url, word, timeout_s)
            case "apprise":
                return ByUrl(
                    row.name,
                    row.url,
                    word,
                    timeout_s,
                    part_bytes=row.part_bytes,
                    per_minute=row.per_minute,
                )
            case "ebd":
                return platform.made(district, row, word, folder, clock)
            case "sip":
                from dispatch.channels.sip.carrier import SipTrunk

                call_s = district.channels.call_within_s
                return SipTrunk(row, word, hear, timeout_s=timeout_s, call_s=call_s, folder=folder)
            case "smsd":
                return SmsModem(row.name, row.url, hear, timeout_s=timeout_s)
            case unknown:
                assert_never(unknown)
    except ValueError as e:
        raise ValueError(f"{FILE}, carrier {row.name}: " + text_of(e)) from None
