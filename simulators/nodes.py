"""Village loudspeakers: verify what they are told, play it in the scenario's time, and say so."""

from dataclasses import dataclass, field

import msgspec

from dispatch.node_wire import Command, Kind, NodeAck, verify

_CHARACTERS_A_SECOND = 4.5  # slow, clear speech


@dataclass
class Node:
    """One loudspeaker; `said` is the last state it sent for each command."""

    id: str
    seen: set[str] = field(default_factory=set)
    highest: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    playing: list[tuple[int, str]] = field(default_factory=list)  # ends at, command id
    heard: list[Command] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


class Nodes:
    """All loudspeakers of a district. `kind` is what they were set up for."""

    def __init__(self, names: list[str], public_key: bytes, kind: Kind) -> None:
        self.nodes = {n: Node(n) for n in names}
        self._public_key = public_key
        self._kind: Kind = kind
        self.offline: set[str] = set()

    def hear(self, name: str, payload: bytes, now_at: int) -> list[NodeAck]:
        """A command came in at the node's clock `now_at`."""
        node = self.nodes.get(name)
        if node is None or name in self.offline:
            return []
        found = verify(
            self._public_key,
            payload,
            node=name,
            kind=self._kind,
            now_at=now_at,
            seen=node.seen,
            highest_version=node.highest,
        )
        if not isinstance(found, Command):
            node.refused[found.reason] = node.refused.get(found.reason, 0) + 1
            if found.command is None:
                return []
            if found.reason == "seen":
                state = node.said[found.command.id]
                return [self._ack(name, found.command.id, state, now_at)]
            return [self._ack(name, found.command.id, "refused", now_at, found.reason)]
        node.seen.add(found.id)
        node.highest[found.alert] = found.version
        node.heard.append(found)
        length_s = len(found.text) / _CHARACTERS_A_SECOND * min(found.repeat, 3)
        starts = max([end for end, _ in node.playing], default=now_at)
        node.playing.append((starts + int(length_s * 1000), found.id))
        node.said[found.id] = "playing"
        return [
            self._ack(name, found.id, "accepted", now_at),
            self._ack(name, found.id, "playing", now_at),
        ]

    def advance(self, now_at: int) -> list[NodeAck]:
        """What has been played by now."""
        acks = []
        for node in self.nodes.values():
            done = [x for x in node.playing if x[0] <= now_at and node.id not in self.offline]
            for item in done:
                node.playing.remove(item)
                node.said[item[1]] = "played"
                acks.append(self._ack(node.id, item[1], "played", item[0]))
        return acks

    @staticmethod
    def _ack(node: str, command: str, state: str, at: int, detail: str = "") -> NodeAck:
        return msgspec.convert(
            {
                "node": node,
                "id": command,
                "state": state,
                "at": at,
                "battery": 93.0,
                "detail": detail,
            },
            NodeAck,
        )
