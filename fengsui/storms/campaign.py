"""Many storms, and what came of them: which promises were broken and by which seed, which states were
reached, how often each fault struck. A storm that fails is made small (`smallest`)."""

import hashlib
import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, redirect_stderr
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fengsui.run.service import calm_collector
from fengsui.storms.invariants import broken
from fengsui.storms.machine import Machine
from fengsui.storms.plan import KINDS, Storm, draw
from fengsui.storms.reached import STATES, reached
from stream.pace.stop_signals import leave_signals_to_parent

TOLD = 300  # storms: with fewer, a state that was not reached is told and is no failure
_CHUNK = 10
_SAID = {  # in either language: which one a stage speaks is the environment's to say
    "clock held": ("系统时钟跳变，先不采信", "the system clock was set"),
    "gone back": ("比本版的", "snapshot of format"),
    "torn": ("损坏，不用", "is damaged and left aside"),
}


class Outcome(NamedTuple):
    """Of one storm. digest: of every byte of its log. cpu_s: what it cost."""

    seed: int
    broken: dict[str, list[str]]
    reached: Counter[str]
    injected: Counter[str]
    digest: str
    cpu_s: float


def weathered(storm: Storm) -> Outcome:
    """Play one storm. What the stages say on standard error is kept from it."""
    began, said = time.process_time(), io.StringIO()
    with redirect_stderr(said):
        machine = Machine(storm)
        machine.run()
        account = machine.account()
        found = broken(account)
    return Outcome(
        storm.seed,
        found,
        reached(account, _with_said(machine.reached, said.getvalue())),
        machine.injected,
        digest(machine),
        time.process_time() - began,
    )


def _with_said(seen: Counter[str], said: str) -> Counter[str]:
    """Two things are known only from what a stage says."""
    found = Counter(seen)
    for state, words in _SAID.items():
        found[state] += sum(map(said.count, words))
    return found


def digest(machine: Machine) -> str:
    """SHA-256 of the whole log, as it came to be."""
    return hashlib.sha256(msgspec.msgpack.encode(machine.disk.journal)).hexdigest()


def _seed(seed: int) -> Outcome:
    return weathered(draw(seed))


def _worker() -> None:
    leave_signals_to_parent()
    calm_collector()


def outcomes(seeds: Sequence[int], workers: int) -> Generator[Outcome]:
    """In the order of the seeds. Closed early, it plays what is begun to its end and no more."""
    if workers <= 1 or len(seeds) <= _CHUNK:
        yield from map(_seed, seeds)
        return
    with ProcessPoolExecutor(workers, initializer=_worker) as pool:
        yield from pool.map(_seed, seeds, chunksize=_CHUNK)


@dataclass
class Campaign:
    """What came of all."""

    storms: int = 0
    cpu_s: float = 0.0
    failed: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)  # storms in which a state was reached
    injected: Counter[str] = field(default_factory=Counter)

    def take(self, o: Outcome) -> None:
        self.storms += 1
        self.cpu_s += o.cpu_s
        self.injected.update(o.injected)
        self.reached.update(name for name, n in o.reached.items() if n)
        if o.broken:
            self.failed[o.seed] = o.broken

    @property
    def missed(self) -> list[str]:
        """States that no storm reached, and faults that never struck."""
        return [n for n in STATES if not self.reached[n]] + [
            k for k in KINDS if not self.injected[k]
        ]


def campaign(
    seeds: Iterable[int],
    workers: int,
    each: Callable[[Outcome, Campaign], None] = lambda *_: None,
    stop: threading.Event | None = None,
) -> Campaign:
    """Play these seeds. each: called with each outcome and with all until then. stop: when it is set, what
    was played until then is what there is."""
    found = Campaign()
    with closing(outcomes(list(seeds), workers)) as played:
        for outcome in played:
            found.take(outcome)
            each(outcome, found)
            if stop is not None and stop.is_set():
                break
    return found


def fewer(storm: Storm, keep: Iterable[int], steps: int) -> Storm:
    """The same storm with these of its faults alone, and no longer than so many steps."""
    kept = set(keep)
    faults = tuple(f for n, f in enumerate(storm.faults) if n in kept)
    return storm._replace(faults=faults, steps=min(steps, storm.steps))


def smallest(seed: int, promise: str) -> tuple[list[int], int]:
    """Which faults of a failing storm are needed to break the promise, and how many steps."""
    whole = draw(seed)

    def fails(keep: Sequence[int], steps: int) -> bool:
        return promise in weathered(fewer(whole, keep, steps)).broken

    keep, steps = list(range(len(whole.faults))), whole.steps
    for n in reversed(range(len(whole.faults))):
        rest = [k for k in keep if k != n]
        if fails(rest, steps):
            keep = rest
    low, high = 1, steps
    while (
        low < high
    ):  # a shorter storm need not fail where a longer one does: the end is tried again
        middle = (low + high) // 2
        if fails(keep, middle):
            high = middle
        else:
            low = middle + 1
    return keep, high if fails(keep, high) else steps


def again(seed: int, keep: Sequence[int], steps: int) -> str:
    """The command that shows it again."""
    faults = ",".join(map(str, keep)) or "-"
    return f"fengsui storms --seed {seed} --keep {faults} --steps {steps}"
