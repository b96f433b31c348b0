"""Writes the ledger: for each chain a member that reads its topic and appends entries.

Entries and position are committed together, so each record is entered once whatever dies. The chain
goes on from its last committed entry, read from the log itself: nothing else is remembered, so it
outlives restarts, restores, new keys and new versions of this program. It works beside `archive`,
away from the line: a warning never waits for it.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from config.language import text_of
from dispatch.ledger.chain import CHAINS, Entered, Tail, after, entered, entry_of, head
from dispatch.nodes.keys import Keys, pair_of, public_of, read_secret
from stream import metrics
from stream.log.port import Consumer, Fenced, Log, Out, Unavailable
from stream.pace.retry import Retry
from stream.records import decode

HEAD_EVERY = 2000  # entries
HEAD_S = 60.0
_LIMIT = 5000
# What comes within it is one commit; nothing waits for the ledger. It waits before it writes and not after: the
# warning that it has just heard of is still on its way, by the same disk.
_LINGER_S = 1.0


def group(chain: str) -> str:
    """The consumer group that writes a chain."""
    return f"ledger-{chain}"


def ledger_keys(folder: Path, live: bool) -> Keys:
    """The signer's keys: of a live run the file that FENGSUI_LEDGER_KEY names, else the run's own
    folder, `keys/ledger.key`, made at first. Raises ValueError naming the file."""
    named = os.environ.get("FENGSUI_LEDGER_KEY", "") if live else ""
    if named:
        private = read_secret(Path(named))
        return Keys(private, public_of(private), Path(named))
    return pair_of(folder, "ledger")


def tail_of(log: Log, chain: str) -> Tail:
    """Where a chain ends in the log."""
    part = CHAINS.index(chain)
    end, back = log.ends("ledger")[part], 64
    while end:
        since = max(0, end - back)  # markers of transactions take offsets too
        if found := _last(log, part, since, chain):
            return after(found)
        if not since:
            break
        back *= 16
    return Tail(chain)


def _last(log: Log, part: int, since: int, chain: str) -> Entered | None:
    """The last entry of the chain; what another program put behind it is none."""
    last = None
    while entries := log.read("ledger", part, since):
        found = (decode(entry_of, e.value) for e in reversed(entries))
        last = next((e for e in found if e is not None and e.chain == chain), last)
        since = entries[-1].offset + 1
    return last


class Writer:
    """One chain's member."""

    def __init__(
        self,
        log: Log,
        chain: str,
        member: str,
        private: bytes,
        now: Callable[[], int],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steady = steady
        self._log, self.chain, self._member = log, chain, member
        self._private, self._now = private, now
        self._tail = Tail(chain)
        self._unsigned = 0  # entries since the last head
        self._signed_at = steady()
        self._consumer: Consumer | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; then what is left is signed. A log that is away is waited for. Its pulse tells whether
        it works: without a chain it enters nothing."""
        with metrics.pulse(group(self.chain)) as pulse:
            try:
                self._run(stop, pulse)
                self.close()
            except (Fenced, Unavailable):
                return  # the next owner signs it

    def _run(self, stop: threading.Event, pulse: metrics.Pulse) -> None:
        retry, held = Retry("ledger", stop), metrics.OWNED.labels(group(self.chain))
        while not stop.is_set():
            try:
                self.turn(0.5, lambda: stop.wait(_LINGER_S))
                retry.answered()
                held.set(int(self.holds))
                pulse.beat("" if self.holds else metrics.NONE_HELD)
            except Fenced:
                self._begin_again()
            except Unavailable as e:
                self._begin_again()
                why = f"{self.chain}: " + text_of(e)
                pulse.beat(why)
                retry.wait(why)

    @property
    def holds(self) -> bool:
        """Is the chain this member's to write?"""
        return self._consumer is not None and 0 in self._consumer.owned()

    def turn(self, timeout_s: float, linger: Callable[[], object] | None = None) -> int:
        """Take what is there and commit it; how many entries were written. linger: waits for what belongs to
        the same commit once there is something. Raises Fenced and Unavailable."""
        if self._consumer is None:
            self._consumer = self._log.join(self.chain, group(self.chain), self._member)
        entries = self._consumer.poll(timeout_s, _LIMIT)
        if entries and linger is not None:
            linger()
            entries += self._consumer.poll(0.0, _LIMIT)
        if 0 not in self._consumer.owned():
            return 0
        due = self._steady() - self._signed_at >= HEAD_S
        if entries or due:
            self._look()
        if due:
            self._signed_at = self._steady()
        tail, new = self._tail, list[bytes]()
        for entry in entries:
            if (made := entered(tail, entry.value)) is not None:
                new.append(made[0])
                tail = made[1]
        unsigned = self._unsigned + len(new)
        if tail.n and (unsigned >= HEAD_EVERY or (due and unsigned)):
            signed, tail = head(tail, self._private, self._now())
            new.append(signed)
            unsigned, self._signed_at = 0, self._steady()
        if entries or new:
            at = entries[-1].offset + 1 if entries else self._consumer.owned()[0]
            self._commit(at, new, tail, unsigned)
        return len(new)

    def close(self) -> None:
        """Sign what is not signed, and leave. Raises Fenced and Unavailable."""
        if self._consumer is None:
            return
        try:
            owned = self._consumer.owned()
            if self._unsigned and self._tail.n and 0 in owned:
                signed, tail = head(self._tail, self._private, self._now())
                self._commit(owned[0], [signed], tail, 0)
        finally:
            self.forget()

    def _look(self) -> None:
        """Where the chain ends now: another member may have had it since the last look."""
        tail = tail_of(self._log, self.chain)
        if tail != self._tail:
            self._tail, self._unsigned = tail, 1

    def _commit(self, position: int, new: list[bytes], tail: Tail, unsigned: int) -> None:
        assert self._consumer is not None
        part = CHAINS.index(self.chain)
        outs = [Out("ledger", self.chain, value, part) for value in new]
        self._consumer.commit(0, position, outs)
        self._tail = tail
        self._unsigned = unsigned

    def _begin_again(self) -> None:
        """From what is committed, as a member that stays: whoever leaves and joins again has the work of the
        group divided anew."""
        self._tail = Tail(self.chain)
        if self._consumer is not None:
            self._consumer.rewind()

    def forget(self) -> None:
        """Leave the group; what was not committed is read again."""
        self._tail = Tail(self.chain)
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


class Ledger:
    """Both chains, a thread each. `failed`: why one of them ended."""

    def __init__(
        self, log: Log, member: str, private: bytes, now: Callable[[], int], stop: threading.Event
    ) -> None:
        self.failed: BaseException | None = None
        self._stop = stop
        self._threads = [
            threading.Thread(
                target=self._work, args=(Writer(log, c, member, private, now),), name=group(c)
            )
            for c in CHAINS
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, writer: Writer) -> None:
        try:
            writer.run(self._stop)
        except BaseException as e:  # noqa: BLE001  # raised by `close`: the stage ends with it
            self.failed = e
            self._stop.set()

    def close(self) -> None:
        """Waits for the last heads. Raises what ended a chain."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.failed is not None:
            raise self.failed
