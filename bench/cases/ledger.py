"""`fengsui bench ledger`: what the ledger costs beside the stage whose work it enters.

The real send, with its outbox, attempts and receipts, over a SQLite log of its own, on a carrier that
takes everything at once: the least that the line spends on a delivery, for no carrier is so fast and
the stages before send are left out. Then the ledger of the same records.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from dispatch.channels import SendResult
from dispatch.ledger.writer import Writer, ledger_keys
from dispatch.records import Delivery, Route
from dispatch.send.stage import Send
from dispatch.send.workers import Clock, Sender
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from stream.environment import spoken
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import encode
from stream.stages.runner import Runner
from stream.wall_clock import now_ms

_BATCH = 1000


class _Takes:
    """A carrier that takes everything."""

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        return SendResult("delivered")


@click.command("ledger")
@click.option(
    "--count", default=100_000, show_default=True, help=spoken(Text("发送条数", "deliveries"))
)
@click.pass_obj
def bench_ledger(obj: Shared, count: int) -> None:
    """台账测速：COUNT 条发送经 send，再到它们和回执的台账。

    COUNT deliveries through send, then the ledger of them and of their receipts.
    """
    district: District = obj.district()
    with tempfile.TemporaryDirectory() as at:
        log = open_log(f"sqlite:///{at}/log", "live", district.id, 2)
        try:
            line = _timed(lambda: _send(district, log, count))
            private = ledger_keys(Path(at), False).private
            ledger = _timed(lambda: _enter(log, private))
        finally:
            log.close()
    load, cores = f"{os.getloadavg()[0]:.0f}", os.cpu_count()
    echo(
        Text(
            f"{count:,} 条发送，SQLite，负载 {load}，{cores} 核",
            f"{count:,} deliveries, SQLite, load {load} on {cores} cores",
        )
    )
    for name, (wall_s, cpu_s) in (("send", line), ("ledger", ledger)):
        echo(f"  {name:7} {wall_s:6.1f} s, CPU {cpu_s:6.1f} s")
    share = 100 * ledger[0] / line[0], 100 * ledger[1] / line[1]
    echo(
        Text(
            f"  台账占时间的 {share[0]:.0f}%，CPU 的 {share[1]:.0f}%",
            f"  the ledger is {share[0]:.0f}% of the time, {share[1]:.0f}% of the CPU",
        )
    )


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _send(district: District, log: Log, count: int) -> None:
    """All of them sent, and their receipts read back."""
    now, stop = now_ms(), threading.Event()
    for since in range(0, count, _BATCH):
        made = [_delivery(n, now) for n in range(since, min(since + _BATCH, count))]
        log.append([Out("deliveries", d.area, encode(d)) for d in made])
    sender = Sender(log, {"sms": _Takes()}, Clock(True, now_ms), tuple(district.groups))
    runner = Runner(
        Send(district, True), log, member="bench", live=False, now=now_ms,
        after=lambda states: sender.after(states.get(0)),
    )  # fmt: skip
    work = threading.Thread(target=runner.run, args=(stop,))
    work.start()
    try:
        while work.is_alive() and log.positions("deliveries", "send")[0] < 2 * count:
            time.sleep(0.1)
    finally:
        stop.set()
        work.join()
        sender.close()


def _enter(log: Log, private: bytes) -> None:
    writer = Writer(log, "deliveries", "bench", private, now_ms)
    while writer.turn(0.0):
        pass
    writer.close()


def _delivery(n: int, now: int) -> Delivery:
    text = "（演练）大庄科乡香屯村，山洪蓝色预警，请留意天气，远离河道。延庆区防汛办。"
    return Delivery(
        id=f"B{n:08}", alert=f"bench-{n // 1000}", version=1, area="A01", hazard="flash_flood",
        level=Level.BLUE, action=Action.NONE, msg_type="alert", status="actual",
        recipient=f"C-{n:06}", audience="public", routes=(Route(channel="sms", text=text),),
        queued_at=now, deadline_at=now + 3_600_000, expires_at=now + 7_200_000,
    )  # fmt: skip
