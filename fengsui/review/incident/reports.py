"""An incident's numbered reports, as text and to print (A4): one page each, two of the last one, and
an annex with every warning, decision and delivery for whoever asks for it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from config.checks.roster import on_duty
from config.language import Language, Text, choose, en, joined, text_of, zh
from config.records.level import occurrence_en, occurrence_zh
from console.model.follow import Follower
from console.model.shift_log import numbered
from dispatch.address.to_superiors import plain
from dispatch.records import Report, kind_words
from dispatch.words.local_time import local
from fengsui.review.incident.annex import annex
from fengsui.review.incident.course import Gauged, gauged, picture
from fengsui.review.incident.facts import ReportBasis, facts, reports_of
from fengsui.review.incident.names import Names
from fengsui.review.incident.villages import Village, handed_in, reached, villages
from fengsui.review.paper import render
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, language
from stream.history.open import open_history
from stream.log.port import Unavailable

ANNEX = "annex"
_PEOPLE = "影响人口"  # the part that names them
_FORM = "%Y-%m-%d %H:%M"
# lines of villages that leave a report on its page, and the last one on two
_AND = Text("、", ", ")
_ROWS = {"初报": 10, "续报": 12, "核报": 6, "终报": 44}


def report(
    setup: Setup, incident: str, out: Path | None, number: int = 0, *, more: bool = False
) -> int:
    """The reports of an incident (the newest where none is named), or one of them by its number, as
    text; in `out` one as a page, the newest where no number is given, with the annex where `more`."""
    try:
        records = _read(setup)
        chosen, made = _chosen(records, incident, number)
    except LookupError as e:
        echo(e, err=True)
        return 1
    if out is None:
        if number:
            echo(plain(setup.district, made[-1]))
        else:
            for one in made:
                echo(numbered(one))
                # with the villages from which nobody has said anything: no paragraph has room for them
                for part in one.parts:
                    if zh(part.name) == _PEOPLE:
                        echo(Text("    ", "    ") + part.name + Text("：", ": ") + part.words)
        return 0
    out.write_text(_page(setup, records, chosen, made[-1], language(), more=more), "utf-8")
    echo(Text(f"{out}: {chosen}，打印用，A4", f"{out}: {chosen}, to print: A4"))
    return 0


def printed(setup: Setup, asked: str, language: Language) -> str:
    """A report as a page: INCIDENT the newest, INCIDENT:3 the third, INCIDENT:3:annex with the annex.
    Raises ValueError: there is no such incident, or report."""
    records, chosen, made, more = _asked(setup, asked)
    return _page(setup, records, chosen, made, language, more=more)


def in_words(setup: Setup, asked: str, language: Language) -> str:
    """The same as lines of text, for WeCom. Raises ValueError as `printed` does."""
    _, _, made, _ = _asked(setup, asked)
    return choose(plain(setup.district, made), language) + "\n"


def _asked(setup: Setup, asked: str) -> tuple[list[object], str, Report, bool]:
    incident, *rest = asked.split(":")
    more = ANNEX in rest
    number = next((int(x) for x in rest if x.isdecimal() and len(x) < 10), 0)
    try:
        records = _read(setup)
        chosen, made = _chosen(records, incident, number)
    except (LookupError, Usage) as e:
        raise ValueError(text_of(e)) from e
    return records, chosen, made[-1], more


def _read(setup: Setup) -> list[object]:
    log = open_run_log(setup)
    try:
        return [r for _, r in Follower(log, ("cases", "alerts", "deliveries")).take()]
    finally:
        log.close()


def _chosen(records: list[object], incident: str, number: int) -> tuple[str, list[Report]]:
    """The incident (the newest where none is named) and its reports, or the one of that number. Raises
    LookupError: none was reported; Usage: not this one."""
    known = reports_of(records)
    if not known:
        raise LookupError(Text("还没有事件报告", "no incident has been reported"))
    chosen = incident or max(known, key=lambda i: known[i][0].reported_at)
    if chosen not in known:
        words = Text(
            f"没有事件 {chosen!r}，有 {', '.join(known)}",
            f"there is no incident {chosen!r}; there are {', '.join(known)}",
        )
        if chosen.isdecimal():
            words += Text(
                f"；要第 {chosen} 报，写 --number {chosen}",
                f"; for report {chosen} write --number {chosen}",
            )
        raise Usage(words)
    made = [r for r in known[chosen] if number in (0, r.number)]
    if not made:
        raise Usage(
            Text(
                f"{chosen} 没有第 {number} 报，有 1 … {len(known[chosen])}",
                f"{chosen} has no report {number}; it has 1 … {len(known[chosen])}",
            )
        )
    return chosen, made


def _course(setup: Setup, found: ReportBasis, clock: Callable[[int], str]) -> Gauged | None:
    """What the gauges of its areas measured; None where nothing is known of that."""
    areas = {versions[0].area for versions in found.versions.values()}
    begun = [versions[0].onset_at for versions in found.versions.values()]
    if not begun:
        return None
    try:
        history = open_history(setup.history, setup.run.name, setup.district.id)
    except (Unavailable, OSError, ValueError):
        return None
    try:
        return gauged(setup.district, history, areas, min(begun), found.until, clock)
    except (Unavailable, OSError):
        return None
    finally:
        history.close()


# characters of an English cell that stand in one line: place, hazards, levels; of the last report, which has a
# column less, and of the others
_WIDE, _NARROW = (26, 17, 16), (17, 14, 16)


def _room(rows: Sequence[Village], lines: int, language: Language, *, last: bool) -> int:
    """How many rows go into so many lines. Chinese cells take one; English ones two where they are long."""
    if language != "en":
        return lines
    place, hazards, level = _WIDE if last else _NARROW
    for n, r in enumerate(rows):
        long = (
            len(en(r.place)) > place
            or len(en(r.hazards)) > hazards
            or max(0 if last else len(en(r.now)), len(en(r.most))) > level
        )
        lines -= 1 + long
        if lines < 0:
            return n
    return len(rows)


def _page(
    setup: Setup,
    records: list[object],
    incident: str,
    made: Report,
    language: Language,
    *,
    more: bool,
) -> str:
    """One report as HTML in one language, complete in itself, as things were known then."""
    district = setup.district
    found = facts(records, incident, made.number, now=False)
    names = Names(district, {k: v[-1] for k, v in found.versions.items()})

    def at(ms: int) -> str:
        return local(ms, district.timezone, _FORM)

    def clock(ms: int) -> str:
        same = local(ms, district.timezone, "%m-%d") == local(
            found.until, district.timezone, "%m-%d"
        )
        return local(ms, district.timezone, "%H:%M" if same else "%m-%d %H:%M")

    rows = villages(district, found, names)
    rows = [r for r in rows if made.kind in ("初报", "终报") or r.changed]
    room = _room(rows, _ROWS[made.kind], language, last=made.kind == "终报")
    course = _course(setup, found, clock)
    hazards = {versions[0].hazard for versions in found.versions.values()}
    whole = facts(records, incident, made.number, now=True) if more else None
    drawn = ""
    if course is not None:
        drawn = picture(
            course,
            found.versions.values(),
            lambda ms: local(ms, district.timezone, "%H:%M"),
            language,
        )
    return render(
        "report.html.j2",
        language,
        district=district,
        exercise=any(v[0].status != "actual" for v in found.versions.values()),
        what=Text(occurrence_zh(hazards), occurrence_en(hazards)),
        made=made,
        kind=kind_words(made.kind),
        incident=names.incident(incident),
        until=at(found.until),
        clock=clock,
        parts=[(p.name, names.told(p.words), p.gap) for p in made.parts],
        text=names.told(made.text),
        course=course,
        picture=drawn,
        rows=rows[:room],
        more=len(rows) - room,
        last=made.kind == "终报",
        reached=reached(found),
        handed=handed_in(found, names),
        named=setup.district.channels.reports_to,
        blind=_blind(found, names),
        duty=joined((names.officer(t.officer) for t in on_duty(district, found.until)), _AND),
        annex=annex(district, incident, whole, names, at) if whole else None,
    )


def _blind(found: ReportBasis, names: Names) -> Text:
    """Places whose stations did not all report then, the thin ones first."""
    areas = {versions[0].area for versions in found.versions.values()}
    held = [(k, d) for k, d in found.view.coverage.items() if k in areas and d.coverage]
    thin = [k for k, d in held if d.thin]
    some = [k for k, d in held if not d.thin and d.coverage and d.coverage.silent]
    words = []
    if thin:
        words.append(Text("不足以判断：", "too little to judge: ") + _few(thin, names))
    if some:
        words.append(Text("部分缺测：", "in part: ") + _few(some, names))
    return joined(words, Text("；", "; ")) if words else Text("无", "none")


def _few(areas: list[str], names: Names) -> Text:
    some = joined((names.area(a) for a in sorted(areas)[:6]), Text("、", ", "))
    more = len(areas) - 6
    return some + Text(f"等{len(areas)}处", f" and {more} more") if more > 0 else some
