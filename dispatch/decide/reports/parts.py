"""What a report says, part by part, for a superior's desk: place, source, cause, course, people, measures,
losses, trend, next. All of it comes from records; what no record can know is a gap that a person fills
(核报), and what was filled in stands in every later report. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from config.language import Text, joined, text_of
from config.records.district import District
from config.records.level import Action, hazard_words, order_en, order_zh
from config.records.quantity import QUANTITIES
from dispatch.decide.plan.tasks import Course, tasks
from dispatch.decide.reports.memory import Incident
from dispatch.decide.reports.moved import (
    moved_in_words,
    reported,
    silence_in_words,
    unreported,
)
from dispatch.decide.reports.summary import NAMED, as_of, inhabitants
from dispatch.grade import Grade
from dispatch.records import ReportPart
from dispatch.words.evidence import evidence
from dispatch.words.local_time import local

_SOURCE = {
    "gauge": Text("自动监测站", "automatic stations"),
    "camera": Text("视频监测", "cameras"),
    "people": Text("现场人员报告", "people on the spot"),
    "authority": Text("气象等部门预警", "warnings of other authorities"),
}
_AND, _THEN = Text("、", ", "), Text("；", "; ")
_NOTHING = Text("", "")
_QUOTED = 120  # characters of what was verified
_LOSSES = Text(
    "人员伤亡、失联；房屋、道路、电力、通信、农田受损",
    "dead, injured, missing; houses, roads, power, telephone, fields",
)


def _many(n: int, of: str) -> str:
    """English: "1 place", "2 places"."""
    return f"{n} {of}" if n == 1 else f"{n} {of}s"


class _Writer:
    """The parts of one report, as things stand."""

    def __init__(self, district: District, incident: Incident, at: int) -> None:
        self._district, self._incident, self._at = district, incident, at
        hazards = {a.hazard for a in incident.alerts.values()}
        self._hazard = min(hazards) if len(hazards) == 1 else ""
        self.hazards = joined((hazard_words(h) for h in sorted(hazards)), _AND)

    def clock(self, at: int) -> str:
        """20:14; of another day with the date."""
        zone = self._district.timezone
        same = local(at, zone, "%m-%d") == local(self._at, zone, "%m-%d")
        return local(at, zone, "%H:%M" if same else "%m-%d %H:%M")

    def named(self, areas: Sequence[str]) -> Text:
        """香屯村、沙门村等14村, the first of them by name."""
        known = [self._district.areas[a] for a in areas if a in self._district.areas]
        words = joined((Text(a.name, a.name_en) for a in known[:NAMED]), _AND)
        if len(known) > NAMED:
            words += Text(f"等{len(known)}处", f" and {len(known) - NAMED} more")
        return words

    def _worst_first(self) -> list[str]:
        """All areas of the incident."""
        worst: dict[str, Grade] = {}
        for a in self._incident.alerts.values():
            grade = Grade(a.level, a.action) | self._incident.peaks.get(a.id, Grade())
            worst[a.area] = worst.get(a.area, Grade()) | grade
        return sorted(worst, key=lambda a: ([-n for n in worst[a].rank], a))

    def place(self) -> Text:
        """Townships, valleys and villages."""
        areas = [self._district.areas[a] for a in self._worst_first() if a in self._district.areas]
        towns = dict.fromkeys(Text(a.township, a.township_en) for a in areas)
        basins = dict.fromkeys(a.basin for a in areas)
        rivers = dict.fromkeys(
            Text(b.river, b.river_en) for key in basins if (b := self._district.basins.get(key))
        )
        where = Text(
            f"{len(towns)}个乡镇{len(areas)}处",
            f"{_many(len(areas), 'place')} in {_many(len(towns), 'township')}",
        )
        return (
            where
            + Text("（", " (")
            + joined(list(towns)[:NAMED], _AND)
            + Text("），", "), ")
            + Text("涉及", "along ")
            + joined(list(rivers)[:NAMED], _AND)
            + Text("：", ": ")
            + self.named([a.id for a in areas])
        )

    def source(self) -> Text:
        """Who or what said so."""
        seen = self._incident.seen
        found = [words for key, words in _SOURCE.items() if key in seen.sources]
        if seen.damage and "people" not in seen.sources:
            found.append(_SOURCE["people"])
        return joined(found, _AND) if found else Text("值班人员决定", "an officer's decision")

    def cause(self) -> Text:
        """What the first warning rested on."""
        seen = self._incident.seen
        return text_of(seen.reason) if seen.cause is None else self._evidence(seen.cause)

    def _evidence(self, e: object) -> Text:
        zh, en = (evidence(self._district, e, lang) for lang in ("zh", "en"))  # type: ignore[arg-type]
        return Text(zh, en)

    def course(self) -> Text:
        """The value of each quantity that went farthest beyond its limit."""
        worst = self._incident.seen.worst
        found = [self._evidence(worst[q]) for q in QUANTITIES if q in worst]
        if not found:
            return Text("没有超过阈值的测值", "no value was beyond its limit")
        return Text("最大：", "the greatest: ") + joined(found[:4], _THEN)

    def people(self, areas: Collection[str]) -> Text:
        """Of areas, each person once, by what they were ordered."""
        standing, district = self._incident.standing, self._district
        n = inhabitants(district, areas)
        words = Text(f"{len(areas)}处{n}人", f"{n} people in {_many(len(areas), 'place')}")
        found = []
        for action in (Action.MOVE, Action.PREPARE):
            mine = [a for a, grade in standing.items() if grade.action == action]
            if mine:
                zh, en = order_zh(self._hazard, action), order_en(self._hazard, action)
                n = inhabitants(district, mine)
                found.append(Text(f"{zh}{len(mine)}处{n}人", f"{en} {n} in {len(mine)}"))
        if found:
            words += Text("，其中", ", of these ") + joined(found, _AND)
        return words + Text("（同村只计一次）", " (each counted once)") + self._moved(areas)

    def _moved(self, areas: Collection[str]) -> Text:
        seen, known = self._incident.seen, self._district.areas
        told = {a: n for a, n in seen.moved.items() if a in areas and a in known}
        words, heard = _NOTHING, set(told)
        if self._district.policy.proving.transfer:
            sums = reported(self._district, seen.transfers, areas, self._incident.opened_at)
            words, heard = moved_in_words(list(sums.values())), set(sums)
        elif told:
            n = sum(known[a].population if m is None else m for a, m in told.items())
            words += Text(
                f"；{len(told)}处报告已转移{n}人",
                f"; {n} have moved, as told from {_many(len(told), 'place')}",
            )
        peaks = self._incident.peaks
        ordered = {
            a.area
            for a in self._incident.alerts.values()
            if a.area in areas and peaks.get(a.id, Grade()).action == Action.MOVE
        }
        silent = unreported(self._district, ordered, heard)
        words += silence_in_words(self._district, silent, self.named(silent))
        cries = [a for a in dict.fromkeys(seen.cries.values()) if a in known]
        if cries:
            words += Text("；求助未了：", "; asking for help: ") + self.named(cries)
        return words

    def measures(self, courses: Mapping[str, Course]) -> Text:
        """What is in force, what waits, and how far the plan is."""
        standing = self._incident.standing.values()
        orders = Counter(Grade(action=g.action) for g in standing if g.action)
        colours = Counter(Grade(g.level) for g in standing if g.level)
        found = [
            Text(f"{g.words(self._hazard).zh}{n}处", f"{g.words(self._hazard).en} {n}")
            for counts in (orders, colours)
            for g, n in sorted(counts.items(), key=lambda x: [-v for v in x[0].rank])
        ]
        words = Text("生效：", "in force: ") + joined(found, _AND) if found else _NOTHING
        waits = [a for a in self._incident.open if a.questions]
        if waits:
            asked = Grade()
            for a in waits:
                asked |= Grade(a.proposed_level, a.proposed_action)
            until = [a.deadline_at for a in waits if a.deadline_at]
            by = f"，最早{self.clock(min(until))}到时" if until else ""
            by_en = f", the first by {self.clock(min(until))}" if until else ""
            words += _THEN if found else _NOTHING
            words += Text(
                f"待批{len(waits)}份，最高{asked.words(self._hazard).zh}{by}",
                f"{len(waits)} wait, at most {asked.words(self._hazard).en}{by_en}",
            )
        return self._planned(courses, words)

    def _planned(self, courses: Mapping[str, Course], words: Text) -> Text:
        mine = {k: c for k, c in courses.items() if c.incident == self._incident.id}
        states = Counter(t.state for t in tasks(self._district, mine, self._at))
        if states:
            words += _THEN if words.zh else _NOTHING
            words += Text(
                f"预案任务{states.total()}项，已办{states['done']}、逾期{states['overdue']}",
                f"{states.total()} tasks of the plan, {states['done']} done, "
                f"{states['overdue']} overdue",
            )
            if revoked := states["revoked"]:
                words += Text(
                    f"，{revoked}项到解除时没有销号",
                    f", {revoked} not said to be done when all was lifted",
                )
        return words or Text("无", "none")

    def losses(self) -> Text:
        """As people reported them; "" : nobody has."""
        seen = self._incident.seen
        found = [
            Text(
                f"第{f.number}报核实（{self.clock(f.at)}）：{_short(f.words.zh)}",
                f"report {f.number}, verified {self.clock(f.at)}: {_short(f.words.en)}",
            )
            for f in seen.found[-3:]
        ]
        told = [
            self.named([area])
            + Text("", " ")
            + joined((Text(f"{QUANTITIES[w].zh}", w.replace("_", " ")) for w in what), _AND)
            + Text(
                f"（{self.clock(min(what.values()))}，未核实）",
                f" ({self.clock(min(what.values()))}, not verified)",
            )
            for area, what in list(seen.damage.items())[:4]
            if area in self._district.areas
        ]
        return joined([*found, *told], _THEN)

    def trend(self) -> Text:
        """Up or down since the last report, what is on its way, and where nobody can see."""
        now, was = _most(self._incident.standing), _most(self._incident.told)
        words = Text("生效最高", "in force at most ") + now.words(self._hazard)
        if self._incident.number > 1:
            way = Text("升高", "risen") if now.rank > was.rank else Text("持平", "as before")
            way = Text("降低", "fallen") if now.rank < was.rank else way
            words += Text("，较上报", ", since the last report: ") + way
        coming = [
            a
            for a in self._incident.open
            if a.earliest_at and a.latest_at and a.latest_at > self._at
        ]
        for a in sorted(coming, key=lambda a: a.earliest_at or 0)[:3]:
            words += (
                _THEN
                + self.named([a.area])
                + Text(
                    f"预计{self.clock(a.earliest_at or 0)}到{self.clock(a.latest_at or 0)}来水",
                    f": water between {self.clock(a.earliest_at or 0)} and {self.clock(a.latest_at or 0)}",
                )
            )
        thin = sorted({a.area for a in self._incident.open if a.thin})
        if thin:
            words += (
                _THEN
                + Text("监测不足、情况不明：", "thin evidence, not known: ")
                + self.named(thin)
            )
        return words

    def changes(self) -> Text:
        """What is in force, an area each, against the last report."""
        now, was = self._incident.standing, self._incident.told
        up = [a for a in now if a in was and now[a].exceeds(was[a])]
        down = [a for a in now if a in was and now[a] != was[a] and a not in up]
        rows = (
            (Text("升高", "risen"), up),
            (Text("新增", "new"), [a for a in now if a not in was]),
            (Text("降低", "fallen"), down),
            (Text("解除", "lifted"), [a for a in was if a not in now]),
        )
        found = []
        for what, areas in rows:
            if not areas:
                continue
            ordered = sorted(areas, key=lambda a: ([-n for n in now.get(a, Grade()).rank], a))
            top = _most({a: now[a] for a in areas if a in now})
            highest = Text("，最高", ", at most ") + top.words(self._hazard) if top else _NOTHING
            head = Text(f"{what.zh}{len(areas)}处", f"{what.en}: {len(areas)}")
            found.append(head + highest + Text("（", " (") + self.named(ordered) + Text("）", ")"))
        return joined(found, _THEN)


def _short(words: str) -> str:
    """As much as leaves a report on its page; the whole stands in the 核报."""
    return words if len(words) <= _QUOTED else words[:_QUOTED].rstrip() + "…"


def _most(grades: Mapping[str, Grade]) -> Grade:
    top = Grade()
    for grade in grades.values():
        top |= grade
    return top


def parts(
    district: District,
    incident: Incident,
    kind: str,
    at: int,
    due: int | None,
    courses: Mapping[str, Course],
) -> tuple[ReportPart, ...]:
    """The parts of the report that `kind` is, in order. due: by when the next one comes. Of a 续报 only
    those stand there that say something else than last time; what each says is remembered."""
    w = _Writer(district, incident, at)
    end = kind == "终报"
    areas = {a.area for a in incident.alerts.values() if end or a.msg_type != "cancel"}
    losses = w.losses()
    since = w.clock(incident.seen.first[0] if incident.seen.first else incident.opened_at)
    begun = Text(f"{since}起", f"since {since}")
    until = Text(f"，截至{w.clock(as_of(incident, at))}", f", as of {w.clock(as_of(incident, at))}")
    if end and incident.quiet_at:
        until = Text(
            f"，{w.clock(incident.quiet_at)}全部解除", f", all lifted {w.clock(incident.quiet_at)}"
        )
    whole = {
        "hazards": ReportPart(name=Text("灾种", "hazard"), words=w.hazards),
        "place": ReportPart(name=Text("地点", "place"), words=w.place()),
        "source": ReportPart(name=Text("信息来源", "source"), words=w.source()),
        "cause": ReportPart(name=Text("起因", "cause"), words=w.cause()),
        "course": ReportPart(name=Text("雨情水情", "course"), words=w.course()),
        "people": ReportPart(name=Text("影响人口", "people"), words=w.people(areas)),
        "measures": ReportPart(name=Text("已采取措施", "measures"), words=w.measures(courses)),
        "losses": ReportPart(
            name=Text("灾情损失", "losses"),
            words=losses if losses.zh else _LOSSES,
            gap=not losses.zh,
        ),
        "trend": ReportPart(name=Text("发展趋势", "trend"), words=w.trend()),
    }
    if end:
        del whole["trend"]
    first = ReportPart(name=Text("时间", "time"), words=begun + until)
    shown = [first, *whole.values()]
    if kind == "续报":
        changed = [
            p for key, p in whole.items() if key != "place" and incident.stated.get(key) != p.words
        ]
        same = Text("预警与上一报相同", "warnings as in the last report")
        moved = w.changes()
        told = ReportPart(name=Text("变化", "changes"), words=moved if moved.zh else same)
        shown = [first, told, *changed]
    elif kind == "核报":
        f = incident.seen.found[-1]
        who = _officer(district, f.by)
        shown = [
            first,
            ReportPart(name=Text("核实情况", "verified"), words=f.words),
            ReportPart(name=Text("核实人", "verified by"), words=who),
            *(whole[key] for key in ("source", "course", "people", "measures", "losses")),
        ]
    incident.stated = {key: text_of(p.words) for key, p in whole.items()}
    if due is not None:
        shown.append(
            ReportPart(
                name=Text("下次报告", "next report"),
                words=Text(f"{w.clock(due)}前", f"by {w.clock(due)}"),
            )
        )
    return tuple(shown)


def _officer(district: District, by: str) -> Text:
    """区防汛指挥部 D-01: the office of whoever it was, with their number."""
    officer = district.officers.get(by)
    office = district.policy.office.get(officer.office) if officer else None
    return Text(f"{office.name} {by}", f"{office.name_en} {by}") if office else Text(by, by)
