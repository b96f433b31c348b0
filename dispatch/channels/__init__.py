"""The port of a channel: one way to reach people.

A channel is an object with `send(delivery, route, key) -> SendResult`. It promises:

- it tries once, and says how far that came; retry lives in the outbox alone;
- `key` goes with the message, so that the other side can drop a repetition;
- a carrier's failure is a `SendError`, and `permanent` says that the same attempt again would fail
  again; `detail` never holds a telephone number or an address;
- it never claims more than it knows: the words of a carrier are mapped to a state in
  `status_words`.

Most channels are `failover.Carriers`: one or several carriers (`Carrier`), one file each kind, with
a rate, a circuit breaker and a health probe each. What a carrier says later is a `CarrierWord`.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from config.language import Said, Text
from dispatch.records import Delivery, Route, State


class SendResult(NamedTuple):
    """How far an attempt came, and the carrier's words. refs: the carrier's own ids of the message,
    one a part, by which its delivery receipts name it."""

    state: State
    detail: Said = ""
    refs: tuple[str, ...] = ()


class SendError(Exception):
    """An attempt failed. `permanent`: the same again would fail again. `wait_s`: nothing was taken,
    the carrier is busy, come again after that. `down`: no carrier of the channel works. `blames_route`:
    it is the carrier's fault and not this message's, so that it counts against the carrier. `full`: all
    that it can do at once is under way, which is no wish that we come slower."""

    def __init__(
        self,
        detail: Said,
        *,
        permanent: bool = False,
        wait_s: float = 0.0,
        down: bool = False,
        blames_route: bool | None = None,
        full: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.wait_s = wait_s
        self.down = down
        self.full = full
        self.blames_route = not permanent and not wait_s if blames_route is None else blames_route


NOT_BY_MQTT = Text("MQTT 服务器未收：", "the MQTT broker did not take it: ")
NO_ROW = Text("没有配置通道", "no carrier configured")


def damaged(file: str, aside: str) -> Text:
    """A file of ours that says nothing any more, and is set aside: what it knew is not known."""
    return Text(
        f"{file} 已损坏，另存为 {aside}，从头记起",
        f"{file} is damaged: it lies aside as {aside}, and is begun anew",
    )


def unread(file: str, why: object) -> Text:
    """A file that cannot be read."""
    return Text(f"{file}: 读不到：{why}", f"{file}: cannot be read: {why}")


def unwritten(file: str, why: object) -> Text:
    """A file that cannot be written."""
    return Text(f"{file}: 写不了：{why}", f"{file}: cannot be written: {why}")


class Channel(Protocol):
    """See the module."""

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        """One attempt. Raises SendError. May be called from several threads."""
        ...


class Parcel(NamedTuple):
    """What a carrier is given: the address is known, the words are frozen.

    cost: messages of the carrier's rate (SMS segments). valid_s: seconds until it must not arrive.
    """

    to: str
    title: str
    text: str
    key: str
    cost: int
    valid_s: float
    delivery: Delivery


class CarrierWord(NamedTuple):
    """A carrier's later word on a message, named by our key or by its own ids as it writes them, the
    surest first; with a `sender`, a number, it is a message from that telephone, and `instead` is what
    it may say as well. numbers: that a receipt names. fault: what could not be read. done(kept): called
    once it is in the log (True), or is to be said again (False)."""

    channel: str
    carrier: str
    key: str
    refs: tuple[str, ...]
    status: str
    detail: Said = ""
    done: Callable[[bool], None] = lambda _: None
    sender: str = ""
    text: str = ""
    instead: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    fault: Said = ""


class Carrier(Protocol):
    """One far end of a channel."""

    name: str

    def send(self, parcel: Parcel) -> SendResult:
        """One attempt. Raises SendError. May be called from several threads."""
        ...

    def probe(self) -> bool:
        """Is the way open? Never reaches a person. Raises SendError if not; False: there is no way
        to ask."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
