"""What send does for the nodes beside warnings: the time, key sets, mandates, and taking note of
what they did alone.

Everything is signed with the sender's key of the moment; a key set with the root's, by `fengsui
keys`. Messages go out without waiting for the broker: what is lost comes again with the next hello.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from config.language import Text, text_of
from config.records.district import District, Node
from dispatch.channels import SendError
from dispatch.channels.direct.node_seal import addressed
from dispatch.nodes.keys import Ring
from dispatch.nodes.mandate import Grant, mandate, withdrawn
from dispatch.nodes.protocol import (
    Beacon,
    Hello,
    Kind,
    Mandate,
    Message,
    NodeReport,
    Noted,
    Refused,
    opened,
    sign,
)
from dispatch.nodes.report import account
from dispatch.records import Delivery
from dispatch.send.outbox.state import Box
from stream.guard import fault
from stream.oplog import say

BEACON_MS = 15_000
_UNSENT = Text("授权未能发出：", "its mandate could not be sent: ")
_RENEW_MS = 86_400_000

Publish = Callable[[str, bytes], bool]


class Caretaker:
    """folder: the run's own. publish: to the broker, without waiting; False: it is away."""

    def __init__(
        self,
        district: District,
        prefix: str,
        kind: Kind,
        folder: Path,
        ring: Ring,
        publish: Publish,
    ) -> None:
        self._district, self._prefix, self._kind, self._ring = district, prefix, kind, ring
        self._publish = publish
        self._file = folder / "mandate.json"
        self._lock = threading.Lock()  # hellos come in the thread that hears
        self._beacon_at = 0
        self._stamp = -1
        self._grant: Grant | None = None
        self._mandates: dict[str, Mandate] = {}
        self._told: dict[str, Text] = {}  # node -> what was last wrong with it

    def private(self) -> bytes:
        """The sender's key of the moment."""
        return self._ring.private

    def look(self, at: int) -> None:
        """At the run's clock `at`: tell the time when it is due, and whatever is new."""
        with self._lock:
            if at < self._beacon_at + BEACON_MS:
                return
            self._refresh()
            if not self._publish(f"{self._prefix}/keys", self._ring.payload):
                return  # no broker: again at the next pass
            self._beacon_at = at
            self._all(Beacon(kind=self._kind, beacon_at=at))
            self._mandate_all(at)

    def _refresh(self) -> None:
        try:
            self._ring.refresh()
        except ValueError as e:
            say("send", text_of(e) + Text("；沿用旧密钥", "; going on with the key it has"))

    def _all(self, beacon: Beacon) -> None:
        self._publish(f"{self._prefix}/beacon", sign(self._ring.private, beacon))

    def _to(self, node: Node, message: Message) -> None:
        payload = addressed(node, sign(self._ring.private, message))
        self._publish(f"{self._prefix}/node/{node.id}/command", payload)

    def hello(self, node: Node, hello: Hello, at: int) -> None:
        """A node is there (again): the time with its nonce, and what it does not have yet."""
        with self._lock:
            if hello.keys < self._ring.keys.version:
                self._publish(f"{self._prefix}/keys", self._ring.payload)
            self._to(node, Beacon(kind=self._kind, beacon_at=at, nonce=hello.nonce[:64]))
            found = self._mandates.get(node.id)
            if found is not None and hello.mandate_at < found.issued_at:
                self._to(node, found)
            elif found is None and hello.mandate_at:
                self._mandate(node, at)  # nobody granted what it has

    def note(self, box: Box, node: Node, payload: bytes) -> Delivery | Refused | None:
        """A node's report: what the duty room is told of it; None if the log has that already: only
        then the node hears that it is noted."""
        keys = [bytes.fromhex(node.sign_key)] if node.sign_key else []
        found = opened(payload, NodeReport, self._kind, keys)
        if isinstance(found, Refused):
            return found
        if found.node != node.id:
            return Refused("wrong_node", found)
        area = self._district.areas[node.area]
        told = account(found, area, self._district.timezone, box.clock_at)
        if told.id not in box.entries:
            return told
        with self._lock:
            acts = (f"{found.act}/{found.state}",)
            self._to(node, Noted(node=node.id, kind=self._kind, acts=acts))
        return None

    def _mandate_all(self, at: int) -> None:
        """Mandates that are new, changed or a day old. The grant is read again when its file has
        changed; one that has ended withdraws them."""
        stamp = self._file.stat().st_mtime_ns if self._file.exists() else 0
        changed, self._stamp = stamp != self._stamp, stamp
        if changed:
            self._grant = read_grant(self._file)
        if self._grant is None and not self._mandates:
            return
        for node in self._district.nodes.values():
            known = self._mandates.get(node.id)
            if changed or known is None or at >= known.issued_at + _RENEW_MS:
                self._guarded(node, at)

    def _guarded(self, node: Node, at: int) -> None:
        """What is wrong with one node is told once and keeps nothing from the others."""
        try:
            self._mandate(node, at)
        except Exception as e:  # noqa: BLE001  # one node must not deafen the others
            why = text_of(e) if isinstance(e, SendError) else fault(e)
            words = f"{node.id}: " + _UNSENT + why
            if self._told.get(node.id) != words:
                self._told[node.id] = words
                say("send", words)
        else:
            self._told.pop(node.id, None)

    def _mandate(self, node: Node, at: int) -> None:
        grant = self._grant
        fresh = None
        if grant is not None and at < grant.until_at:
            fresh = mandate(self._district, node, grant, self._kind, at)
        self._mandates[node.id] = fresh or withdrawn(node.id, self._kind, at)
        self._to(node, self._mandates[node.id])


def read_grant(file: Path) -> Grant | None:
    """Raises nothing: a file that cannot be read grants nothing, and the journal says so."""
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Grant)
    except (msgspec.MsgspecError, OSError) as e:
        nothing = Text(
            "；不授权：请再 `fengsui mandate grant`",
            "; it grants nothing: run `fengsui mandate grant` again",
        )
        say("send", f"{file}: {e}" + nothing)
        return None
