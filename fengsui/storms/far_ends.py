"""The world at the far end of every way out: carriers and their receipts, loudspeakers, the CAP feed, the
duty room's screen. It keeps what it was handed, for `invariants`."""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.district import District
from dispatch.channels import Channel, Parcel, SendError, SendResult
from dispatch.channels.direct.loudspeaker import Broadcast
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.rate_and_breaker import Lane
from dispatch.nodes.protocol import CarrierReceipt
from dispatch.records import Delivery, Route, State
from fengsui.storms.account import InHand
from fengsui.storms.plan import CARRIERS, Storm

_FAILS, _COOL_S = 3, 180.0


class World(NamedTuple):
    """What the far ends need of the machine: its step, the true time, send's clock, how much of the log
    is durable, a boundary, and how a state is noted as reached."""

    storm: Storm
    step: Callable[[], int]
    at: Callable[[], int]
    clock: Callable[[], int]
    written: Callable[[], int]
    boundary: Callable[[str], None]
    reached: Callable[[str], None]

    def suffers(self, kind: str, who: str) -> bool:
        """Does such a fault last now, for this one or for all?"""
        mine = (f for f in self.storm.faults if f.kind == kind and f.who in ("", who))
        return any(f.now(self.step()) for f in mine)


def share(*what: object) -> float:
    """A number in [0, 1) that belongs to these."""
    text = "|".join(map(str, what))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class FarCarrier:
    """One carrier: see `dispatch.channels.Carrier`. The same key again is the same message to it."""

    def __init__(self, name: str, channel: str, world: World, handed: list[InHand]) -> None:
        self.name, self._channel, self._world, self._handed = name, channel, world, handed
        self._due: list[tuple[int, str, str]] = []
        self._keys: list[str] = []
        self.heard: dict[str, Parcel] = {}  # what came to a telephone

    def send(self, parcel: Parcel) -> SendResult:
        world = self._world
        world.boundary("carrier")
        if world.suffers("down", self.name):
            raise SendError(Text("中断", "is down"))
        self._take(parcel)
        world.boundary("carried")
        if world.suffers("lost", self.name):
            world.reached("unsure")
            raise SendError(Text("超时", "timed out"))
        return SendResult("accepted")

    def _take(self, parcel: Parcel) -> None:
        world = self._world
        lies = world.suffers("lies", self.name)
        d, again = parcel.delivery, parcel.key in self.heard
        self._handed.append(
            InHand(
                world.at(), world.clock(), world.written(), self._channel, self.name, d,
                parcel.text, parcel.key, not lies,
            )
        )  # fmt: skip
        if again or lies:
            if lies:
                world.reached("lied")
            return
        self.heard[parcel.key] = parcel
        self._keys.append(parcel.key)
        fate, step = share(world.storm.seed, parcel.key), world.step()
        wait = 8 if world.suffers("late", self.name) else 0
        if wait:
            world.reached("late")
        if fate < 0.06:
            self._due.append((step + 1 + wait, parcel.key, "undelivered"))
            return
        self._due.append((step + wait, parcel.key, "delivered"))
        if d.must_answer and fate < 0.85:
            self._due.append((step + 1 + wait + int(fate * 4), parcel.key, "answered"))

    def receipts(self) -> Iterator[tuple[str, bytes]]:
        """What it says by now: the topic without the prefix, and the words."""
        world = self._world
        ready = sorted(x for x in self._due if x[0] <= world.step())
        self._due = [x for x in self._due if x[0] > world.step()]
        for _, key, status in ready:
            said = key
            if world.suffers("mixed", self.name):
                world.reached("another's")
                nth = int(share(key, status) * (len(self._keys) + 1))
                said = self._keys[nth] if nth < len(self._keys) else "0" * 24
            body = CarrierReceipt(key=said, status=status, at=world.at())
            yield f"receipt/{self._channel}", msgspec.json.encode(body)

    def probe(self) -> bool:
        return False

    def close(self) -> None:
        """It stays."""


class Sink:
    """A way out that ends where it is taken: the CAP feed, the screen of the duty room."""

    def __init__(self, channel: str, state: State, world: World, handed: list[InHand]) -> None:
        self._channel, self._state, self._world, self._handed = channel, state, world, handed

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        world = self._world
        world.boundary("carrier")
        self._handed.append(
            InHand(
                world.at(), world.clock(), world.written(), self._channel, self._channel, delivery,
                str(route.text), key, True,
            )
        )  # fmt: skip
        world.boundary("carried")
        return SendResult(self._state)


class _Noted:
    """A loudspeaker's channel, with what it publishes noted."""

    def __init__(self, real: Broadcast, world: World, handed: list[InHand]) -> None:
        self._real, self._world, self._handed = real, world, handed

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        world = self._world
        said = self._real.send(delivery, route, key)
        self._handed.append(
            InHand(
                world.at(), world.clock(), world.written(), "broadcast", delivery.recipient,
                delivery, str(route.text), key, True,
            )
        )  # fmt: skip
        return said


class FarEnds:
    """All of them, for one storm; they outlive whatever process sends."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.handed: list[InHand] = []
        self.carriers = {n: FarCarrier(n, n.split("-")[0], world, self.handed) for n in CARRIERS}

    def channels(
        self,
        district: District,
        prefix: str,
        private: Callable[[], bytes],
        publish: Callable[[str, bytes], None],
        clock: Callable[[], int],
        steady: Callable[[], float],
    ) -> dict[str, Channel]:
        """The ways out, as a process of send has them."""
        found: dict[str, Channel] = {}
        for channel in dict.fromkeys(n.split("-")[0] for n in CARRIERS):
            legs = [
                Leg(c, Lane(fails=_FAILS, cool_s=_COOL_S))
                for n, c in self.carriers.items()
                if n.startswith(channel)
            ]
            found[channel] = Carriers(district, channel, legs, clock, steady)
        real = Broadcast(district.nodes, prefix, "live", private, publish, clock)
        found["broadcast"] = _Noted(real, self.world, self.handed)
        ends: dict[str, State] = {"cap": "accepted", "cap_push": "accepted", "console": "delivered"}
        for channel, state in ends.items():
            found[channel] = Sink(channel, state, self.world, self.handed)
        return found
