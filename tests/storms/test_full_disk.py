"""A disk that is full and a file that is damaged: the line says what to do, loses nothing, and is there
again by itself when there is room."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.model.follow import Follower
from dispatch.ledger.writer import Ledger
from ingest.archive import run_archive
from ingest.observation import Observations
from stream.clock import trusted
from stream.history.open import open_history
from stream.log.open import open_log
from stream.log.port import Corrupt, Out, Unavailable
from stream.records import Run, Tick, encode
from tests.support.districts import yanqing
from tests.support.servers import Mosquitto

ROOT = Path(__file__).parents[2]
PARTITIONS = yanqing().partitions
WAIT_S = 240.0


def soon(there: Any) -> Any:
    until = time.monotonic() + WAIT_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.2)
    assert found
    return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A volume of 40 MB."""
    place = tmp_path / "volume"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)], capture_output=True
    ).returncode:
        pytest.skip("no volume can be mounted here; the same by SQLite's own limit is tried below")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as f, contextlib.suppress(OSError):
        while f.write(b"x" * 4096):
            pass
    return ballast


def test_a_full_disk_does_not_end_the_line(
    small: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with said.open("wb") as out:
        line = subprocess.Popen(
            [
                sys.executable, "-m", "fengsui", "--state", str(small), "--broker", mosquitto.url,
                "run", "--no-simulator", "--plain", "--no-console",
            ],
            stdout=out, stderr=out, cwd=ROOT,
        )  # fmt: skip
    try:
        soon(lambda: "已启动" in said.read_text() or line.poll() is not None)
        ballast = fill(small)
        now = int(time.time())  # once: a second that ends meanwhile makes two readings of one time
        for n in range(5):
            at = now - n
            mosquitto.publish(
                "fengsui/live/yanqing/station/R01/rain",
                json.dumps({"value": 0.2, "unit": "mm", "time": at}),
            )
        soon(lambda: "full" in said.read_text() or line.poll() is not None)
        time.sleep(12)  # longer than a lease, and than the first tries
        assert line.poll() is None, said.read_text()[-3000:]
        assert "Traceback" not in said.read_text(), said.read_text()[-3000:]
        ballast.unlink()

        def read() -> set[int]:
            log = open_log(f"sqlite:///{small}/live", "live", "yanqing", PARTITIONS)
            found = [r for _, r in Follower(log, ("observations",)).take()]
            log.close()
            return {o.observed_at for r in found if isinstance(r, Observations) for o in r.items}

        soon(lambda: len(read()) == 5)
        assert line.poll() is None
    finally:
        line.send_signal(signal.SIGTERM)
        assert line.wait(WAIT_S) == 0, said.read_text()[-3000:]


def test_the_log_s_own_limit_ends_neither_archive_nor_ledger(tmp_path: Path) -> None:
    log: Any = open_log(f"sqlite:///{tmp_path}", "live", "toy", 1)
    history = open_history(f"sqlite:///{tmp_path}/history", "live", "toy")
    run = Run(name="live", kind="live", district="toy", config="", start_at=1)
    stop, ended = threading.Event(), list[BaseException]()

    def archive() -> None:
        try:
            run_archive(log, history, "m", stop)
        except BaseException as e:  # noqa: BLE001
            ended.append(e)

    thread = threading.Thread(target=archive)
    thread.start()
    ledger = Ledger(log, "m", b"\x01" * 32, lambda: 1, stop)
    log.append([Out("alerts", "run", encode(run)), Out("cases", "x", b"y")])
    soon(lambda: log.positions("cases", "archive") == log.ends("cases"))
    pages = log._writer.execute("PRAGMA page_count").fetchone()[0]
    log._writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable, match="full"):
        for _ in range(20_000):
            log.append([Out("alerts", "run", encode(run)), Out("cases", "x", b"y" * 3000)])
    time.sleep(3)
    assert not ended
    assert ledger.failed is None
    log._writer.execute("PRAGMA max_page_count=1000000")
    log.append([Out("alerts", "run", encode(run)), Out("cases", "x", b"y")])
    soon(lambda: log.positions("cases", "archive") == log.ends("cases"))
    soon(lambda: log.ends("ledger")[0] > 1)
    stop.set()
    thread.join(WAIT_S)
    ledger.close()
    assert not ended
    log.close()


def damage(file: Path) -> None:
    """A disk that forgot a few pages behind the first."""
    for beside in (file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        beside.unlink(missing_ok=True)
    size = file.stat().st_size
    with file.open("r+b") as f:
        f.seek(4096)
        f.write(b"\xa5" * (size - 4096))


def filled(folder: Path) -> Path:
    log: Any = open_log(f"sqlite:///{folder}", "live", "yanqing", PARTITIONS)
    run = Run(name="live", kind="live", district="yanqing", config="", start_at=1)
    rows = [Out("observations", "run", encode(run), p) for p in range(PARTITIONS)]
    log.append(
        rows + [Out("observations", "tick", encode(Tick(clock_at=n)), 0) for n in range(999)]
    )
    log._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log.close()
    return Path(log.path)


@pytest.mark.parametrize(
    "words", [["detect"], ["status"], ["run", "--no-simulator", "--port", "0"]]
)
def test_a_damaged_log_is_named_with_what_to_do(tmp_path: Path, words: list[str]) -> None:
    file = filled(tmp_path / "live")
    damage(file)
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "--state", str(tmp_path), *words],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert str(file) in done.stderr
    assert "fengsui restore" in done.stderr


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "yanqing.live.log.db").write_bytes(b"hello" * 2000)
    with pytest.raises(Corrupt, match=r"yanqing.live.log.db.*restore"):
        open_log(f"sqlite:///{tmp_path}", "live", "yanqing", 1)


def test_a_damaged_history_says_so_and_is_waited_for(tmp_path: Path) -> None:
    history = open_history(f"sqlite:///{tmp_path}", "live", "toy")
    history.close()
    file = next(tmp_path.glob("*.history.db"))
    damage(file)
    with pytest.raises(Unavailable, match="damaged"):
        found = open_history(f"sqlite:///{tmp_path}", "live", "toy")
        found.series("R01", "rain", 0, 10)


def test_a_clock_that_is_ahead_drops_nothing() -> None:
    """What is thrown away goes by a clock that moves on as time does."""
    day, passed = 86_400_000, [0]
    wall = [1_000 * day]
    clock = trusted(lambda: wall[0], wall[0] - 60_000, lambda: passed[0])
    assert clock() == wall[0]
    wall[0] += 400 * day
    passed[0] += 3_600_000
    assert clock() < 1_002 * day
    ahead = trusted(lambda: wall[0], 1_000 * day, lambda: passed[0])
    assert ahead() <= 1_001 * day, "it was ahead before the start"
    assert trusted(lambda: wall[0], 0, lambda: passed[0])() == wall[0]
