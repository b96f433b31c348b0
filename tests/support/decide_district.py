"""A small district and short ways to make records, for the tests of decide and address."""

import msgspec

from config.records.authority import Authority, Officer, Policy
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Coverage, Detection, Evidence, Mark, detection_id
from dispatch.decide.stage import Decide
from dispatch.nodes.keys import public_of
from dispatch.records import Alert, Decision, Report
from dispatch.signatures.proof import Era, Signer, Trust, signed
from stream.records import Record, Run, Tick
from stream.stages.stage import Item, Write
from tests.support.districts import yanqing as yanqing

T0 = 1_753_531_200_000  # 2025-07-26 20:00 in Beijing
MIN = 60_000
GROUP, OTHER = "g-A01", "g-A06"
DESK = bytes(range(32))  # the key of the tests' desk


CHIEF = Officer(id="P-7", office="chief", areas=("*",), duty=0)


def easy(policy: Policy) -> Policy:
    """One person is enough for everything, and P-7 decides on everything; nothing waits at night."""
    table = {
        hazard: {
            what: msgspec.structs.replace(
                who,
                by=(*who.by, "chief"),
                ends=(*who.ends, "chief") if who.ends else (),
                two_persons=False,
                joint=False,
                deadline_s=0 if who.joint else who.deadline_s,
            )
            for what, who in rows.items()
        }
        for hazard, rows in policy.authority.items()
    }
    # what waits at night is tried in tests/dispatch/address/test_address_night.py
    return msgspec.structs.replace(policy, authority=table, night_gather_s=0, night_messages={})


def small(policy: Policy | None = None) -> District:
    """Three areas of Yanqing in two groups, and P-7, who may do everything alone."""
    d = real(policy or easy(yanqing().policy))
    few = {k: o for k, o in d.officers.items() if k not in ("K-02", "D-02", "D-09")}
    return msgspec.structs.replace(d, officers={**few, "P-7": CHIEF})


def real(policy: Policy | None = None) -> District:
    """The three areas with Yanqing's own policy and officers."""
    d = yanqing()
    areas = ("A01", "A02", "A06")
    return msgspec.structs.replace(
        d,
        areas={a: d.areas[a] for a in areas},
        nodes={k: n for k, n in d.nodes.items() if n.area in areas},
        groups={GROUP: ("A01", "A02"), OTHER: ("A06",)},
        group_of_area={"A01": GROUP, "A02": GROUP, "A06": OTHER},
        policy=policy or d.policy,
    )


def with_authority(**changes: Authority) -> District:
    """The small district with other authorities for any hazard."""
    policy = easy(yanqing().policy)
    table = {**policy.authority["*"], **changes}
    return small(msgspec.structs.replace(policy, authority={"*": table}))


def run(kind: str = "live") -> Run:
    return Run(
        name=kind,
        kind=kind,
        district="yanqing",
        config="c",
        start_at=T0,  # type: ignore[arg-type]
    )


def seen(
    minute: float,
    level: Level = Level.NONE,
    action: Action = Action.NONE,
    *,
    area: str = "A01",
    hazard: str = "flash_flood",
    rule: str = "rain_threshold",
    suspect: bool = False,
    tag: str = "",
) -> Detection:
    """A rule's statement at T0 + minute."""
    at = T0 + round(minute * MIN)
    return Detection(
        id=detection_id(area, hazard, rule, at, f"{int(level)}{int(action)}{suspect}{tag}"),
        area=area,
        hazard=hazard,
        rule=rule,
        level=level,
        action=action,
        detected_at=at,
        since_at=at,
        suspect=suspect,
        evidence=(
            Evidence(
                station="R01",
                quantity="rain",
                value=52.3,
                threshold=52.0,
                window_min=60,
                observed_at=at,
            ),
        ),
    )


def silence(minute: float, thin: bool, area: str = "A01") -> Detection:
    at = T0 + round(minute * MIN)
    return Detection(
        id=detection_id(area, "evidence", "silence", at, str(thin)),
        area=area,
        hazard="evidence",
        rule="silence",
        level=Level.NONE,
        action=Action.NONE,
        detected_at=at,
        since_at=at,
        thin=thin,
        coverage=Coverage(live=1 if thin else 3, expected=3, silent=("R02",) if thin else ()),
    )


def mark(minute: float, complete: float | None = None, group: str = GROUP) -> Mark:
    """The group's clock; complete: up to when all was heard (the clock itself)."""
    done = minute if complete is None else complete
    return Mark(group=group, clock_at=T0 + round(minute * MIN), complete_at=T0 + round(done * MIN))


def tick(minute: float) -> Tick:
    return Tick(clock_at=T0 + round(minute * MIN))


def act(
    what: str,
    level: Level = Level.NONE,
    action: Action = Action.NONE,
    *,
    area: str = "A01",
    hazard: str = "flash_flood",
    by: str = "P-7",
    alert: str = "",
    version: int = 0,
    reason: str = "值班研判",
    **more: str,
) -> Decision:
    return Decision(
        area=area,
        hazard=hazard,
        act=what,  # type: ignore[arg-type]
        by=by,
        decided_at=T0,
        reason=reason,
        level=level,
        action=action,
        alert=alert,
        version=version,
        **more,
    )


def unproved(district: District) -> Decide:
    """The stage as it takes what was said before there were proofs."""
    return Decide(district, lambda: Trust(district=district.id, eras=()))


class Line:
    """decide for one run, record by record; keeps what it writes."""

    def __init__(self, district: District | None = None, kind: str = "live") -> None:
        self.district, self.run = district or small(), run(kind)
        self.stage = self.decide(self.district)
        self.state = self.stage.new(0)
        self.offset = 0
        self.writes: list[Write] = []
        self.feed(self.run)

    def decide(self, district: District) -> Decide:
        """The stage that takes the desk's word for whoever acts."""
        era = Era(since=0, run=self.run.name, signers=(Signer(key=public_of(DESK).hex()),))
        trust = Trust(district=district.id, eras=(era,))
        return Decide(district, lambda: trust)

    def items(self, *records: Record) -> list[Item]:
        """In order, people's acts with the desk's proof; each is an act of its own."""
        made = []
        for n, r in enumerate(records, self.offset):
            if isinstance(r, Decision) and r.proof is None:
                r = msgspec.structs.replace(r, order=r.order or f"{n:016x}")
                r = signed(r, DESK, self.run.name, self.district.id)
            made.append(Item(0, n, "", r))
        self.offset += len(records)
        return made

    def feed(self, *records: Record) -> list[Alert]:
        """Returns the versions that these records made."""
        self.state, writes = self.stage.step(self.state, self.items(*records))
        self.writes += writes
        return [w.record for w in writes if isinstance(w.record, Alert)]

    def quiet(self, start: int, end: int, *, step: int = 5) -> list[Alert]:
        """Marks of both groups from minute `start` to `end`."""
        found = []
        for minute in range(start, end + 1, step):
            found += self.feed(mark(minute), mark(minute, group=OTHER))
        return found

    @property
    def alerts(self) -> list[Alert]:
        return [w.record for w in self.writes if isinstance(w.record, Alert)]

    @property
    def decisions(self) -> list[Decision]:
        return [w.record for w in self.writes if isinstance(w.record, Decision)]

    @property
    def reports(self) -> list[Report]:
        return [w.record for w in self.writes if isinstance(w.record, Report)]
