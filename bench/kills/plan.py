"""What strikes whom and when, drawn from a seed. Pure."""

import random
from typing import NamedTuple

from config.language import Text

STAGES = ("ingest", "detect", "decide", "address", "send", "archive")
SERVERS = ("kafka", "mosquitto", "influxdb")
LINKS = (
    *((stage, "kafka") for stage in STAGES),
    ("ingest", "mosquitto"),
    ("send", "mosquitto"),
    ("archive", "influxdb"),
)
KINDS: dict[str, Text] = {
    "kill": Text("kill -9", "kill -9"),
    "stop": Text("停住又醒（SIGSTOP）", "stood still (SIGSTOP)"),
    "cut": Text("断网", "network cut"),
    "stall": Text("网络不通而不断", "network stalled"),
    "full": Text("磁盘满", "disk full"),
}
# so long, in seconds: beyond Kafka's transaction time-out (5 s) and below, and beyond a session's
_LASTS = {
    "kill": (0.0, 0.0),
    "stop": (2.0, 20.0),
    "cut": (1.0, 12.0),
    "stall": (2.0, 20.0),
    "full": (3.0, 8.0),
}
_QUIET_S = (0.5, 4.0)
_OTHERS = 4  # one fault of another kind after so many kills


class Fault(NamedTuple):
    """after_s: the line was whole for so long before. whom: a process, or the disk's owner; of a link the
    stage and the server behind it."""

    kind: str
    whom: str
    beyond: str = ""
    after_s: float = 1.0
    lasts_s: float = 0.0

    @property
    def target(self) -> str:
        """As the table names it."""
        return f"{self.whom} – {self.beyond}" if self.beyond else self.whom


def draw(seed: int, kills: int, *, disks: bool = True) -> list[Fault]:
    """So many kills, each target in its turn, and now and then another fault. disks: a disk may fill."""
    rng = random.Random(seed)
    targets: list[str] = []
    while len(targets) < kills:
        targets += rng.sample((*STAGES, *SERVERS), len(STAGES) + len(SERVERS))
    others = _others(rng, disks)
    found = []
    for nth, whom in enumerate(targets[:kills]):
        found.append(_fault(rng, "kill", whom))
        if nth % _OTHERS == _OTHERS - 1:
            found.append(_fault(rng, *others[(seed + nth // _OTHERS) % len(others)]))
    return found


def each_once(seed: int, *, disks: bool = True) -> list[Fault]:
    """Every target killed once, and each other kind of fault once."""
    rng = random.Random(seed)
    order = rng.sample((*STAGES, *SERVERS), len(STAGES) + len(SERVERS))
    found = [_fault(rng, "kill", whom) for whom in order]
    for kind in KINDS:
        of_kind = [o for o in _others(rng, disks) if o[0] == kind]
        if of_kind:
            found.append(_fault(rng, *rng.choice(of_kind)))
    return found


def _others(rng: random.Random, disks: bool) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [("stop", who) for who in (*STAGES, *SERVERS)]
    found += [(kind, *link) for kind in ("cut", "stall") for link in LINKS]
    if disks:
        found += [("full", who) for who in (*SERVERS, "run")] * 3
    rng.shuffle(found)
    return found


def _fault(rng: random.Random, kind: str, whom: str, beyond: str = "") -> Fault:
    after, lasts = rng.uniform(*_QUIET_S), rng.uniform(*_LASTS[kind])
    return Fault(kind, whom, beyond, round(after, 1), round(lasts, 1))
