"""SMS, app pushes and chats through an apprise URL: WeCom, DingTalk, Feishu, Bark, ntfy, Matrix …

A URL template holds {to}, {key} and {secret}; for the services apprise knows see its own
documentation. How apprise and what its services answer are heard: dispatch/channels/by_apprise/response.py.

Several services say no under status 200, and apprise takes that for a yes (2.2: of those below all;
2.3: all but Feishu and Lark). So the answers themselves are judged here.
"""

import hashlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

from config.language import Said, Text, joined
from config.records.level import Action, Level
from dispatch.channels import NO_ROW, Parcel, SendError, SendResult
from dispatch.channels.by_apprise.limits import BotLimits, limits_of, most
from dispatch.channels.by_apprise.parts import parts
from dispatch.channels.by_apprise.taken import Taken
from dispatch.channels.http.post import refuse
from dispatch.channels.http.response import at, read, says_no
from stream.pace.rate_limit import RateLimit

if TYPE_CHECKING:
    import apprise

# its lines may hold telephone numbers, whatever level the program logs at
logging.getLogger("urllib3").setLevel(logging.WARNING)

_NOT_TAKEN = Text("服务未收：", "not taken: ")
# of services that say in their answer whether they took a message: the field (or its older name), the
# yes, and what means that it was too much at once (20 a minute: DingTalk's 130101, WeCom's 45009)
_JUDGED: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "dingtalk": (("errcode",), "0", ("130101",)),
    "wecombot": (("errcode",), "0", ("45009",)),
    "feishu": (("code", "StatusCode"), "0", ("11232",)),
    "lark": (("code", "StatusCode"), "0", ("11232",)),
    "schan": (("code",), "0", ()),
    "pushdeer": (("code",), "0", ()),
    "pushdeers": (("code",), "0", ()),
    "bark": (("code",), "200", ()),
    "barks": (("code",), "200", ()),
}


def drill_url(carrier_url: str, path: str) -> str:
    """The URL template of the simulated carrier of an exercise.

    Raises ValueError unless `carrier_url` is http:// on this machine: an exercise reaches no phone.
    """
    parts = urlsplit(carrier_url)
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise ValueError(
            Text(
                f"演练只发本机的模拟通道，不发 {carrier_url!r}；请用 http://127.0.0.1:PORT",
                "an exercise sends only to a simulated carrier on this machine, not to "
                f"{carrier_url!r}; use http://127.0.0.1:PORT",
            )
        )
    place = f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/{path}"
    return f"json://{place}?:to={{to}}&:key={{key}}&+X-Idempotency-Key={{key}}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, even localhost, leads where somebody says


def check(template: str, name: str) -> None:
    """Raises ValueError, naming the setting, if apprise does not know such a URL."""
    if _service(template, "0", "0", 1) is None:
        raise ValueError(
            f"channels.toml, {name}: "
            + Text("apprise 读不懂此 URL", "apprise does not understand this URL template")
        )


def _service(template: str, to: str, key: str, timeout_s: int) -> "apprise.NotifyBase | None":
    from dispatch.channels.by_apprise.response import (
        instantiate,  # at the first that a row or a message asks for
    )

    url = template.replace("{to}", quote(to, safe="")).replace("{key}", quote(key, safe=""))
    given = parse_qs(urlsplit(url).query)
    for option, value in (("cto", timeout_s), ("rto", timeout_s), ("redirect", "no")):
        if option not in given:
            url += f"{'&' if '?' in url else '?'}{option}={value}"
    return instantiate(url)


def post(service: "apprise.NotifyBase", title: str, body: str) -> None:
    """One message, once. Returned: the carrier has it. Raises SendError."""
    from dispatch.channels.by_apprise.response import heard, notify  # loaded by now

    heard.clear()
    sent = notify(service, title, body)
    for answer in (bodies := heard.bodies()):
        _judge(service, answer)
    if sent and (bodies or not _rule(service)):
        return
    status = heard.status()
    if status:
        refuse(status)
    raise SendError(
        Text("通道连不上或超时", "the carrier could not be reached or did not answer in time")
    )


def _names(service: "apprise.NotifyBase") -> tuple[str, ...]:
    """By which apprise knows the service."""
    names: list[str] = []
    for known in (service.secure_protocol, service.protocol):
        names += [known] if isinstance(known, str) else known or ()
    return tuple(names)


def _rule(service: "apprise.NotifyBase") -> tuple[tuple[str, ...], str, tuple[str, ...]] | None:
    return next((_JUDGED[n] for n in _names(service) if n in _JUDGED), None)


def _judge(service: "apprise.NotifyBase", body: bytes) -> None:
    """Raises SendError where the service says no under a status of yes."""
    if rule := _rule(service):
        fields, yes, busy = rule
        found = read(body)
        code = next((c for f in fields if (c := at(found, f))), "")
        if code == yes:
            return
        words = _NOT_TAKEN + f"{fields[0]} {code[:20]!r}"
        raise SendError(words, wait_s=1.0) if code in busy else SendError(words)
    if why := says_no(body, page=False):
        raise SendError(_NOT_TAKEN + why)


class ByUrl:
    """url: the template; secret: fills {secret}, so that no password stands in the district's folder.
    A 2xx answer is `accepted`: the carrier has it. What becomes of it comes later as receipts.

    A text that the service would refuse as too long goes as several messages, and is accepted when it has
    every one; which it has is remembered, so that the next attempt sends the others. part_bytes,
    per_minute: what the district says of the service (limits.py). now: seconds, never back."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        timeout_s: int,
        *,
        part_bytes: int = 0,
        per_minute: int = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._url = url.replace("{secret}", quote(secret, safe=""))
        self._timeout_s = timeout_s
        self._said = (part_bytes, per_minute)
        self._now = now
        self._taken = Taken()
        self._pacing = threading.Lock()
        self._paces: dict[float, RateLimit] = {}

    def send(self, parcel: Parcel) -> SendResult:
        if not self._url:
            raise SendError(NO_ROW, permanent=True)
        service = self._service(parcel)
        limits = limits_of(_names(service), *self._said)
        texts = parts(parcel.title, parcel.text, limits.room)
        # apprise knows where a service wants its title
        pieces = [("", text) for text in texts] if len(texts) > 1 else [(parcel.title, parcel.text)]
        which = hashlib.sha256("\0".join((parcel.to, parcel.key, *texts)).encode()).hexdigest()
        for n, (title, body) in enumerate(pieces):
            if n in self._taken.of(which):
                continue
            try:
                self._wait(limits, parcel)
                # anew for each: apprise makes one that has just sent wait for seconds
                post(self._service(parcel), title, body)
            except SendError as e:
                raise self._failed(e, len(self._taken.of(which)), len(pieces)) from e
            self._taken.add(which, n)
        self._taken.forget(which)
        return SendResult("accepted", _in_parts(len(pieces)) if len(pieces) > 1 else "")

    def _service(self, parcel: Parcel) -> "apprise.NotifyBase":
        service = _service(self._url, parcel.to, parcel.key, self._timeout_s)
        if service is None:
            words = Text("通道的 URL 不合此地址", "the carrier's URL does not fit this address")
            raise SendError(words, permanent=True)
        return service

    def _failed(self, e: SendError, taken: int, of: int) -> SendError:
        """The failure of a message, or of a part, with how many the service has."""
        detail: Said = e.detail
        if of > 1:
            some = Text(f"已收{taken}条，共{of}条", f"{taken} of {of} parts taken")
            detail = joined((detail, some), Text("；", "; "))
        if e.wait_s and "{to}" in self._url:  # one bot of many is busy: the others are not
            return SendError(detail, blames_route=False)
        return SendError(
            detail,
            permanent=e.permanent,
            wait_s=e.wait_s,
            down=e.down,
            blames_route=e.blames_route,
        )

    def _wait(self, limits: BotLimits, parcel: Parcel) -> None:
        """Takes a place in each window of this bot, which is the URL with its {to} filled in. Raises
        SendError where one has none: that is this message's to wait for, and nobody else's."""
        urgent = parcel.delivery.level == Level.RED or parcel.delivery.action == Action.MOVE
        bot = parcel.to if "{to}" in self._url else ""
        with self._pacing:  # many threads ask at once, and the last place is one
            now = self._now()
            for messages, within_s in limits.windows:
                pace = self._paces.setdefault(within_s, RateLimit(within_s))
                if wait_s := pace.wait(bot, now, most(messages, urgent)):
                    full = Text(
                        f"机器人条数已满，{wait_s:.0f}秒后有空",
                        f"the bot has had its messages, there is room in {wait_s:.0f} s",
                    )
                    raise SendError(full, blames_route=False)
            for messages, within_s in limits.windows:
                self._paces[within_s].lets(bot, now, messages)

    def probe(self) -> bool:
        """The service takes a connection; which service that is only some of apprise's URLs say."""
        service = _service(self._url, "0", "0", self._timeout_s)
        host, port = getattr(service, "host", None), getattr(service, "port", None)
        if not host:
            return False
        default = 443 if getattr(service, "secure", True) else 80
        try:
            socket.create_connection((host, int(port or default)), self._timeout_s).close()
        except OSError as e:
            why = e.strerror or type(e).__name__
            raise SendError(Text("连不上：", "no connection: ") + why) from e
        return True

    def close(self) -> None:
        """Nothing is kept open."""


def _in_parts(count: int) -> Text:
    return Text(f"分{count}条", f"in {count} parts")
