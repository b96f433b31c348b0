"""What crossed the district's line by CAP: a fold of the topics' records, and its lines of text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from config.records.district import District
from config.records.level import HAZARD_ZH, LEVEL_ZH, Level
from detectors.detection import Acknowledgement
from dispatch.cap.neighbours import neighbour_of
from dispatch.records import Decision, Delivery, Receipt
from dispatch.words.local_time import local
from ingest.observation import CapIn

_NOTES = 5
_SHOWN = 20
_WORD = {
    "queued": "待发 queued",
    "sent": "已发 sent",
    "accepted": "对方已收到 their system has it",
    "delivered": "对方已收到 their system has it",
    "answered": "已接受 accepted",
    "failed": "未成 failed",
    "expired": "过期未送达 expired",
    "superseded": "已被新版取代 superseded",
}


@dataclass
class Ours:
    """A message of ours to a neighbour, and how far it came."""

    delivery: Delivery
    state: str = "queued"
    detail: str = ""

    @property
    def declined(self) -> bool:
        return self.state == "failed" and self.detail.startswith("不接受")


@dataclass
class Crossing:
    """theirs: (source, identifier). words: (neighbour, identifier of theirs) -> our word."""

    ours: dict[str, Ours] = field(default_factory=dict)
    theirs: dict[tuple[str, str], CapIn] = field(default_factory=dict)
    over: set[tuple[str, str]] = field(default_factory=set)
    words: dict[tuple[str, str], Decision] = field(default_factory=dict)
    answers: list[Acknowledgement] = field(default_factory=list)

    def take(self, topic: str, record: Any) -> None:
        """Fold one record of a topic in."""
        match record:
            case Acknowledgement() if topic != "alerts":
                pass  # it stands in other topics too
            case CapIn() if record.msg_type not in ("ack", "error"):
                self.theirs.setdefault((record.source, record.identifier), record)
                self.over |= {(record.source, r.identifier) for r in record.references}
            case Acknowledgement():
                self.answers.append(record)
            case Delivery() if neighbour_of(record.recipient):
                self.ours.setdefault(record.id, Ours(record))
            case Receipt() if record.delivery in self.ours:
                self._receipt(self.ours[record.delivery], record)
            case Decision(act="accept" | "decline", outcome="done") if record.hash:
                neighbour, _, reference = record.alert.partition(" ")
                if reference.count(",") >= 2:  # sender,identifier,sent
                    self.words[neighbour, reference.split(",")[1]] = record

    def _receipt(self, ours: Ours, receipt: Receipt) -> None:
        # what the outbox makes of a refusal is no other word of theirs
        if not ours.declined or receipt.state == "answered":
            ours.state, ours.detail = receipt.state, receipt.detail

    def alive(self, at: int) -> list[CapIn]:
        """Messages of others that count now, highest first."""
        found = [
            m
            for key, m in self.theirs.items()
            if key not in self.over and m.expires_at > at and m.says
        ]
        return sorted(found, key=lambda m: (-highest(m), m.source, m.sent_at))


def highest(message: CapIn) -> Level:
    """The highest level that it means for us."""
    return max((s.level for s in message.says), default=Level.NONE)


def neighbour_lines(district: District, crossing: Crossing, at: int, live: bool) -> Iterator[str]:
    """Lines of text for `fengsui neighbours`."""
    if not district.sources.source:
        yield "没有 sources.toml: 不听也不发 nobody is heard and nobody is sent anything; docs/cap.md"
        return
    yield from outside_lines(district, crossing, at)
    for n in district.sources.neighbour.values():
        source = district.sources.source[n.id]
        place = n.place(live)
        yield f"{source.name} {source.name_en}: {place or '未接 not connected'}"
        mine = [o for o in crossing.ours.values() if neighbour_of(o.delivery.recipient) == n.id]
        for o in mine[-_SHOWN:]:
            yield f"  → {_ours(district, o)}"
        for (who, _), m in list(crossing.theirs.items())[-200:]:
            if who == n.id:
                yield f"  ← {_theirs(district, crossing, m)}"


def outside_lines(district: District, crossing: Crossing, at: int) -> Iterator[str]:
    """Other authorities' warnings that count now."""
    alive = crossing.alive(at)
    yield f"外来预警 warnings from outside: {len(alive)}"
    for m in alive[:_SHOWN]:
        source = district.sources.source.get(m.source)
        areas = sorted({s.area for s in m.says})
        hazards = "、".join(sorted({HAZARD_ZH[s.hazard] for s in m.says}))
        shown = " ".join(areas[:8]) + (f" +{len(areas) - 8}" if len(areas) > 8 else "")
        until = local(m.expires_at, district.timezone)
        yield (
            f"  {source.name if source else m.source} {hazards} {LEVEL_ZH[highest(m)]} "
            f"{m.headline} ({shown}) 至 until {until}"
        )
        yield from (f"    注意 note: {d}" for d in m.deviations[:_NOTES])


def state_of(o: Ours) -> str:
    """How far it came, in words."""
    return "不接受 declined" if o.declined else _WORD.get(o.state, o.state)


def _ours(district: District, o: Ours) -> str:
    d, state = o.delivery, state_of(o)
    if d.reply:
        what = "回复 answer " + ("接受 accept" if d.reply == "ack" else "不接受 decline")
    else:
        area = district.areas.get(d.area)
        place = f"{area.township}{area.name}" if area else d.area
        what = (
            f"{place} {HAZARD_ZH.get(d.hazard, d.hazard)} {LEVEL_ZH[d.level]} {d.alert}/{d.version}"
        )
    return f"{what}: {state} {o.detail}".rstrip()


def _theirs(district: District, crossing: Crossing, m: CapIn) -> str:
    word = crossing.words.get((m.source, m.identifier))
    said = "未答复 not answered"
    if word is not None:
        said = ("已接受 accepted" if word.act == "accept" else "不接受 declined") + f" by {word.by}"
    if (m.source, m.identifier) in crossing.over:
        said += "，已被取代 superseded"
    when = local(m.sent_at, district.timezone)
    return f"{when} {m.msg_type} {m.identifier} {LEVEL_ZH[highest(m)]} {m.headline}: {said}"
