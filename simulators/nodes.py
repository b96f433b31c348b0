"""Village loudspeakers: the real judgement of a node (dispatch.nodes.judgement) with simulated hands.
They verify what they are told, play it in the scenario's time, and say so."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from config.language import Text
from dispatch.nodes.judgement import Node as Judgement
from dispatch.nodes.memory import Effect, Job, Kept, Play, Setup, Stop
from dispatch.nodes.protocol import KeySet, Kind, NodeAck, TrustedKey
from dispatch.nodes.trust import Moment, NodeTrust

_CHARACTERS_A_SECOND = 4.5  # slow, clear speech
_TIMES = 3  # a villager's patience in a simulation: of more repetitions the first are counted


def length_ms(job: Job) -> int:
    """How long a text sounds."""
    return int(len(job.text) / _CHARACTERS_A_SECOND * min(job.repeat, _TIMES) * 1000)


def first_keys(public_key: bytes, kind: Kind) -> KeySet:
    """The key set of a node that was set up with one sender's key."""
    key = TrustedKey(public=public_key.hex())
    return KeySet(kind=kind, version=0, issued_at=0, keys=(key,))


@dataclass
class Node:
    """One loudspeaker: `heard` is what it began to say, `ends_at` when the present text is over."""

    id: str
    rules: Judgement
    heard: list[Job] = field(default_factory=list)
    ends_at: int = 0
    out: list[Effect] = field(default_factory=list)  # reports and greetings, for whoever asks

    @property
    def refused(self) -> dict[str, int]:
        """Reason -> how often."""
        return dict(self.rules.refused)


class Nodes:
    """All loudspeakers of a district. `kind` is what they were set up for; public_key: the sender's;
    root: the district's root key, for key sets. Their clocks are right."""

    def __init__(
        self,
        names: Sequence[str],
        public_key: bytes,
        kind: Kind,
        root: bytes = bytes(32),
        box_keys: dict[str, bytes] | None = None,
    ) -> None:
        keys = first_keys(public_key, kind)
        self.nodes = {}
        for name in names:
            setup = Setup(name, kind, (box_keys or {}).get(name, b""))
            kept = Kept(trust=NodeTrust(root=root.hex(), keys=keys), tested_at=2**53)
            rules = self.nodes[name] = Node(name, Judgement(setup, kept, Moment(0, 0)))
            rules.rules.battery = 93.0
        self.offline: set[str] = set()

    def hear(self, name: str, payload: bytes, now_at: int, calendar: bool = True) -> list[NodeAck]:
        """A message came in at the node's clock `now_at`; calendar: does it know the date?"""
        node = self.nodes.get(name)
        if node is None or name in self.offline:
            return []
        moment = Moment(now_at, now_at if calendar else None)
        acks = self._do(node, node.rules.hear(payload, moment), now_at)
        return acks + self._do(node, node.rules.advance(moment), now_at)

    def advance(self, now_at: int, calendar: bool = True) -> list[NodeAck]:
        """What has been played by now."""
        acks = []
        for node in self.nodes.values():
            if node.id in self.offline:
                continue
            while node.rules.playing is not None and node.ends_at <= now_at:
                job, over = (
                    node.rules.playing[0],
                    Moment(node.ends_at, node.ends_at if calendar else None),
                )
                acks += self._do(node, node.rules.finished(job, True, Text("", ""), over), over.run)
                acks += self._do(node, node.rules.advance(over), over.run)
            moment = Moment(now_at, now_at if calendar else None)
            acks += self._do(node, node.rules.advance(moment), now_at)
        return acks

    def _do(self, node: Node, effects: list[Effect], at: int) -> list[NodeAck]:
        acks = []
        for effect in effects:
            match effect:
                case NodeAck():
                    acks.append(effect)
                case Play(job):
                    node.heard.append(job)
                    node.ends_at = at + length_ms(job)
                case Stop():
                    node.ends_at = at
                case _:
                    node.out.append(effect)
        return acks
