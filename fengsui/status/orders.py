"""A person's act from the command line: into `cases`, one record an area, all or none; and what the
stage decide answered, area by area."""

import secrets
from pathlib import Path
from typing import NamedTuple

from config.language import Said, Text, en, text_of, zh
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH, Action, Level, hazard_words
from console.acts.submit import Place, Saying, decisions, submit
from console.model.follow import Follower
from console.model.view import View
from dispatch.records import Decision
from dispatch.words.local_time import local
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from fengsui.run.signing import sign_as
from fengsui.run.terminal import echo
from fengsui.status.waiting import NOBODY, questions
from ingest.decode.fact_time import fact_time
from stream.environment import Usage
from stream.records import Record

_SIGN = {"done": "✓", "already": "=", "refused": "✗"}
QUEUED = 3  # exit code: recorded, not yet answered


class Wish(NamedTuple):
    """What a person wants."""

    act: str
    areas: tuple[str, ...]  # () with all_waiting
    hazard: str
    by: str
    reason: str
    level: Level = Level.NONE
    action: Action = Action.NONE
    approver: str = ""
    reference: str = ""
    all_waiting: bool = False
    version: int = 0  # of the one area; 0: the newest that the log shows
    happened: str = ""  # when the fact came about, as the person says it
    key: Path | None = None  # the officer's own, where the usual place is not meant


def order(setup: Setup, wish: Wish, wait_s: float) -> int:
    """Record it and tell what came of it. 0: all done (or done before), 1: refused somewhere,
    3: not answered yet."""
    log = open_run_log(setup)
    try:
        wanted = _decisions(setup, alerts_view(log), wish)
        if not wanted:
            echo(
                Text(
                    f"没有等待决定的{HAZARD_ZH[wish.hazard]}预警",
                    f"no warning of {HAZARD_EN[wish.hazard]} waits",
                ),
                err=True,
            )
            return 1
        sign = sign_as(setup, log, wish.by, wish.key)
        answers = submit(log, wanted, wait_s, sign)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    for d in wanted:
        echo(_outcome(setup.district, d, answers.get((d.area, d.hazard, d.task))))
    if any(a.outcome == "refused" for a in answers.values()):
        return 1
    return 0 if len(answers) == len(wanted) else QUEUED


def _decisions(setup: Setup, view: View, wish: Wish) -> list[Decision]:
    """One for each area, each naming the warning as the log shows it now."""
    newest = {(a.area, a.hazard): a for a in view.alerts.values()}
    areas = wish.areas
    if wish.all_waiting:
        areas = tuple(
            sorted(a for (a, h), x in newest.items() if h == wish.hazard and x.state == "proposed")
        )
    for area in areas:
        if area not in setup.district.areas:
            raise Usage(
                Text(
                    f"{setup.district.id} 没有预警区 {area!r}",
                    f"there is no area {area!r} in {setup.district.id}",
                )
            )
    if wish.version and len(areas) != 1:
        raise Usage(Text("--version 只能用于一个区", "--version is for one area only"))
    names = wish.act not in ("raise", "override")
    places = []
    for area in areas:
        seen = newest.get((area, wish.hazard))
        version = wish.version or (seen.version if seen is not None and names else 0)
        places.append(Place(area, wish.hazard, seen.id if seen is not None else "", version))
    now = run_clock(setup, view)
    said = Saying(
        wish.act,
        wish.by,
        wish.reason,
        wish.level,
        wish.action,
        wish.approver,
        wish.reference,
        happened_at=fact_time(wish.happened, now, setup.district.timezone),
    )
    return decisions(said, places, now, secrets.token_hex(8))


def _outcome(district: District, asked: Decision, answer: Decision | None) -> Said:
    area = district.areas[asked.area]
    hazard = hazard_words(asked.hazard)
    place = Text(
        f"{asked.area} {area.township}{area.name} {hazard.zh}",
        f"{asked.area} {area.name_en}, {hazard.en}",
    )
    if answer is None:
        return Text(
            f"… {place.zh} {asked.act}: 已记录，决策环节尚未处理；稍后看 fengsui decisions",
            f"… {place.en} {asked.act}: queued, decide has not answered; later: fengsui decisions",
        )
    version = f" v{answer.version}" if answer.outcome == "done" else ""
    return f"{_SIGN[answer.outcome]} " + place + f"{version} {answer.act}: " + answer.answer


def verify(
    setup: Setup, incident: str, by: str, note: str, wait_s: float, key: Path | None = None
) -> int:
    """核报: a person's corrected facts as a numbered report. Exit codes as `order`."""
    log = open_run_log(setup)
    try:
        view = alerts_view(log)
        decision = Decision(
            area="",
            hazard="",
            act="verify",
            by=by,
            decided_at=run_clock(setup, view),
            reason=note,
            order=secrets.token_hex(8),
            incident=incident,
        )
        sign = sign_as(setup, log, by, key)
        answer = submit(log, [decision], wait_s, sign).get(("", "", ""))
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    if answer is None:
        echo(Text("… 已记录，决策环节尚未处理", "… queued, decide has not answered"))
        return QUEUED
    echo(
        Text(
            f"{_SIGN[answer.outcome]} {answer.incident} 核报：{zh(answer.answer)}",
            f"{_SIGN[answer.outcome]} {answer.incident} verify: {en(answer.answer)}",
        )
    )
    return 1 if answer.outcome == "refused" else 0


def show_decisions(setup: Setup, last: int) -> int:
    """What waits, for whom, until when, and who may decide; then the newest of the ledger."""
    log = open_run_log(setup)
    records: list[Record] = [r for _, r in Follower(log, ("alerts",)).take()]
    log.close()
    view = View()
    for record in records:
        view.take(record)
    district = setup.district
    if not district.officers:
        echo(NOBODY)
    waiting = [a for a in view.open_alerts() if a.questions]
    echo(Text(f"等待决定：{len(waiting)}", f"waiting: {len(waiting)}"))
    for alert in waiting:
        for text in questions(district, alert):
            echo(text)
    acts = [r for r in records if isinstance(r, Decision)][-last:]
    echo(Text(f"最近的决定：{len(acts)}", f"newest decisions: {len(acts)}"))
    for d in acts:
        at = local(d.decided_at, district.timezone)
        about = f"{d.area} {d.hazard} v{d.version}" if d.area else d.incident
        words = d.answer or d.reason
        echo(f"  {at} {_SIGN[d.outcome]} {about} {d.act} {d.by}: " + text_of(words))
    return 0
