"""What a loudspeaker remembers, and what its judgement tells its hands to do. Pure."""

from typing import Literal, NamedTuple

import msgspec

from config.records.level import Action, Level
from dispatch.nodes.protocol import Kind, Mandate, NodeAck, NodeReport
from dispatch.nodes.standalone import Alone
from dispatch.nodes.trust import NodeTrust

RED_FLOOR = (
    85  # per cent: red and 立即转移 are never quieter, whatever the command or the knob says
)


class Setup(NamedTuple):
    """What a node is: set once. box_key: its X25519 private key, if it has one."""

    id: str
    kind: Kind
    box_key: bytes = b""


class Job(msgspec.Struct, kw_only=True):
    """A text to say. `siren`: the tone first."""

    id: str
    source: Literal["command", "mandate", "self_test"]
    alert: str
    version: int
    area: str
    level: Level
    action: Action
    text: str
    repeat: int
    volume: int
    siren: bool
    issued_at: int
    expires_at: int
    tries: int = 0


class Said(msgspec.Struct, kw_only=True):
    """The last state told of a command. `again`: it may be tried again."""

    state: Literal["accepted", "playing", "played", "failed"]
    expires_at: int
    detail: str = ""
    detail_en: str = ""
    again: bool = False


class Kept(msgspec.Struct, kw_only=True):
    """Durable."""

    trust: NodeTrust
    said: dict[str, Said] = {}
    highest: dict[str, tuple[int, int]] = {}  # alert -> highest version obeyed, its expiry
    jobs: list[Job] = []
    alone: Alone = msgspec.field(default_factory=Alone)
    tested_at: int = 0
    tested_ok: bool | None = None  # None: never yet


class Play(NamedTuple):
    """Begin to say this."""

    job: Job


class Stop(NamedTuple):
    """Be silent."""

    job: str


class PublishState(NamedTuple):
    """Publish this report, signed with the node's own key."""

    report: NodeReport


class Greet(NamedTuple):
    """Say hello again: the time is to be learnt anew."""


Effect = NodeAck | Play | Stop | PublishState | Greet


def urgency(job: Job) -> tuple[int, int, int]:
    """Sort key, highest first: as the outbox ranks deliveries; a self-test comes last."""
    worth = {Action.MOVE: Level.RED, Action.PREPARE: Level.ORANGE}.get(job.action, Level.NONE)
    test = job.source == "self_test"
    return (-1 if test else max(job.level, worth), job.action, -job.issued_at)


def job_alone(found: tuple[NodeReport, Mandate]) -> Job:
    """The text of an act of the node's own."""
    report, mandate = found
    return Job(
        id=report.act,
        source="mandate",
        alert=f"mandate-{mandate.issued_at}",
        version=1,
        area=report.area,
        level=Level.NONE,
        action=report.action,
        text=report.text,
        repeat=max(1, min(mandate.repeat, 10)),
        volume=max(min(mandate.volume, 100), RED_FLOOR),
        siren=True,
        issued_at=report.began_at,
        expires_at=report.began_at + mandate.gap_s * 1000,
    )
