"""The loudspeakers of the proving ground: the real judgement of a node with simulated hands
(`simulators.nodes`), behind the broker."""

from collections.abc import Callable

import msgspec

from dispatch.nodes.judgement import Node as Judgement
from dispatch.nodes.keys import public_of
from dispatch.nodes.protocol import NodeAck
from dispatch.nodes.trust import Moment
from fengsui.storms.account import Sounded
from fengsui.storms.ground import PREFIX, ROOT, SENDER
from fengsui.storms.plan import NODES
from fengsui.storms.post import Post
from simulators.nodes import Nodes


class Boxes:
    """`sounded` is what they began to say. at: their clocks, which are right."""

    def __init__(self, post: Post, at: Callable[[], int], reached: Callable[[str], None]) -> None:
        self._post, self._at, self._reached = post, at, reached
        self._nodes = Nodes(NODES, public_of(SENDER), "live", public_of(ROOT))
        self.sounded: list[Sounded] = []

    def cut_off(self, names: set[str]) -> None:
        """These hear nothing now; the broker keeps what is for them."""
        self._nodes.offline = names

    def reboot(self, name: str) -> None:
        """It comes up with what it had written down, and nothing else."""
        node = self._nodes.nodes[name]
        if node.rules.playing is not None:
            self._reached("sounded when the power went")
        node.rules = Judgement(node.rules.setup, node.rules.kept, Moment(self._at(), self._at()))

    def hear(self) -> None:
        """What the broker has for them."""
        if any(self._post.waiting(name) for name in self._nodes.offline):
            self._reached("out of reach")
        for name in NODES:
            if name not in self._nodes.offline and (batch := self._post.batch(name)):
                self._post.ack(name, batch)
                for message in batch:
                    self._answer(*self._nodes.hear(name, message.payload, self._at()))

    def advance(self) -> None:
        """What has been played by now."""
        self._answer(*self._nodes.advance(self._at()))

    def _answer(self, *acks: NodeAck) -> None:
        for ack in acks:
            self._post.publish(f"{PREFIX}/node/{ack.node}/ack", msgspec.json.encode(ack))
        for name, node in self._nodes.nodes.items():
            self.sounded += [Sounded(name, job, self._at()) for job in node.heard]
            node.heard.clear()
