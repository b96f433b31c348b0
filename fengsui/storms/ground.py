"""The proving ground: its district, its stages and its keys, made once a process. Stages are pure, so one
object serves every storm and every restart in it."""

import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.load import load
from config.records.district import District, RainThreshold
from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.nodes.keys import Ring, public_of
from dispatch.send.stage import Send
from dispatch.signatures.proof import Era, Signer, Trust
from stream.disk.blobs import FrameStore
from stream.records import Run
from stream.stages.stage import Stage

START_AT = 1_753_524_000_000  # 2025-07-26T10:00:00Z
DISTRICT = "proving"
DESK, LEDGER, ROOT, SENDER, DRILL = (bytes([n] * 32) for n in range(1, 6))  # keys of nobody
RUN = Run(name="live", kind="live", district=DISTRICT, config="a", start_at=START_AT)
PREFIX = f"fengsui/{RUN.name}/{DISTRICT}"
CHANGED = 0.9  # of every threshold, where the configuration is changed in a storm


class Ground(NamedTuple):
    """One configuration, with the stages that work by it."""

    district: District
    stages: dict[str, Stage]


@cache
def district() -> District:
    found = load(Path(__file__).parent / "district")
    return msgspec.structs.replace(found, id=DISTRICT)


def _lower(d: District) -> District:
    """Another version of the same district: its thresholds of rain a tenth lower."""

    def less(row: RainThreshold) -> RainThreshold:
        columns = {f: getattr(row, f) for f in row.__struct_fields__ if f.endswith("_mm")}
        lower = {f: round(v * CHANGED, 1) for f, v in columns.items() if v is not None}
        return msgspec.structs.replace(row, **lower)

    return msgspec.structs.replace(d, rain=tuple(map(less, d.rain)))


@cache
def ground(changed: bool) -> Ground:
    """The district as it is, or as it is after the change."""
    d = _lower(district()) if changed else district()
    stages: dict[str, Stage] = {
        "detect": Detect(d, lambda _: None),
        "decide": Decide(d, trust, True),
        "address": Address(d, True),
        "send": Send(d, True),
    }
    return Ground(d, stages)


@cache
def trust() -> Trust:
    """Whose signatures count: the desk's, from the first record on."""
    era = Era(since=0, run=RUN.name, signers=(Signer(key=public_of(DESK).hex()),))
    return Trust(district=DISTRICT, eras=(era,))


@cache
def folder() -> Path:
    """Of this process, with the keys as a run has them: always the same ones, so that the same seed gives
    the same bytes."""
    found = Path(tempfile.mkdtemp(prefix="fengsui-storms-"))
    keys = found / "keys"
    keys.mkdir(mode=0o700)
    for name, key in (("root", ROOT), ("sender", SENDER)):
        secret = keys / f"{name}.key"
        secret.touch(mode=0o600)
        secret.write_text(key.hex())
    return found


@cache
def ring() -> Ring:
    """The sender's key and the nodes' key set."""
    return Ring(folder(), "live")


@cache
def frames() -> FrameStore:
    """There are no pictures."""
    return FrameStore(folder() / "frames")
