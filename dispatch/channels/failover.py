"""A channel of one or several carriers in order: of those that are well and have room the one with
the fewest attempts under way takes the message (the first of equals, so that a quiet channel uses the
first), and the next stands in when it fails. Under load each takes what its own speed allows.

An attempt asks each carrier at most once. A carrier that did not answer may have taken it, and the
next then sends it again: twice beats never.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from config.language import Said, Text, each, en, joined, zh
from config.records.district import District
from dispatch.channels import NO_ROW, Carrier, Parcel, SendError, SendResult
from dispatch.channels.addresses import address, with_code
from dispatch.channels.rate_and_breaker import Health, Lane
from dispatch.records import Delivery, Route
from stream.guard import fault, once

NO_CARRIER = Text("本渠道的通道全断", "no carrier of this channel works")


class Leg(NamedTuple):
    """A carrier and its pace. only: the one recipient it is for; "" for everybody. last: it is asked when
    no other one works, and not because they are busy."""

    carrier: Carrier
    lane: Lane
    only: str = ""
    last: bool = False


class Carriers:
    """channel: whose addresses it takes. legs: in order; none: every attempt fails for good.
    clock: the run's, epoch ms. told(carrier name, health, words): a carrier went down or came
    back."""

    def __init__(
        self,
        district: District,
        channel: str,
        legs: Sequence[Leg],
        clock: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channel = channel
        self.legs = tuple(legs)
        self.told: Callable[[str, Health, Said], None] = lambda *_: None
        self._district = district
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._said: dict[str, Health] = {}
        self._under_way = dict.fromkeys((leg.carrier.name for leg in self.legs), 0)

    def wait_s(self) -> float:
        """Seconds until some carrier has room; 0 when none works, so that nobody waits for it."""
        with self._lock:
            now = self._now()
            well = [g for g in self.legs if g.lane.health(now) != "down"]
            rooms = [g.lane.wait_s(now) for g in well if not g.last] or [
                g.lane.wait_s(now) for g in well
            ]
        return min(rooms, default=0.0)

    def down(self) -> bool:
        """No carrier works, and none is due to be tried."""
        with self._lock:
            now = self._now()
            return bool(self.legs) and all(g.lane.health(now) == "down" for g in self.legs)

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        to = address(self._district, delivery.recipient, self.channel)
        legs = [leg for leg in self.legs if leg.only in ("", delivery.recipient)]
        if not legs:
            raise SendError(NO_ROW, permanent=True)
        valid_s = max(0.0, (delivery.expires_at - self._clock()) / 1000)
        title = "" if self.channel == "sms" else route.title  # it would make the text longer
        title, text = (en(x) if delivery.lang == "en" else zh(x) for x in (title, route.text))
        text = with_code(self._district, delivery.recipient, text)
        parcel = Parcel(to, title, text, key, max(1, route.segments), valid_s, delivery)
        errors: list[SendError] = []
        waits: list[float] = []  # of carriers that took nothing and are well
        with self._lock:
            legs.sort(key=lambda leg: (leg.last, self._under_way[leg.carrier.name]))
        for leg in legs:
            if leg.last and waits:  # they work, and will have room
                break
            with self._lock:
                now = self._now()
                if leg.lane.health(now) == "down":
                    continue
                if (wait_s := leg.lane.wait_s(now)) > 0:
                    waits.append(wait_s)
                    continue
                leg.lane.begin(now, parcel.cost)
                self._under_way[leg.carrier.name] += 1
            try:
                told = leg.carrier.send(parcel)
            except Exception as e:  # noqa: BLE001  # whatever one does, the next one is asked
                why = _why(e)
                self._failed(leg, why, parcel.cost)
                if why.wait_s:
                    waits.append(why.wait_s)
                else:
                    errors.append(why)
                continue
            finally:
                with self._lock:
                    self._under_way[leg.carrier.name] -= 1
            with self._lock:
                leg.lane.succeeded()
            self._say(leg, "")
            return told._replace(detail=_by(leg.carrier.name, told.detail))
        if waits and all(not e.permanent for e in errors):
            raise SendError(Text("通道全忙", "every carrier is busy"), wait_s=min(waits))
        if not errors:
            raise SendError(NO_CARRIER, down=True)
        whole: Said = errors[0].detail
        if errors[1:]:
            whole = joined((e.detail for e in errors), Text("；", "; "))
        raise SendError(whole, permanent=all(e.permanent for e in errors))

    def probe(self) -> list[tuple[str, bool, Said]]:
        """Ask every carrier that can be asked whether it is there: (carrier, well, words)."""
        found: list[tuple[str, bool, Said]] = []
        for leg in self.legs:
            try:
                asked = leg.carrier.probe()
            except Exception as e:  # noqa: BLE001  # a way that cannot be asked is no way
                with self._lock:
                    leg.lane.failed(self._now(), probe=True)
                why = _why(e)
                self._say(leg, why.detail)
                found.append((leg.carrier.name, False, why.detail))
                continue
            if not asked:
                continue
            with self._lock:
                leg.lane.succeeded()
            self._say(leg, "")
            found.append((leg.carrier.name, True, ""))
        return found

    def close(self) -> None:
        """Let go of every carrier's connections."""
        for leg in self.legs:
            leg.carrier.close()

    def _failed(self, leg: Leg, e: SendError, cost: int) -> None:
        with self._lock:
            if e.full:
                leg.lane.unused(cost)
            elif e.wait_s:
                leg.lane.busy(self._now(), cost, e.wait_s)
            elif e.blames_route:
                leg.lane.failed(self._now())
            else:
                leg.lane.succeeded()
        self._say(leg, e.detail)

    def _say(self, leg: Leg, words: Said) -> None:
        """Once for each change."""
        name = leg.carrier.name
        with self._lock:
            health = leg.lane.health(self._now())
            new: Health = "up" if health == "up" else "down"
            if self._said.get(name, "up") == new:
                return
            self._said[name] = new
            self.told(name, new, words)


def _by(carrier: str, detail: Said) -> Said:
    """What a carrier said, with its name before it."""
    return each(detail, lambda half: f"{carrier} {half}".strip())


def _why(e: Exception) -> SendError:
    """An error that nobody declared is the carrier's fault, and its words may hold a number: only
    its kind and place are kept."""
    if isinstance(e, SendError):
        return e
    detail = Text("程序出错 ", "program error ") + fault(e)
    once("send", detail)
    return SendError(detail, permanent=True, blames_route=True)
