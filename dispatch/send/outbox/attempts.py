"""Which attempt comes next, without sorting all that waits: heaps beside an outbox. Pure.

The order is that of `urgency`, then of the queueing: a red stands before 100,000 blues at once. What
stands in a heap is only a hint; whether it may begin is asked of the box when it is taken, so an
entry that ended or moved on is passed over. The whole is rebuilt from the box whenever the box is
another one (after a restart, a partition that came back).
"""

import heapq

from dispatch.send.outbox.state import Attempt, Box, Entry, attempt_of, is_ready, line_of, urgency

_Key = tuple[int, int, int, int, int, str]


class Agenda:
    """`follow` the box after each step, `take` what is to begin, `end` what has been answered."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._later: list[tuple[int, str]] = []  # next_at, id
        self._ready: dict[str, list[_Key]] = {}  # by channel
        self._blocked: dict[str, list[str]] = {}  # by line, while another of it is under way
        self._begun: dict[str, str] = {}  # id -> line
        self._lines: set[str] = set()  # of those begun

    def follow(self, box: Box) -> None:
        """Take note of what became ready since the last time."""
        if box is not self._box:
            self._box = box
            self._later, self._ready, self._blocked = [], {}, {}
            for entry_id in box.open:
                self._place(entry_id)
        else:
            for entry_id in box.touched:
                self._place(entry_id)
        box.touched.clear()

    def take(self, channel: str, at: int) -> Attempt | None:
        """The most urgent attempt of a channel that may begin at `at`; it counts as begun."""
        assert self._box is not None
        heap = self._heap(channel, at)
        while heap:
            entry_id = heapq.heappop(heap)[-1]
            e = self._valid(entry_id, channel, at)
            if e is None:
                continue
            line = line_of(e.delivery)
            if line in self._lines:
                self._blocked.setdefault(line, []).append(entry_id)
                continue
            self._begun[entry_id] = line
            self._lines.add(line)
            return attempt_of(self._box, e)
        return None

    def end(self, entry_id: str, again_at: int = 0) -> None:
        """Its attempt is over, or was never made: it may be taken again when the box says so, but
        not before `again_at`."""
        line = self._begun.pop(entry_id, None)
        if line is None:
            return
        self._lines.discard(line)
        for other in self._blocked.pop(line, ()):
            self._place(other)
        if again_at:
            heapq.heappush(self._later, (again_at, entry_id))
        else:
            self._place(entry_id)

    def channels(self, at: int) -> list[str]:
        """Where something may be ready."""
        self._ripen(at)
        return [c for c, heap in self._ready.items() if heap]

    def idle(self, at: int) -> bool:
        """Nothing is begun, and nothing may begin."""
        if self._begun:
            return False
        for channel in self.channels(at):
            heap = self._ready[channel]
            while heap and self._valid(heap[0][-1], channel, at) is None:
                heapq.heappop(heap)
            if heap:
                return False
        return True

    def _heap(self, channel: str, at: int) -> list[_Key]:
        self._ripen(at)
        return self._ready.setdefault(channel, [])

    def _ripen(self, at: int) -> None:
        while self._later and self._later[0][0] <= at:
            self._place(heapq.heappop(self._later)[1], at)

    def _place(self, entry_id: str, at: int | None = None) -> None:
        assert self._box is not None
        e = self._box.entries.get(entry_id)
        if (
            e is None
            or e.done
            or e.held
            or e.state not in ("queued", "failed")
            or not e.delivery.routes
        ):
            return
        if e.next_at and (at is None or e.next_at > at):
            heapq.heappush(self._later, (e.next_at, entry_id))
            return
        d = e.delivery
        key = (*urgency(d), d.queued_at, d.id)
        heapq.heappush(self._ready.setdefault(d.routes[e.route].channel, []), key)

    def _valid(self, entry_id: str, channel: str, at: int) -> Entry | None:
        """The entry, if an attempt of it may begin on this channel."""
        assert self._box is not None
        e = self._box.entries.get(entry_id)
        if e is None or entry_id in self._begun or not is_ready(e, at):
            return None
        return e if e.delivery.routes[e.route].channel == channel else None
