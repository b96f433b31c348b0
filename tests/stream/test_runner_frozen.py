"""A process that stood still while another had its partition, and had it back before it looked, knows nothing
of what the other one did."""

import threading
from pathlib import Path
from typing import Any

import pytest

from stream.log.memory import Disk, MemoryLog
from stream.log.open import open_log
from stream.log.port import topics
from stream.log.sqlite_group import LEASE_S
from stream.stages.runner import Runner
from tests.support.adder import DISTRICT, RUN, InParts, N, put


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_who_lost_a_partition_and_has_it_again_remembers_nothing_of_it(
    tmp_path: Path, kind: str
) -> None:
    disk = Disk()

    def opened() -> Any:
        if kind == "memory":
            return MemoryLog(disk, topics(2))
        return open_log(f"sqlite:///{tmp_path}", RUN, DISTRICT, 2)

    def expire() -> None:
        if kind == "memory":
            disk.expire()
        else:
            with log.transaction() as db:
                db.execute("UPDATE leases SET until=0")

    log, stop = opened(), threading.Event()

    def run(runner: Runner, want: int) -> None:
        for _ in range(200):
            assert runner.turn(stop) in (None, "")
            if sum(log.positions("observations", "adder")) >= want:
                return
        raise AssertionError(f"not read: {want}")

    def runner(member: str, log: Any) -> Runner:
        return Runner(InParts(), log, member=member, live=False, now=lambda: 0, snapshot_s=0.0)

    put(log, 0, N)
    first = runner("first", log)
    run(first, N)
    expire()  # the first stands still
    put(log, N, 5)
    second = runner("second", opened())
    run(second, N + 5)
    second._snapshot_all(second._consumer)  # type: ignore[arg-type]
    second._consumer.close()  # type: ignore[union-attr]
    put(log, N + 5, 5)
    first._consumer._leased_at = -LEASE_S  # type: ignore[union-attr]  # so long it stood
    run(first, N + 10)
    said = [e.value for e in log.read("cases", 0, 0)]
    whole = opened_again(tmp_path / "whole")
    assert said == whole
    log.close()


def opened_again(folder: Path) -> list[bytes]:
    """What one writes that nothing happened to."""
    log = open_log(f"sqlite:///{folder}", RUN, DISTRICT, 2)
    put(log, 0, N + 10)
    only = Runner(InParts(), log, member="m", live=False, now=lambda: 0)
    for _ in range(200):
        only.turn(threading.Event())
        if sum(log.positions("observations", "adder")) >= N + 10:
            break
    found = [e.value for e in log.read("cases", 0, 0)]
    log.close()
    return found
