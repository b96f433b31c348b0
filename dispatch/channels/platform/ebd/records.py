"""What packets say, one record a body. Times are epoch ms, None where none stands or it is no time.
Codes of terminals are text: real lists keep no length. Pure."""

from typing import NamedTuple


class Attached(NamedTuple):
    """An Auxiliary: a file in the tar, or the address of a stream. kind: 2 MP3, 61 stream."""

    kind: str
    name: str
    size: int | None = None


class Ebm(NamedTuple):
    """A message to be broadcast. type: 1 real, 2 cancel; 3 … 5 are drills, and platforms differ. severity:
    1 red … 4 blue, 0 unknown. related: the EBMID that is meant, where it is not `id`. areas: 12-digit
    division codes."""

    id: str
    type: str
    sender: str
    sender_code: str
    sent_at: int | None
    event: str
    severity: str
    start_at: int | None
    end_at: int | None
    language: str
    title: str
    text: str
    areas: tuple[str, ...]
    attached: tuple[Attached, ...] = ()
    related: str = ""


class EbdResponse(NamedTuple):
    """The answer to a packet. code: 0 received, 1 received and correct, 2 unreadable, 3 content missing,
    4 signature wrong, 5 other."""

    code: str
    words: str = ""


class PlayedBy(NamedTuple):
    """One piece of equipment of a state response. code: of the equipment; "" where it names none."""

    code: str
    state: str
    start_at: int | None = None
    end_at: int | None = None


class BroadcastState(NamedTuple):
    """How a broadcast stands. code: 0 not handled, 1 waits, 2 on air, 3 done, 4 failed, 5 cancelled (2018).
    counts: platforms, adapters, transmission devices, terminals that played; () where not told."""

    message: str
    code: str
    words: str
    told_at: int | None
    rate: str = ""
    areas: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    by: tuple[PlayedBy, ...] = ()


class BroadcastStates(NamedTuple):
    """EBMStateResponse (one) or EBMBrdLog (any number)."""

    states: tuple[BroadcastState, ...]
    log: bool = False


class StateRequest(NamedTuple):
    """How does this broadcast stand?"""

    message: str


class OmdRequest(NamedTuple):
    """What is wanted: the name of a body. report: Full or Incremental."""

    what: str
    start_at: int | None = None
    end_at: int | None = None
    report: str = "Full"


class Equipment(NamedTuple):
    """One item of a list. gone: it is told as deleted."""

    code: str
    name: str
    lon: float | None
    lat: float | None
    told_at: int | None
    parent: str = ""
    gone: bool = False


class EquipmentList(NamedTuple):
    """kind: PS platform, ST station, AS adapter, BS transmission device, DT terminal."""

    kind: str
    items: tuple[Equipment, ...]


class EquipmentState(NamedTuple):
    """code of the state: 1 on, 2 off, 3 fault, 4 recovered, 5 broadcasting."""

    code: str
    state: str
    words: str
    told_at: int | None


class EquipmentStates(NamedTuple):
    """See `EquipmentList`."""

    kind: str
    items: tuple[EquipmentState, ...]


class ConnectionCheck(NamedTuple):
    """The heart-beat."""

    told_at: int | None


class UnknownBody(NamedTuple):
    """A body that nobody here knows: EBDNotify and other words of one maker."""

    name: str


Body = (
    Ebm
    | EbdResponse
    | BroadcastStates
    | StateRequest
    | OmdRequest
    | EquipmentList
    | EquipmentStates
    | ConnectionCheck
    | UnknownBody
)


class Ebd(NamedTuple):
    """The envelope. source, dest: resource codes; dest may be "". related: the EBDID that it answers, which
    means something in an EBDResponse alone: unasked reports carry nonsense in it."""

    id: str
    source: str
    dest: str
    sent_at: int | None
    body: Body
    related: str = ""
    version: str = ""
