"""A backup of a run, taken at rest and in the middle of a storm, goes back into a new run of either
log: the same records, the same memory, and nothing is sent a second time."""

import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from config.load import load
from console.model.follow import Follower
from dispatch.records import Delivery
from fengsui.files.backup import ORDER, cut, take
from fengsui.files.restore import restore
from fengsui.run.run_log import READS
from stream.environment import Usage
from stream.log.port import Log, Out
from tests.support.backups import (
    CONFIG,
    DISTRICT,
    NOW,
    STAGES,
    Recording,
    at,
    contents,
    fengsui,
    line,
    lines,
    opened,
    receipted,
    receipts,
    settle,
    unread,
)


def test_by_the_command_into_a_fresh_place(storm: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.tar.gz"
    made = fengsui(storm, "backup", str(file), "--run", "exercise-a")
    assert made.returncode == 0, made.stderr
    assert "never stood still" not in made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    again = fengsui(storm, "backup", str(file), "--run", "exercise-a")
    assert again.returncode == 2
    assert "not overwritten" in again.stderr
    put = fengsui(tmp_path / "new", "restore", str(file), "--into", "exercise-b")
    assert put.returncode == 0, put.stderr
    ours = fengsui(tmp_path / "new", "export", "alerts", "--run", "exercise-b")
    with opened(at(storm)(DISTRICT, "exercise-a")) as old:
        assert ours.stdout.encode() == lines(old, "alerts") != b""
        with opened(at(tmp_path / "new")(DISTRICT, "exercise-b")) as new:
            for name in ("detections", "deliveries", "observations", "decisions", "reports"):
                assert lines(new, name) == lines(old, name) != b"", name
    twice = fengsui(tmp_path / "new", "restore", str(file), "--into", "exercise-b")
    assert twice.returncode == 2
    assert "has records already" in twice.stderr
    # its folder has no secrets and is the district's
    kept = tmp_path / "new" / "exercise-b" / "config" / "yanqing"
    assert (load(kept).id, load(kept).version) == (DISTRICT.id, DISTRICT.version)
    with tarfile.open(file) as tar:
        assert not [n for n in tar.getnames() if "key" in n]


def test_after_a_restore_nothing_is_written_or_sent_again(
    storm: Path, whole: Path, tmp_path: Path
) -> None:
    setup = restore(whole, "exercise-c", at(tmp_path))
    with opened(at(storm)(DISTRICT, "exercise-a")) as old, opened(setup) as log:
        before = contents(log)
        assert before == contents(old)
        assert unread(log) == unread(old)
        channel = Recording()
        with line(log, channel, storm / "exercise-a" / "frames"):
            settle(log, channel)
        sent = receipts(log)
        assert channel.keys == []
        assert contents(log) == before
    assert len(sent) > 20


def test_without_the_positions_it_would_be_written_again(
    storm: Path, whole: Path, tmp_path: Path
) -> None:
    """The test above can fail: the records alone are not enough."""
    setup = restore(whole, "exercise-d", at(tmp_path))
    with opened(setup) as log:
        cases = log.read("cases", 0, 0, 10**6)
        consumer = log.join("observations", "detect", "t")
        consumer.poll(0.1, 1)
        for partition in consumer.owned():
            consumer.commit(partition, 0, [])
        consumer.close()
        channel = Recording()
        with line(log, channel, storm / "exercise-a" / "frames"):
            settle(log, channel)
        assert len(log.read("cases", 0, 0, 10**6)) > len(cases)


def wait_until(check: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def observations(log: Log) -> list[list[Out]]:
    """What ingest wrote, a partition each."""
    return [
        [Out("observations", key, value, p) for key, value in found]
        for (t, p), found in contents(log).items()
        if t == "observations"
    ]


STEPS = 40


def feed(
    log: Log,
    rows: Sequence[Sequence[Out]],
    begin: float,
    end: float,
    before: Callable[[int], None] = lambda _: None,
) -> None:
    """A part of each partition, in slices. before: is told which slice is next."""
    cuts = [begin + (end - begin) * n / STEPS for n in range(STEPS + 1)]
    for n, (low, high) in enumerate(pairwise(cuts)):
        before(n)
        for part in rows:
            log.append(part[int(low * len(part)) : int(high * len(part))])


class Sluice:
    """Lets the storm through at its pace; the last slice waits until the backup is taken."""

    def __init__(self) -> None:
        self.fed, self.taken = 0, threading.Event()

    def __call__(self, n: int) -> None:
        self.fed = n
        if n == STEPS - 1:
            assert self.taken.wait(300)
        time.sleep(0.06)


@pytest.mark.parametrize("moment", [20, 33])  # slices that are there when it begins
def test_taken_in_the_middle_of_a_storm_the_new_run_goes_on_with_it(
    storm: Path, tmp_path: Path, moment: int
) -> None:
    with opened(at(storm)(DISTRICT, "exercise-a")) as log:
        rows, wanted = observations(log), {n: lines(log, n) for n in ("detections", "alerts")}
    first, file = at(tmp_path)(DISTRICT, "exercise-first"), tmp_path / "m.tar.gz"
    sent_before = Recording()
    with opened(first) as log, line(log, sent_before, storm / "exercise-a" / "frames"):
        sluice = Sluice()
        feeder = threading.Thread(target=feed, args=(log, rows, 0.0, 0.7, sluice))
        feeder.start()
        try:
            wait_until(lambda: sluice.fed >= moment and receipts(log), "something was sent")
            manifest = take(first, CONFIG, file, NOW)
            assert feeder.is_alive()  # the storm was not over
        finally:
            sluice.taken.set()
            feeder.join()
    assert all(g.exact for g in manifest.groups)
    setup = restore(file, "exercise-second", at(tmp_path))
    with opened(setup) as log:
        known, answered = receipts(log), receipted(log)
        left = [part[len(log.read("observations", p, 0, 10**6)) :] for p, part in enumerate(rows)]
        assert any(left)
        assert sum(map(len, left)) < sum(map(len, rows))
        channel = Recording()
        with line(log, channel, storm / "exercise-a" / "frames"):
            feed(log, left, 0.0, 1.0)
            settle(log, channel)
        assert {n: lines(log, n) for n in wanted} == wanted
        deliveries = [
            r.id for _, r in Follower(log, ("deliveries",)).take() if isinstance(r, Delivery)
        ]
        assert len(deliveries) == len(set(deliveries))
        ours = receipts(log) - known
    assert len(channel.keys) == len(set(channel.keys))
    # whatever had its receipt in the backup is not tried again, and there was some of both
    assert answered
    assert channel.keys
    assert not answered & set(channel.keys)
    assert len(ours) >= len(channel.keys)


def test_foreign_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    odd = [b"\xff\x00\xfe", b"", "演练".encode(), b"[]", b"\n", b"\xe6"]
    first = at(tmp_path)(DISTRICT, "exercise-odd")
    with opened(first) as log:
        log.append([Out("observations", f"键 {n}\n", v, n % 2) for n, v in enumerate(odd)])
        wanted = contents(log)
    take(first, CONFIG, tmp_path / "o.tar.gz", NOW)
    with opened(restore(tmp_path / "o.tar.gz", "exercise-even", at(tmp_path))) as log:
        assert contents(log) == wanted


def test_a_log_that_was_trimmed_keeps_its_groups_in_their_places(tmp_path: Path) -> None:
    """Offsets begin anew in the new run: what was read stays read, what was not is handed out."""
    first = at(tmp_path)(DISTRICT, "exercise-t")
    with opened(first) as log:
        log.append([Out("cases", "k", b"%d" % n, 0) for n in range(10)])
        consumer = log.join("cases", "decide", "t")
        consumer.poll(0.1)
        consumer.commit(0, 7, [])
        consumer.close()
        log.trim(int(time.time() * 1000) + 10**12)
        assert log.starts("cases") == [7]
    take(first, CONFIG, tmp_path / "t.tar.gz", NOW)
    with opened(restore(tmp_path / "t.tar.gz", "exercise-u", at(tmp_path))) as log:
        assert [e.value for e in log.read("cases", 0, 0)] == [b"7", b"8", b"9"]
        consumer = log.join("cases", "decide", "t")
        assert [e.value for e in consumer.poll(1.0)] == [b"7", b"8", b"9"]
        consumer.close()


class Restless:
    """A log whose detect commits between any two looks: a position and one output each time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.topics = log.topics
        self.looks = 0

    def _move(self) -> None:
        self.looks += 1
        self._log.append([Out("cases", "k", b"%d" % self.looks, 0)])

    def ends(self, topic: str) -> list[int]:
        self._move()
        return self._log.ends(topic)

    def positions(self, topic: str, group: str) -> list[int]:
        self._move()
        n = self._log.ends("cases")[0]  # one output for each record read
        return [n, 0] if group == "detect" else [0] * self.topics[topic].partitions


def test_where_it_is_never_quiet_a_group_is_behind_and_never_ahead(tmp_path: Path) -> None:
    with opened(at(tmp_path)(DISTRICT, "exercise-r")) as log:
        log.append([Out("observations", "k", b"{}", 0) for _ in range(500)])
        ends, groups = cut(Restless(log), 0.0, 0.05)  # type: ignore[arg-type]
    detect = next(g for g in groups if g.group == "detect")
    assert not detect.exact
    assert 0 < detect.positions[0] <= ends["cases"][0]


def test_every_stage_has_its_place_in_the_order() -> None:
    """A stage added to the line must be thought of here."""
    assert set(READS) == {*STAGES, "archive", "ledger-alerts", "ledger-deliveries"}
    with_positions = {w for writers in ORDER.values() for w in writers} | {"send", "archive"}
    assert with_positions == set(READS)


def test_from_sqlite_to_kafka_and_back(
    storm: Path, whole: Path, kafka_server: str, tmp_path: Path
) -> None:
    run = f"exercise-{uuid.uuid4().hex[:8]}"
    kafka = at(tmp_path, f"kafka://{kafka_server}")
    middle = restore(whole, run, kafka)
    with opened(at(storm)(DISTRICT, "exercise-a")) as old, opened(middle) as log:
        wanted, wanted_unread = contents(old), unread(old)
        wait_until(lambda: contents(log) == wanted, "all of it can be read")
        assert unread(log) == wanted_unread
        # markers of transactions take offsets: they are not the same numbers
        assert log.ends("observations") != old.ends("observations")
        channel = Recording()
        with line(log, channel, storm / "exercise-a" / "frames"):
            settle(log, channel)
        assert channel.keys == []
        assert contents(log) == wanted
    with pytest.raises(Usage, match="has records already"):
        restore(whole, run, kafka)
    take(middle, CONFIG, tmp_path / "k.tar.gz", NOW)
    last = restore(tmp_path / "k.tar.gz", "exercise-z", at(tmp_path / "z"))
    with opened(last) as log:
        assert contents(log) == wanted
        assert unread(log) == wanted_unread
