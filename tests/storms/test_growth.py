"""What a process remembers does not grow with the incidents that are over: storm after storm in simulated
time, and each incident is closed before the next storm."""

import gc
import io
import types
from collections import deque
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import pytest

from config.records.district import District
from dispatch.decide.plan.tasks import Course
from dispatch.decide.stage import Decide
from dispatch.send.outbox import apply
from dispatch.send.outbox import state as outbox
from dispatch.signatures import proof
from fengsui.storms.account import InHand
from fengsui.storms.far_ends import FarCarrier, FarEnds, Sink
from fengsui.storms.machine import Machine
from fengsui.storms.plan import STAGES, Burst, Storm
from fengsui.storms.post import Post
from ingest.stage import Intake
from stream.log.memory import Disk, MemoryLog

EVERY, N = 130, 3  # steps from one storm to the next, and how many
HOUR_MS = 3_600_000
# the world round a process, which remembers everything, and what is the same for all
NOT_OF_IT = (
    Machine, MemoryLog, Disk, Post, FarEnds, FarCarrier, Sink, InHand, District,
    type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType,
)  # fmt: skip


def entries(process: Any) -> int:
    """Of all collections that it holds."""
    seen, todo, found = set[int](), [process], 0
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, NOT_OF_IT):
            continue
        seen.add(id(one))
        if isinstance(one, dict | set | deque | list) and not _of_the_world(one):
            found += len(one)
        todo += gc.get_referents(one)
    return found


def _of_the_world(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and isinstance(one[0], InHand)


def played(storms: int) -> dict[str, list[int]]:
    """Process -> its entries after each of so many storms."""
    rain = [
        b
        for n in range(storms)
        for b in (Burst("V01", n * EVERY + 2, 14, 2.4), Burst("V02", n * EVERY + 4, 10, 1.6))
    ]
    habits = {f"O-0{n}": (2, "release") for n in (1, 2, 3)}
    machine = Machine(Storm(6, storms * EVERY, tuple(rain), habits, False, ()))
    found: dict[str, list[int]] = {name: [] for name in STAGES}

    def look(m: Machine) -> None:
        if m.step % EVERY != EVERY - 1:
            return
        for member in m._members:
            if hasattr(member.process, "acked"):
                member.process.acked = []  # the machine's own
            found[member.name].append(entries(member.process))
            if member.name == "decide":
                (held,) = member.process.runner._held.values()  # type: ignore[attr-defined]
                assert held.state.incident is None, m.step

    with redirect_stderr(io.StringIO()):
        machine.run(look)
    return found


def grown(found: dict[str, list[int]]) -> list[str]:
    """Who had more after each of the last storms than after any of the first."""
    return [
        name
        for name, after in found.items()
        if min(after[2 * N - 2 : 2 * N]) > max(after[N - 2 : N])
    ]


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for a day or a week by design is kept for less than the time between two storms."""
    monkeypatch.setattr(outbox, "_KEPT_MS", HOUR_MS)
    monkeypatch.setattr(proof, "STALE_MS", HOUR_MS)


def test_no_process_has_more_after_six_storms_than_after_three() -> None:
    found = played(2 * N)
    assert all(len(after) == 2 * N for after in found.values())
    assert grown(found) == [], found


def _plans_of_the_past(patch: pytest.MonkeyPatch) -> None:
    close = Decide._close

    def keeps(self: Decide, state: Any, incident: Any, at: int, writes: Any) -> None:
        close(self, state, incident, at, writes)
        state.courses[incident.id] = Course("V01", "flash_flood", "actual", incident.id)

    patch.setattr(Decide, "_close", keeps)


def _outbox_that_forgets_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(apply, "forget", lambda box: None)


def _each_message_noted(patch: pytest.MonkeyPatch) -> None:
    records = Intake.records

    def notes(self: Intake, messages: Any) -> Any:
        self._told.update(m.payload.decode() for m in messages)
        return records(self, messages)

    patch.setattr(Intake, "records", notes)


@pytest.mark.parametrize(
    ("leak", "where"),
    [
        (_plans_of_the_past, "decide"),
        (_outbox_that_forgets_nothing, "send"),
        (_each_message_noted, "ingest"),
    ],
)
def test_a_memory_that_keeps_what_is_over_is_found(
    leak: Callable[[pytest.MonkeyPatch], None], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak(monkeypatch)
    assert grown(played(2 * N)) == [where]
