"""Topics of Sparkplug B 3.0: spBv1.0/GROUP/TYPE/EDGE and spBv1.0/GROUP/TYPE/EDGE/DEVICE. Pure."""

from typing import NamedTuple

SPACE = "spBv1.0"
_NODE = ("NBIRTH", "NDATA", "NDEATH")
_DEVICE = ("DBIRTH", "DDATA", "DDEATH")


class EdgeTopic(NamedTuple):
    """Whose message it is. device: "" of the node itself."""

    group: str
    kind: str
    edge: str
    device: str = ""

    @property
    def who(self) -> str:
        """The node or device in words."""
        return "/".join(part for part in (self.group, self.edge, self.device) if part)


def read_topic(topic: str) -> EdgeTopic | None:
    """A message of an edge node; None for any other topic: commands, states of hosts, what is none."""
    match topic.split("/"):
        case [space, group, kind, edge] if space == SPACE and kind in _NODE:
            return EdgeTopic(group, kind, edge)
        case [space, group, kind, edge, device] if space == SPACE and kind in _DEVICE:
            return EdgeTopic(group, kind, edge, device)
    return None


def said(group: str, edge: str) -> tuple[str, ...]:
    """Filters of all that a node and its devices publish."""
    return (
        *(f"{SPACE}/{group}/{kind}/{edge}" for kind in _NODE),
        *(f"{SPACE}/{group}/{kind}/{edge}/+" for kind in _DEVICE),
    )


def command(group: str, edge: str) -> str:
    """Where a host speaks to a node."""
    return f"{SPACE}/{group}/NCMD/{edge}"


def state(host: str) -> str:
    """Where a host says whether it is there."""
    return f"{SPACE}/STATE/{host}"


def heard(group: str, edge: str) -> tuple[str, ...]:
    """What a node listens to: commands to it and its devices, and which hosts are there. `#` is its own level
    too (MQTT 3.1.1, section 4.7.1.2): Eclipse Tahu's client subscribes to `NCMD/EDGE/#`."""
    return command(group, edge) + "/#", f"{SPACE}/{group}/DCMD/{edge}/#", f"{SPACE}/STATE/+"
