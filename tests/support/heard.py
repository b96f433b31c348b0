"""What several tests use, by the one it was written for: heard."""

from collections import defaultdict

from dispatch.address.stage import Address
from dispatch.grade import Grade
from dispatch.records import Receipt, State
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.attempts import Agenda
from dispatch.send.outbox.state import Attempt, Box, Rules
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, Line, small, yanqing

RULES = Rules(live=False, retry_s=(5,), played_within_s=60, answer_within_s=90, areas={})
REACHED: dict[str, State] = {"broadcast": "played", "cap_push": "accepted", "cap": "accepted"}
NODE = next(n.id for n in yanqing().nodes.values() if n.area == "A01")
RESIDENT = next(
    c.id for c in yanqing().contacts.values() if c.role == "residents" and "A01" in c.areas
)


class Village:
    """decide, address and the outbox, one behind the other; `said`: what went out to whom."""

    def __init__(self) -> None:
        self.line, self.stage = Line(kind="exercise"), Address(small())
        self.state, self.box, self.agenda = self.stage.new(0), Box(), Agenda()
        self.done = 0
        self.said: dict[str, list[str]] = defaultdict(list)
        self.heard: dict[str, list[Grade]] = defaultdict(list)

    def feed(self, *records: object) -> None:
        self.line.feed(*records)  # type: ignore[arg-type]
        new = self.line.writes[self.done :]
        self.done += len(new)
        items = [Item(0, n, w.key, w.record) for n, w in enumerate(new)]
        self.state, writes = self.stage.step(self.state, items)
        for w in writes:
            self.put(w.record)

    def put(self, record: object) -> None:
        waiting = [record]
        while waiting:
            waiting += apply(RULES, self.box, waiting.pop(0))  # type: ignore[arg-type]

    def attempts(self, at: int) -> list[Attempt]:
        self.agenda = Agenda()
        self.agenda.follow(self.box)
        found = []
        for channel in self.agenda.channels(at):
            while (a := self.agenda.take(channel, at)) is not None:
                found.append(a)
        return [a for a in found if a.delivery.audience == "public"]

    def send(self, at: int, *, lost: bool = False, only: str = "") -> None:
        """Make every attempt that is due; `lost`: it fails for good."""
        for a in self.attempts(at):
            if only and a.delivery.recipient != only:
                continue
            channel = a.delivery.routes[a.route].channel
            state: State = "failed" if lost else REACHED.get(channel, "accepted")
            if not lost:
                self.said[a.delivery.recipient].append(a.delivery.routes[a.route].text)
            self.put(
                Receipt(
                    delivery=a.delivery.id,
                    route=a.route,
                    state=state,
                    receipt_at=at,
                    attempt=a.attempt,
                    permanent=lost,
                )
            )


def at(minutes: int) -> int:
    return T0 + minutes * MIN
