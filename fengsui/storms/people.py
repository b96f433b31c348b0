"""The officers of the proving ground: they read the log as the duty room's page does, and answer what
they are asked as the plan says: soon or late, yes or no, one or both at once."""

import random

import msgspec

from config.records.level import Action, Level
from console.acts.submit import Place, Saying, decisions
from dispatch.grade import grade_of
from dispatch.records import Alert, AlertRecord, Decision
from dispatch.signatures.proof import signed
from fengsui.storms.far_ends import World
from fengsui.storms.ground import DESK, DISTRICT, RUN
from fengsui.storms.plan import OFFICERS
from stream.log.memory import MemoryLog
from stream.log.port import Out, Unavailable
from stream.records import decode, encode

_LIMIT = 5000
_decoder: "msgspec.json.Decoder[AlertRecord]" = msgspec.json.Decoder(AlertRecord)


class Officers:
    """Of one storm. `acked`: the acts of which the log said that it has them."""

    def __init__(self, world: World, log: MemoryLog, rng: random.Random) -> None:
        self._world, self._log, self._rng = world, log, rng
        self._read = self._made = 0
        self._asked: set[tuple[str, ...]] = set()
        self._due: list[tuple[int, int, str, str, Alert, str]] = []
        self._unsent: list[Decision] = []
        self.acked: list[Decision] = []
        self.open_warning = False  # the last word on the page is no end

    def look(self) -> None:
        """What is new on the page, and what is due to be done."""
        self._page()
        step = self._world.step()
        for row in sorted(x for x in self._due if x[0] <= step):
            self._act(*row[2:])
        self._due = [x for x in self._due if x[0] > step]
        self._submit()

    def power_cut(self) -> None:
        """The page reads the log anew."""
        self._read = 0

    def _page(self) -> None:
        for entry in self._log.read("alerts", 0, self._read, _LIMIT):
            self._read = entry.offset + 1
            alert = decode(_decoder.decode, entry.value)
            if not isinstance(alert, Alert) or alert.status != "actual":
                continue
            self.open_warning = alert.msg_type != "cancel"
            for question in alert.questions:
                for officer in question.called:
                    self._ask(officer, alert, question.what)

    def _ask(self, officer: str, alert: Alert, what: str) -> None:
        known = (officer, alert.id, str(alert.version), str(alert.again), what)
        if known in self._asked or officer not in OFFICERS:
            return
        self._asked.add(known)
        world, storm = self._world, self._world.storm
        wait, act = storm.habits[officer]
        if world.suffers("both", ""):
            wait, act = 1, "release"
        for fault in storm.faults:
            if fault.kind == "slow" and fault.who == officer and fault.now(world.step()):
                wait += fault.steps
        if act != "nothing":
            self._due.append((world.step() + wait, len(self._asked), officer, act, alert, what))

    def _act(self, officer: str, act: str, alert: Alert, what: str) -> None:
        grade = grade_of(what) if what in _ASKED else None
        if grade is None:
            act = what  # the end of a warning that a first person asked for
        level = grade.level if grade is not None else Level.NONE
        action = grade.action if grade is not None else Action.NONE
        if act == "raise":
            level, action = Level.RED, Action.MOVE
        place = Place(alert.area, alert.hazard, alert.id, alert.version, level, action)
        self._made += 1
        said = Saying(act, officer, "试验", level, action)
        key = f"{self._rng.getrandbits(64):016x}"
        for decision in decisions(said, [place], self._world.at(), key):
            self._unsent.append(signed(decision, DESK, RUN.name, DISTRICT))

    def _submit(self) -> None:
        if not self._unsent:
            return
        acts = self._unsent
        try:
            self._log.append([Out("cases", d.area, encode(d)) for d in acts])
        except Unavailable:
            return  # they press again
        self._unsent = []
        self.acked += acts


_ASKED = ("blue", "yellow", "orange", "red", "prepare", "move")
