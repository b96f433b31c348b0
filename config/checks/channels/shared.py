"""What two rows of channels.toml may not have in common: a modem's folder, a port that is listened on, an
account whose receipts go to whoever is bound, a key by which one could answer for the other. Each row would
work by itself, and together they lose or double what people should hear. Pure.
"""

import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from config.language import Text
from config.read.problem import Problem
from config.records.channels import Carrier, Channels
from config.records.sources import Sources

_FILE = "channels.toml"
_EVERY = ("", "0.0.0.0", "::", "*")  # noqa: S104  # compared, never listened on
_FOLDER = Text(
    "目录只能归一个程序用，另一条会取走它的回执",
    "is one program's folder: the other would take its receipts away",
)
_SPOOL = Text(
    "一台调制解调器一个目录，只写一条 [[carrier]]",
    "a folder for each modem, and one [[carrier]] for it",
)
_PORT = Text("端口只能由一处监听", "is a port that only one can listen on")
_OTHER_PORT = Text("换一个端口", "another port")
_ACCOUNT = Text(
    "是同一个账号：回执会到另一条去，并发和速率会算两遍",
    "is one account: its receipts would go to the other row, and its rate and window would count twice",
)
_ONE_ROW = Text("并成一条，或换账号", "make them one row, or use another account")
_PEER = Text(
    "是同一个平台：两条各自编号，会互相覆盖消息",
    "is one platform: the rows number their messages apart and would overwrite each other's",
)
_KEY = Text(
    "密钥与另一条相同，一方可以冒充另一方", "has the key of the other: one could pass for the other"
)
_OWN_KEY = Text("各用一个密钥", "a key for each")
_SAME = Text(
    "与另一条到同一处：坏了一起坏，限额会算两遍",
    "goes where the other goes: they fail together, and its limits would count twice",
)


class _Thing(NamedTuple):
    """What a row uses. what: kind and name; place: where it stands; two things of one `what` clash."""

    what: tuple[str, ...]
    place: str
    words: Text
    hint: Text


def shared_problems(channels: Channels, sources: Sources) -> list[Problem]:
    """Each thing that stands in two places, at the later of them."""
    found, seen = list[Problem](), dict[tuple[str, ...], str]()
    for thing in _things(channels, sources):
        first = next((seen[w] for w in _alike(thing.what, seen)), "")
        if first and first != thing.place:
            with_ = Text(f"与 {first} 相同：", f"as {first}: ")
            found.append(Problem(_FILE, 0, thing.place, with_ + thing.words, thing.hint))
        seen.setdefault(thing.what, thing.place)
    return found


def _alike(what: tuple[str, ...], seen: dict[tuple[str, ...], str]) -> Iterator[tuple[str, ...]]:
    """The same; of a port also who listens on every address, or on one where this listens on all."""
    if what in seen:
        yield what
    if what[0] == "port":
        for other in seen:
            if other[0] == "port" and other[1] == what[1] and {other[2], what[2]} & set(_EVERY):
                yield other


def _things(channels: Channels, sources: Sources) -> Iterator[_Thing]:
    for place in ("receipt_listen", "people_listen", "residents_listen"):
        yield from _port(getattr(channels, place), place)
    if channels.cap_feed_port:
        yield from _port(f"127.0.0.1:{channels.cap_feed_port}", "cap_feed_port")
    yield from _port(sources.listen, "sources.toml listen")
    rows = channels.carriers()
    for row in rows:
        yield from _of_row(row, f"carrier {row.name}")
    for row in (r for r in rows if r.receipt.posted and r.receipt.secret):
        what = ("token", row.receipt.secret)
        yield _Thing(what, f"carrier {row.name}.receipt.secret", _KEY, _OWN_KEY)
    release = channels.release
    if release.connected and urlsplit(release.url).scheme == "file":
        yield _folder(urlsplit(release.url).path, "release.url")
        if release.answers:
            yield _folder(release.answers, "release.answers")


def _of_row(row: Carrier, place: str) -> Iterator[_Thing]:
    end = _end(row.url)
    match row.kind:
        case "smsd":
            yield _folder(unquote(urlsplit(row.url).path), f"{place}.url", _SPOOL)
        case "ebd":
            yield from _port(row.platform.listen, f"{place}.platform.listen")
            if row.platform.theirs:
                peer = ("platform", row.platform.ours, row.platform.theirs)
                yield _Thing(peer, f"{place}.platform.theirs", _PEER, _ONE_ROW)
        case "sip":
            yield _Thing(("sip", *end, row.user), f"{place}.user", _ACCOUNT, _ONE_ROW)
        case "smpp":
            account = ("smpp", *end, row.user, row.system_type)
            yield _Thing(account, f"{place}.user", _ACCOUNT, _ONE_ROW)
        case "webhook":
            yield _Thing(("hook", row.url), f"{place}.url", _SAME, _ONE_ROW)
            if row.secret:
                yield _Thing(("webhook", row.secret), f"{place}.secret", _KEY, _OWN_KEY)
        case "smtp" | "http" | "apprise":
            form = [f"{k}={v}" for k, v in sorted({**row.fields, **row.params}.items())]
            same = (row.channel, row.kind, row.url, row.user, row.secret, row.sender, *form)
            yield _Thing(same, f"{place}.url", _SAME, _ONE_ROW)


def _folder(path: str, place: str, hint: Text = _ONE_ROW) -> _Thing:
    return _Thing(("folder", posixpath.normpath(path)), place, _FOLDER, hint)


def _port(listen: str, place: str) -> Iterator[_Thing]:
    host, _, port = listen.rpartition(":")
    if port.isdigit() and int(port):
        yield _Thing(("port", str(int(port)), host.strip("[]").lower()), place, _PORT, _OTHER_PORT)


def _end(url: str) -> tuple[str, str]:
    """Host and port, as far as it has any."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), str(parts.port or "5060" * url.startswith("sip"))
    except ValueError:
        return url, ""
