"""What crossed the district's line by CAP: a fold of the topics' records, and its lines of text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from config.language import Said, Text, joined, text_of, zh
from config.records.district import District
from config.records.level import HAZARD_ZH, LEVEL_EN, LEVEL_ZH, Level, hazard_words
from detectors.detection import Acknowledgement
from dispatch.cap.neighbours import neighbour_of
from dispatch.records import Decision, Delivery, Receipt
from dispatch.words.local_time import local
from ingest.observation import CapIn

_NOTES = 5
_SHOWN = 20
_WORD = {
    "queued": Text("待发", "queued"),
    "sent": Text("已发", "sent"),
    "accepted": Text("对方系统已收到", "their system has it"),
    "delivered": Text("对方系统已收到", "their system has it"),
    "answered": Text("已接受", "accepted"),
    "failed": Text("未成", "failed"),
    "expired": Text("过期未送达", "expired"),
    "superseded": Text("已被新版取代", "superseded"),
}


@dataclass
class Ours:
    """A message of ours to a neighbour, and how far it came."""

    delivery: Delivery
    state: str = "queued"
    detail: Said = ""

    @property
    def declined(self) -> bool:
        return self.state == "failed" and zh(self.detail).startswith("不接受")


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


def neighbour_lines(district: District, crossing: Crossing, at: int, live: bool) -> Iterator[Said]:
    """Lines of text for `fengsui neighbours`."""
    if not district.sources.source:
        yield Text(
            "没有 sources.toml，不听也不发；docs/cap.md",
            "no sources.toml: nobody is heard and nobody is sent anything; docs/en/cap.md",
        )
        return
    yield from outside_lines(district, crossing, at)
    for n in district.sources.neighbour.values():
        source = district.sources.source[n.id]
        place = n.place(live)
        yield Text(source.name, source.name_en) + ": " + (place or Text("未接", "not connected"))
        mine = [o for o in crossing.ours.values() if neighbour_of(o.delivery.recipient) == n.id]
        for o in mine[-_SHOWN:]:
            yield "  → " + _ours(district, o)
        for (who, _), m in list(crossing.theirs.items())[-200:]:
            if who == n.id:
                yield "  ← " + _theirs(district, crossing, m)


def outside_lines(district: District, crossing: Crossing, at: int) -> Iterator[Said]:
    """Other authorities' warnings that count now."""
    alive = crossing.alive(at)
    yield Text(f"外来预警：{len(alive)}", f"warnings from outside: {len(alive)}")
    for m in alive[:_SHOWN]:
        source = district.sources.source.get(m.source)
        areas = sorted({s.area for s in m.says})
        hazards = "、".join(sorted({HAZARD_ZH[s.hazard] for s in m.says}))
        shown = " ".join(areas[:8]) + (f" +{len(areas) - 8}" if len(areas) > 8 else "")
        until = local(m.expires_at, district.timezone)
        yield (
            Text(
                f"  {(source.name if source else m.source)} {hazards} {LEVEL_ZH[highest(m)]} "
                f"{m.headline}（{shown}）至 {until}",
                f"  {(source.name_en if source else m.source)} {hazards} {LEVEL_EN[highest(m)]} "
                f"{m.headline} ({shown}) until {until}",
            )
        )
        yield from (Text(f"    注意：{d}", f"    note: {d}") for d in m.deviations[:_NOTES])


def state_of(o: Ours) -> Said:
    """How far it came, in words."""
    return Text("不接受", "declined") if o.declined else _WORD.get(o.state, o.state)


def _ours(district: District, o: Ours) -> Text:
    d, state = o.delivery, state_of(o)
    if d.reply:
        what = Text("回复 ", "answer ") + (
            Text("接受", "accept") if d.reply == "ack" else Text("不接受", "decline")
        )
    else:
        area = district.areas.get(d.area)
        place = Text(f"{area.township}{area.name}", area.name_en) if area else d.area
        grade = Text(LEVEL_ZH[d.level], LEVEL_EN[d.level])
        what = joined((place, hazard_words(d.hazard), grade, f"{d.alert}/{d.version}"), " ")
    return what + ": " + state + (" " + text_of(o.detail) if o.detail else "")


def _theirs(district: District, crossing: Crossing, m: CapIn) -> Text:
    word = crossing.words.get((m.source, m.identifier))
    said = Text("未答复", "not answered")
    if word is not None:
        said = (
            Text("已接受", "accepted") if word.act == "accept" else Text("不接受", "declined")
        ) + f" by {word.by}"
    if (m.source, m.identifier) in crossing.over:
        said += Text("，已被取代", ", superseded")
    when = local(m.sent_at, district.timezone)
    level = highest(m)
    what = Text(LEVEL_ZH[level], LEVEL_EN[level])
    return f"{when} {m.msg_type} {m.identifier} " + what + f" {m.headline}: " + said
