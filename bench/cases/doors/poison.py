"""`fengsui bench poison`: what one spoilt message in a hundred costs ingest. The same readings with and
without, in turn, in the same run: decoded, judged and durable in an embedded log; no broker between."""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import click

from config.language import Text
from config.records.district import District
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log
from stream.mqtt.client import Message
from stream.records import Run

_START = 1_784_600_040_000  # ms
_BATCH = 1000  # as `run_ingest` takes them
_BATCHES = 20
_ROUNDS = 7
_DEEP = b"[" * 1500 + b"]" * 1500
_JPEG = bytes.fromhex("ffd8ffc0000b08ffffffff01011100ffd9")  # says 65535 x 65535
_SPOILT: tuple[tuple[str, bytes], ...] = (
    ("station/{0}/rain", b'{"time": ' + b"9" * 400 + b', "value": 1.2}'),
    ("station/{0}/rain", b'{"value": ' + b"9" * 400 + b', "unit": "cm"}'),
    ("station/{0}/rain", b'{"value": 1.2, "more": ' + _DEEP + b"}"),
    ("station/{0}/rain", b'{"value": 1.'),
    ("station/{0}/rain", b"\xff\xfe"),
    ("station/{0}/frame/1784600040000", _JPEG),
    ("gateway/G1/senml", b'[{"n": "{0}:rain", "v": ' + b"9" * 400 + b"}]"),
    ("node/{1}/status", b'{"battery": ' + _DEEP + b"}"),
    ("person/C-0001/sms", b'{"text": "x", "at": ' + _DEEP + b"}"),
)


def messages(district: District, prefix: str, every: int) -> list[Message]:
    """Single readings; every `every`-th is spoilt, none where it is 0."""
    gauges = [s.id for s in district.stations.values() if s.quantity == "rain"]
    node = next(iter(district.nodes), "N001")
    spoilt = cycle(
        (topic.replace("{0}", gauges[0]).replace("{1}", node), body) for topic, body in _SPOILT
    )
    out = []
    for n in range(_BATCH * _BATCHES):
        if every and n % every == 0:
            topic, body = next(spoilt)
        else:
            topic = f"station/{gauges[n % len(gauges)]}/rain"
            reading = {"time": _START / 1000 + n // len(gauges), "value": 0.2, "seq": n}
            body = json.dumps(reading).encode()
        out.append(Message(prefix + topic, body, n, 1))
    return out


class _Spent(NamedTuple):
    """Seconds of one batch until the log had it: of the clock, and of a core."""

    wall: float
    cpu: float


def _spent(intake: Intake, log: Log, batch: Sequence[Message]) -> _Spent:
    began, cpu = time.perf_counter(), time.process_time()
    log.append(intake.records(batch))
    return _Spent(time.perf_counter() - began, time.process_time() - cpu)


def lines(district: District) -> Iterator[Text]:
    """The figure: batches with and without in turn, so that a busy machine slows both."""
    run = Run(name="live", kind="live", district=district.id, config="c", start_at=_START)
    prefix = f"fengsui/live/{district.id}/"
    kinds = {every: messages(district, prefix, every) for every in (0, 100)}
    spent: dict[int, list[_Spent]] = {0: [], 100: []}
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        log = open_log(f"sqlite:///{folder}", "live", district.id, district.partitions)
        intake = Intake(district, run, FrameStore(Path(folder) / "frames"))
        intake.clock_at = _START + 60_000
        for n in range(_ROUNDS * _BATCHES):
            at = n % _BATCHES * _BATCH
            for every in (0, 100) if n % 2 else (100, 0):
                found = _spent(intake, log, kinds[every][at : at + _BATCH])
                if n >= _BATCHES:  # the first round warms up
                    spent[every].append(found)
        log.close()
    clean, spoilt = (
        _Spent(*(statistics.median(x) for x in zip(*spent[every], strict=True)))
        for every in (0, 100)
    )
    good, bad = f"{_BATCH / clean.wall:,.0f}", f"{_BATCH / spoilt.wall:,.0f}"
    ratio, by_cpu = f"{clean.wall / spoilt.wall:.2f}", f"{clean.cpu / spoilt.cpu:.2f}"
    yield Text(
        f"接入：无坏报文每秒 {good} 条；百条一坏 {bad} 条；比 {ratio}，按 CPU {by_cpu}（{len(spent[0])} "
        "批的中位）",
        f"ingest: clean {good} messages a second; one spoilt in a hundred {bad}; ratio {ratio}, by CPU "
        f"{by_cpu} (median of {len(spent[0])} batches)",
    )


@click.command("poison")
@click.pass_obj
def bench_poison(obj: Shared) -> None:
    """坏报文的代价：一百条里一条坏报文让 ingest 多花多少。

    What one spoilt message in a hundred costs ingest.
    """
    for text in lines(obj.district()):
        echo(text)
