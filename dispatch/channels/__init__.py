"""The port of a channel: one way to reach people, one file each.

A channel is an object with `send(delivery, route, key) -> Told`. It promises:

- it tries once, and says how far that came; retry lives in the outbox alone;
- `key` goes with the message, so that the other side can drop a repetition;
- a carrier's failure is a `SendError`, and `permanent` says that the same attempt again would fail
  again; `detail` never holds a telephone number or an address;
- it never claims more than it knows: the words of a carrier are mapped to a state in `table`.
"""

from typing import NamedTuple, Protocol

from dispatch.alert import Delivery, Route, State


class Told(NamedTuple):
    """How far an attempt came, and the carrier's words."""

    state: State
    detail: str = ""


class SendError(Exception):
    """An attempt failed."""

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent


class Channel(Protocol):
    """See the module."""

    def send(self, delivery: Delivery, route: Route, key: str) -> Told:
        """One attempt. Raises SendError. May be called from several threads."""
        ...
