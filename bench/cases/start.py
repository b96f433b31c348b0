"""`fengsui bench start`: what a command costs before it works, beside Python alone and beside NumPy's
import in the same rounds; and how long a run takes from its start to the first reading in its log."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.grade import Grade
from dispatch.words.sample import sample
from fengsui.cli.options import Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.run.terminal import echo
from ingest.observation import Observations
from stream.environment import spoken
from stream.log.port import Out, Unavailable
from stream.records import encode
from stream.wall_clock import now_ms

_RUN = "exercise-bench"
_FIRST_S = 300.0  # a machine that takes longer is told so
_NUMPY = "import numpy"


class Cost(NamedTuple):
    """Of a process: CPU seconds, peak memory in MB."""

    cpu_s: float
    peak_mb: float


@click.command("start")
@click.option(
    "--rounds",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100),
    help=spoken(Text("轮数", "rounds")),
)
@click.pass_obj
def bench_start(obj: Shared, rounds: int) -> None:
    """启动测速：--help、status、order 的 CPU 和内存，以及运行到第一个读数的时间。

    CPU and memory of --help, status and order, and a run's time to its first reading.
    """
    for text in lines(obj.district(), obj.config, rounds):
        echo(text)


def lines(district: District, config: Path, rounds: int) -> Iterator[Text]:
    """The figures: medians of rounds in which everything takes its turn."""
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as place:
        folder = Path(place)
        _a_run(district, folder)
        me = [sys.executable, "-m", "fengsui", "--config", str(config), "--state", str(folder)]
        area = next(iter(district.areas.values()))
        order = ["order", "propose", area.id, area.hazards[0], "--by", "bench", "--reason", "bench"]
        words = {
            "python -c pass": [sys.executable, "-c", "pass"],
            f"python -c '{_NUMPY}'": [sys.executable, "-c", _NUMPY],
            "fengsui --help": [*me, "--help"],
            "fengsui status": [*me, "status", "--run", _RUN],
            "fengsui order": [*me, *order, "--run", _RUN, "--wait", "0"],
        }
        found: dict[str, list[Cost]] = {name: [] for name in words}
        for _ in range(rounds):
            for name, command in words.items():
                found[name].append(_cost(command, folder))
        base = statistics.median(c.cpu_s for c in found[f"python -c '{_NUMPY}'"])
        for name, costs in found.items():
            cpu_s = statistics.median(c.cpu_s for c in costs)
            peak = max(c.peak_mb for c in costs)
            times = f"{cpu_s / max(base, 0.001):.1f}"
            yield f"{name:26} CPU {cpu_s:5.2f} s, " + Text(
                f"内存 {peak:4.0f} MB，载入 NumPy 的 {times} 倍",
                f"memory {peak:4.0f} MB, {times} times NumPy's import",
            )
        yield from _runs(me, district, folder, rounds, base)


def _a_run(district: District, folder: Path) -> None:
    """A run with a warning that waits for somebody."""
    setup = make_setup(district, _RUN, folder, start_at=now_ms())
    setup.folder.mkdir(parents=True)
    area = next(iter(district.areas.values()))
    alert = sample(area.id, area.hazards[0], Grade(Level.RED, Action.MOVE), now_ms())
    log = open_run_log(setup)
    log.append([Out("alerts", area.id, encode(r)) for r in (setup.run, alert)])
    log.close()


# A process begins with the peak of the one that made it (Linux): so a small one makes it, and tells.
_SMALL = """
import os, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
    file_actions=[(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)])
_, status, used = os.wait4(pid, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


def _cost(command: list[str], folder: Path) -> Cost:
    out = folder / "out"
    small = [sys.executable, "-S", "-c", _SMALL, str(out), *command]
    told = subprocess.run(small, capture_output=True, text=True, check=True).stdout
    cpu_s, peak, code = told.split()
    if int(code) not in (0, 3):  # 3: an order that waits for its answer
        raise RuntimeError(out.read_text("utf-8", "replace")[-500:])
    size = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    return Cost(float(cpu_s), int(peak) * size / 1_000_000)


def _runs(
    me: list[str], district: District, folder: Path, rounds: int, base: float
) -> Iterator[Text]:
    """Runs of a simulated storm, each in a folder of its own, ended at their first reading."""
    found = []
    for n in range(rounds):
        setup = make_setup(district, f"{_RUN}{n}", folder, start_at=1)
        command = [*me, "run", "--run", setup.run.name, "--plain", "--port", "0"]
        began = time.monotonic()
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)  # ourselves
        try:
            _await_reading(setup, process)
            found.append((time.monotonic() - began, _so_far(process.pid)))
        finally:
            process.terminate()
            process.wait()
    took, cpu_s = (statistics.median(x) for x in zip(*found, strict=True))
    times = f"{cpu_s / max(base, 0.001):.0f}"
    words = Text(
        f"，CPU {cpu_s:.2f} s，载入 NumPy 的 {times} 倍",
        f", CPU {cpu_s:.2f} s, {times} times NumPy's import",
    )
    first = Text(f"{took:.2f} s 后收到第一条读数", f"{took:.2f} s until its first reading")
    yield f"{'fengsui run':26} " + first + (words if cpu_s else "")


def _await_reading(setup: Setup, process: "subprocess.Popen[bytes]") -> None:
    """Until its log holds a reading. Raises RuntimeError: it ended, or none came."""
    until = time.monotonic() + _FIRST_S
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
        if not any(setup.folder.glob("*.log.db")):
            continue
        with suppress(Unavailable):
            log = open_run_log(setup)
            try:
                follower = Follower(log, ("observations",))
                while process.poll() is None and time.monotonic() < until:
                    if any(isinstance(r, Observations) for _, r in follower.take()):
                        return
                    time.sleep(0.02)
            finally:
                log.close()
    none = Text(f"{_FIRST_S:.0f} s 内没有收到读数", f"no reading came in {_FIRST_S:.0f} s")
    raise RuntimeError(f"{setup.run.name}: " + none)


def _so_far(pid: int) -> float:
    """CPU seconds of a process that lives, its broker's apart; 0 where /proc does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
