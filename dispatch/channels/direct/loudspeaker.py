"""Village loudspeakers: a signed command over MQTT to one node.

An attempt ends as `sent`: the broker has the command. `accepted`, `playing` and `played` come from
the node itself (`P/node/{node}/ack`).
"""

from collections.abc import Callable, Mapping

from config.language import Text, text_of
from config.records.district import Node
from config.records.level import Action, Level
from dispatch.channels import NOT_BY_MQTT, SendError, SendResult
from dispatch.channels.direct.node_seal import addressed
from dispatch.nodes.protocol import Command, Kind, sign
from dispatch.records import Delivery, Route

# how often the text is said and how loud (per cent): the more urgent, the more
_REPEAT_VOLUME: dict[Level, tuple[int, int]] = {
    Level.NONE: (2, 70),
    Level.BLUE: (2, 70),
    Level.YELLOW: (2, 80),
    Level.ORANGE: (3, 90),
    Level.RED: (3, 100),
}
_FOR_ACTION: dict[Action, tuple[int, int]] = {
    Action.NONE: (0, 0),
    Action.PREPARE: (3, 90),
    Action.MOVE: (5, 100),
}


class Broadcast:
    """nodes: the district's, by id. prefix: `fengsui/{run}/{district}`. private_key(): the sender's
    of the moment. publish(topic, payload) returns when the broker has it and raises OSError if it
    has not. now: the run's clock, epoch ms."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        prefix: str,
        kind: Kind,
        private_key: Callable[[], bytes],
        publish: Callable[[str, bytes], None],
        now: Callable[[], int],
    ) -> None:
        self._nodes = nodes
        self._prefix = prefix
        self._kind: Kind = kind
        self._private_key = private_key
        self._publish = publish
        self._now = now

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        node = self._nodes.get(delivery.recipient)
        if node is None:  # it becomes part of a topic
            who = delivery.recipient
            raise SendError(Text(f"没有终端 {who}", f"there is no node {who}"), permanent=True)
        command = command_for(delivery, route, key, self._kind, self._now())
        payload = addressed(node, sign(self._private_key(), command))
        try:
            self._publish(f"{self._prefix}/node/{delivery.recipient}/command", payload)
        except OSError as e:
            raise SendError(NOT_BY_MQTT + text_of(e)) from e
        return SendResult("sent")


def command_for(d: Delivery, route: Route, key: str, kind: Kind, issued_at: int) -> Command:
    """The command of an attempt; a repetition has the same `id`."""
    level, action = max(d.level, d.most_level), max(d.action, d.most_action)
    by_level, by_action = _REPEAT_VOLUME[level], _FOR_ACTION[action]
    return Command(
        id=key,
        node=d.recipient,
        alert=d.alert,
        version=d.version,
        area=d.area,
        level=level,
        action=action,
        # the end of one of several warnings ends nothing of the place
        msg_type="update" if d.msg_type == "cancel" and (level or action) else d.msg_type,
        kind=kind,
        text=str(route.text),
        repeat=max(by_level[0], by_action[0]),
        volume=max(by_level[1], by_action[1]),
        issued_at=issued_at,
        expires_at=d.expires_at,
        also=tuple(place.rpartition("/")[0] for place in d.beside),
    )
