"""The runner over a stage whose memory is written in pieces: they go out one by one, when nothing comes too,
and whoever takes over begins from the last point."""

import threading
from pathlib import Path
from typing import Any

import pytest

from stream.log.port import Consumer
from stream.stages.runner import Runner
from tests.support.adder import PARTS, Adder, InParts, N, open_here, outputs, put, until_read


def runner_of(stage: Adder, log: Any, **kw: Any) -> Runner:
    return Runner(stage, log, member="m", live=False, now=lambda: 0, **kw)


def owner(log: Any) -> Consumer:
    consumer: Consumer = log.join("observations", "adder", "m")
    while len(consumer.owned()) < 2:
        consumer.poll(0.1, 1)
    consumer.rewind()
    return consumer


def test_pieces_go_on_when_nothing_comes(tmp_path: Path) -> None:
    log = open_here(tmp_path)
    put(log, 0, N)
    stage = InParts()
    clock = iter([0.0] * 3 + [40.0] * 1000)  # a snapshot is due after 30 s, and overdue after 60
    runner = runner_of(stage, log, snapshot_s=30.0, steady=lambda: next(clock))
    stop, consumer = threading.Event(), owner(log)
    part = next(p for p, end in enumerate(log.ends("observations")) if end)
    for _ in range(20):
        runner._pass(consumer, stop)
        if consumer.snapshot(part) is not None:
            break
    snapshot = consumer.snapshot(part)
    assert snapshot is not None
    assert len(snapshot.pieces) == PARTS
    assert snapshot.position == log.positions("observations", "adder")[part]
    pieces = log.ask("SELECT count(*) FROM pieces")[0][0]
    for _ in range(3):
        runner._pass(consumer, stop)
    assert log.ask("SELECT count(*) FROM pieces")[0][0] == pieces  # nothing new, nothing written
    consumer.close()

    again = InParts()  # the first is dead, and left no word
    until_read(log, runner_of(again, log), N)
    put(log, N, 3)
    until_read(log, runner_of(again, log), N + 3)
    assert again.loaded[0] == PARTS
    assert again.stepped == 3
    log.close()


def test_with_pieces_the_outputs_are_the_same(tmp_path: Path) -> None:
    told = []
    for stage in (Adder(), InParts()):
        folder = tmp_path / type(stage).__name__
        log = open_here(folder)
        put(log, 0, N)
        until_read(log, runner_of(stage, log, snapshot_s=0.0), N // 2)
        until_read(log, runner_of(stage, log, snapshot_s=0.0), N)
        log.close()
        told.append(outputs(folder))
    assert told[0] == told[1]


def test_a_memory_that_cannot_be_written_stops_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = open_here(tmp_path)
    put(log, 0, N)
    stage = InParts()
    stage.fails = True
    until_read(log, runner_of(stage, log, snapshot_s=0.0), N)
    log.close()
    assert len(outputs(tmp_path)) == N
    assert "快照写不出" in capfd.readouterr().err
