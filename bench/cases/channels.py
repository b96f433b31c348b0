"""`fengsui bench channels`: the stage send as a process of its own, against far ends on this machine.

1. queueing: how long until send has 100,000 deliveries in its outbox.
2. a red warning on every channel while those wait at carriers that are slow: time from its record in
   the log to the first byte at each far end.
3. SMS to two SMSC programs that are not ours, at their own speed, through a kill -9 of send: every
   message must be there at least once.

Baseline of 3: one SMPP session of the npm server with one submit_sm after another, no log.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from bench.load.deliveries import Reader, put
from bench.load.sinks import HttpSink, JavaSmsc, MailSink, NodeSmsc, Sink
from config.language import Said, Text
from config.load import load
from config.records.channels import Carrier, Channels
from config.records.district import Contact, District
from config.records.level import Action, Level
from dispatch.channels import Parcel
from dispatch.channels.smpp.carrier import Smpp
from dispatch.channels.smpp.session import Bind
from dispatch.records import Delivery, Route, attempt_key
from dispatch.send.stage import run_send
from fengsui.run.service import calm_collector
from fengsui.run.setup import default_config, free_port
from fengsui.run.terminal import echo
from stream.environment import spoken
from stream.log.open import open_log
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Mqtt
from stream.pace.stop_signals import stopping_on_signals
from stream.records import Run
from stream.wall_clock import now_ms

_TEXT = "【延庆防汛】香屯村山洪{level}预警，{n} 号收件人请注意，沿村东坡道转移到村委会广场。"
_PATIENCE_S = 300.0
_NPM, _JSMPP = "env:BENCH_SECRET", "env:BENCH_JSMPP"


def district_of(contacts: int, rows: Sequence[Carrier]) -> District:
    """The example district with invented contacts and these carriers."""
    loaded = load(default_config())
    invented = {
        f"B{n:06}": Contact(
            id=f"B{n:06}",
            name="bench",
            role="residents",
            areas=("A01",),
            lang="zh",
            channels=("sms",),
            min_level=Level.BLUE,
            phone=f"199{n:08}",
            app=f"bench-{n}",
            email=f"b{n}@bench.example",
        )
        for n in range(contacts)
    }
    channels = Channels(carrier=tuple(rows), cap_feed_port=0, probe_every_s=3600, retry_s=(1, 2, 5))
    return msgspec.structs.replace(loaded, contacts=invented, channels=channels)


def _delivery(n: int, channel: str, recipient: str, *, red: bool = False) -> Delivery:
    at = now_ms()
    text = _TEXT.format(level="红色" if red else "蓝色", n=f"#{n:06}#")
    return Delivery(
        id=f"{'red' if red else 'd'}-{channel}-{n}",
        alert=f"{'red' if red else 'blue'}-{channel}",
        version=1,
        area="A01",
        hazard="flash_flood",
        level=Level.RED if red else Level.BLUE,
        action=Action.MOVE if red else Action.NONE,
        msg_type="alert",
        status="actual",  # of this bench's own log: every far end is a program on this machine
        recipient=recipient,
        audience="public",
        routes=(Route(channel=channel, text=text, title="bench", segments=1),),
        queued_at=at,
        deadline_at=at + 1_800_000,
        expires_at=at + 7_200_000,
    )


class _Child:
    """The stage send as a process; may be killed and started again."""

    def __init__(self, folder: Path, broker: str, contacts: int, rows: Sequence[Carrier]) -> None:
        self._folder = folder
        self._args = [str(folder), broker, str(contacts), msgspec.json.encode(rows).decode()]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        with (self._folder / "send.log").open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.cases.channels", *self._args],
                stdout=out,
                stderr=out,
                env={**os.environ, "BENCH_SECRET": "secret", "BENCH_JSMPP": "jpwd"},
            )
        _until(ready.exists, Text("send 就绪", "send is ready"), self._process)

    def cpu_s(self) -> float:
        """CPU time it took so far, where the system says so."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)


def _child(folder: str, broker: str, contacts: str, rows: str) -> None:
    district = district_of(int(contacts), msgspec.json.decode(rows, type=tuple[Carrier, ...]))
    log = open_log(f"sqlite:///{folder}/log", "live", district.id, district.partitions)
    run = Run(name="live", kind="live", district=district.id, config="bench", start_at=now_ms())
    stop, ready = threading.Event(), threading.Event()
    with stopping_on_signals(stop):
        place = Path(folder)
        calm_collector()

        def tell() -> None:
            ready.wait()
            (place / "ready").touch()

        threading.Thread(target=tell, daemon=True).start()
        (place / "state").mkdir(exist_ok=True)
        run_send(district, run, log, broker, place / "state", stop, now=now_ms, ready=ready)
    log.close()


def _until(check: Callable[[], Any], what: Text, process: Any = None, step_s: float = 0.05) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not check():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise click.ClickException(spoken(Text("没有等到：", "did not come: ") + what))
        time.sleep(step_s)


def _row(name: str, channel: str, kind: str, url: str, **more: Any) -> Carrier:
    return Carrier(name=name, channel=channel, kind=kind, url=url, **more)  # type: ignore[arg-type]


def _slow_rows(http: HttpSink, mail: MailSink, sms: Sink, rate: float) -> list[Carrier]:
    """A carrier of each channel that takes `rate` messages a second."""
    fields = {"to": "{to}", "text": "{text}", "key": "{key}"}
    more: dict[str, Any] = {"rate_per_s": rate, "burst": 1}
    rows = [_row(c, c, "http", f"{http.url}/{c}", fields=fields, **more) for c in ("app", "voice")]
    rows.append(_row("mail", "email", "smtp", mail.url, sender="b@bench.example", **more))
    hook = {"secret": _NPM, "contact": "B000000"}
    rows.append(_row("hook", "webhook", "webhook", f"{http.url}/webhook", **hook, **more))
    if isinstance(sms, NodeSmsc):
        secret = {"user": "bench", "secret": _NPM}
        rows.append(_row("sms", "sms", "smpp", sms.url, **secret, **more))
    else:
        rows.append(_row("sms", "sms", "http", f"{http.url}/sms", fields=fields, **more))
    return rows


def red_beside_blues(folder: Path, count: int, say: Callable[[Said], None]) -> None:
    """Parts 1 and 2."""
    with contextlib.ExitStack() as stack:
        http = stack.enter_context(HttpSink())
        mail = stack.enter_context(MailSink())
        sms: Sink = http
        if NodeSmsc.is_here():
            sms = stack.enter_context(NodeSmsc(folder / "red.jsonl"))
        broker = start_broker(folder / "broker", free_port())
        stack.callback(broker.stop)
        log = open_log(f"sqlite:///{folder}/log", "live", "yanqing", 2)
        stack.callback(log.close)
        child = _Child(folder, broker.url, count, _slow_rows(http, mail, sms, 50))
        stack.callback(child.stop)
        ears = Mqtt(broker.url, "bench-ears")
        stack.callback(ears.close)
        ears.wait_connected()
        ears.subscribe(["fengsui/live/yanqing/node/+/command"])
        waiting = ("sms", "app", "voice", "email")
        blues = [_delivery(n, waiting[n % 4], f"B{n:06}") for n in range(count)]
        child.start()
        begun = time.monotonic()
        put(log, iter(blues))
        _until(
            lambda: log.positions("deliveries", "send")[0] >= count,
            Text("都进了发件箱", "the outbox has them"),
        )
        took = time.monotonic() - begun
        rate, own = f"{took:.1f} s ({count / took:,.0f}/s)", f"{child.cpu_s():.1f} s"
        load, cores = f"{os.getloadavg()[0]:.0f}", os.cpu_count()
        say(
            Text(
                f"  {count:,} 条入队：{rate}，其中 send 自己的 CPU {own}；SQLite，负载 {load} 于 {cores} 核",
                f"  {count:,} queued: {rate}, of which send itself {own} of CPU; SQLite, load {load} on "
                f"{cores} cores",
            )
        )
        time.sleep(1.0)
        reds = [
            *(_delivery(count + n, c, f"B{n:06}", red=True) for n, c in enumerate(waiting, 1)),
            _delivery(count, "webhook", "B000000", red=True),
            _delivery(count, "broadcast", "N001", red=True),
            _delivery(count, "cap", "cap-feed", red=True),
            _delivery(count, "console", "duty-room", red=True),
        ]
        at = time.time()
        put(log, iter(reds))
        found: dict[str, float] = {}

        def look() -> bool:
            for channel in (*waiting, "webhook"):
                sink = mail if channel == "email" else sms if channel == "sms" else http
                if (seen := sink.first("红色", channel)) is not None:
                    found.setdefault(channel, seen - at)
            if "broadcast" not in found and ears.get_batch(0.001):
                found["broadcast"] = time.time() - at
            for channel, file in (("cap", "cap/*.xml"), ("console", "console.jsonl")):
                for path in (folder / "state").glob(file):
                    if "红色" in path.read_text("utf-8"):
                        found.setdefault(channel, path.stat().st_mtime - at)
            return len(found) == len(reds)

        _until(look, Text("每个渠道上的红色", "red on every channel"), step_s=0.002)
        say(
            Text(
                f"  红色预警首字节，{count:,} 条蓝色在等（从发布到对端）：",
                f"  red, first byte while {count:,} blues wait (release to far end):",
            )
        )
        for channel, s in sorted(found.items(), key=lambda x: x[1]):
            say(f"    {channel:10} {s * 1000:6.0f} ms")


def two_smscs(folder: Path, count: int, say: Callable[[Said], None]) -> None:
    """Part 3."""
    if not (NodeSmsc.is_here() and JavaSmsc.is_here()):
        say(
            Text(
                "  两个短信中心的程序不在：用 `make services` 取",
                "  the two SMSC programs are not here: `make services` fetches them",
            )
        )
        return
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(NodeSmsc(folder / "node.jsonl"))
        java = stack.enter_context(JavaSmsc(folder / "jsmpp.log"))
        rate = f"{_one_by_one(node):,.0f}/s"
        say(
            Text(
                f"  基线，一个会话、一条一条：{rate}",
                f"  baseline, one session, one at a time: {rate}",
            )
        )
        rows = [
            _row("npm", "sms", "smpp", node.url, user="bench", secret=_NPM),
            _row("jsmpp", "sms", "smpp", java.url, user="j", secret=_JSMPP),
        ]
        broker = start_broker(folder / "broker", free_port())
        stack.callback(broker.stop)
        log = open_log(f"sqlite:///{folder}/log", "live", "yanqing", 2)
        stack.callback(log.close)
        child = _Child(folder, broker.url, count, rows)
        stack.callback(child.stop)
        put(log, (_delivery(n, "sms", f"B{n:06}") for n in range(count)))
        reader = Reader(log)
        begun = time.monotonic()
        child.start()
        _until(lambda: reader.accepted() >= count // 3, Text("发出三分之一", "a third is sent"))
        child.kill()
        killed = time.monotonic()
        child.start()
        again = time.monotonic() - killed
        _until(lambda: reader.accepted() >= count, Text("全部发出", "all are sent"), step_s=0.2)
        took = time.monotonic() - begun
        lists = [node.numbers(), java.numbers()]
        distinct = len(set(lists[0]) | set(lists[1]))
        total = sum(len(x) for x in lists)
        rate = f"{took:.1f} s, {count / took:,.0f}/s"
        say(
            Text(
                f"  {count:,} 条，两个短信中心：{rate}，发出三分之一时 kill -9，{again:.1f} s 后新进程就绪",
                f"  {count:,} to two SMSCs: {rate} with a kill -9 after a third and {again:.1f} s until "
                "the new process was ready",
            )
        )
        say(
            f"    npm smpp {len(lists[0]):,}, jSMPP {len(lists[1]):,}; "
            + Text(
                f"缺 {count - distinct}，重复 {total - distinct}",
                f"missing {count - distinct}, twice {total - distinct}",
            )
        )
        if distinct != count:
            raise click.ClickException(spoken(Text("短信丢失", "messages were lost")))


def _one_by_one(node: NodeSmsc, seconds: float = 3.0) -> float:
    bind = Bind("127.0.0.1", node.port, False, "bench", "secret", "")
    smpp = Smpp("baseline", bind, lambda heard: heard.done(True))
    key = attempt_key("baseline", 1, "sms", "x")
    d = _delivery(0, "sms", "B000000")
    sent, begun = 0, time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        smpp.send(Parcel("19900000000", "", "一条一条", key, 1, 600.0, d))
        sent += 1
    smpp.close()
    return sent / passed


@click.command("channels")
@click.option(
    "--count",
    type=int,
    default=100_000,
    show_default=True,
    help=spoken(Text("排队的蓝色预警条数", "blues that wait")),
)
@click.option(
    "--sms",
    "sms_count",
    type=int,
    default=20_000,
    show_default=True,
    help=spoken(Text("短信条数", "short messages")),
)
@click.option("--only", type=click.Choice(["red", "sms"]), multiple=True)
def bench_channels(count: int, sms_count: int, only: tuple[str, ...]) -> None:
    """渠道测速：排队、十万条蓝色预警旁的一条红色、短信到两个 SMSC 程序（中间 kill -9）。

    Queueing, a red beside 100,000 blues, SMS to two SMSC programs through a kill -9.
    """
    folder = Path(tempfile.mkdtemp(prefix="fengsui-bench-channels-"))
    try:
        echo(
            Text(
                "渠道（send 是一个进程，对端在本机）：",
                "channels (send as a process; far ends on this machine):",
            )
        )
        if "red" in (only or ("red",)):
            (folder / "red").mkdir()
            red_beside_blues(folder / "red", count, echo)
        if "sms" in (only or ("sms",)):
            (folder / "sms").mkdir()
            two_smscs(folder / "sms", sms_count, echo)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _child(*sys.argv[1:])
