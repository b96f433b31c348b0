"""`fengsui tasks` and `fengsui task done`: what the plan asks for now, and saying that it is done."""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from config.language import Said, Text, en, text_of, zh
from config.records.district import District
from config.records.level import HAZARD_EN, hazard_words
from console.acts.submit import Place, Saying, decisions, submit
from dispatch.decide.plan.tasks import Task, draws_on, owner_words, owners, tasks
from dispatch.grade import grade_of
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.signing import sign_as
from fengsui.run.terminal import echo
from fengsui.status.orders import QUEUED
from stream.environment import Usage, spoken

_SIGN = {"overdue": "！", "open": "□", "done": "✓", "revoked": "－"}
STATE = {
    "overdue": Text("逾期", "OVERDUE"),
    "open": Text("待办", "open"),
    "done": Text("已完成", "done"),
    "revoked": Text("已撤销", "revoked"),
}
_OUTCOME = {"done": "✓", "already": "=", "refused": "✗"}


@click.command("tasks")
@click.option("--area", default="", help=spoken(Text("只看一个区", "of one area")))
@click.option(
    "--open", "only_open", is_flag=True, help=spoken(Text("只看未办的", "only what is not done"))
)
@click.option(
    "--json", "as_json", is_flag=True, help=spoken(Text("一行一条 JSON", "one JSON object a line"))
)
@RUN
@click.pass_obj
def tasks_(obj: Shared, area: str, only_open: bool, as_json: bool, run_name: str) -> None:
    """预案任务：预案要做什么、由谁、到何时；逾期的在前。
    预警达到某级时任务开始（plans.toml）；见 docs/plans.md。

    What the plan asks for, of whom, by when; what is overdue first. A task opens when a warning reaches its
    step (plans.toml); see docs/en/plans.md.
    """
    setup = obj.existing(run_name)
    district = setup.district
    if area and area not in district.areas:
        raise Usage(
            Text(
                f"{district.id} 没有预警区 {area!r}", f"there is no area {area!r} in {district.id}"
            )
        )
    log = open_run_log(setup)
    try:
        view = alerts_view(log)
    finally:
        log.close()
    now = run_clock(setup, view)
    found = [
        t
        for t in tasks(district, view.courses, now)
        if area in ("", t.course.area) and (not only_open or t.state in ("open", "overdue"))
    ]
    for t in found:
        echo(json.dumps(plain(district, t), ensure_ascii=False) if as_json else line(district, t))
    if not as_json:
        late = sum(t.state == "overdue" for t in found)
        left = late + sum(t.state == "open" for t in found)
        said = (
            ""
            if district.plans.tasks
            else Text("；本区没有 plans.toml", "; there is no plans.toml")
        )
        echo(
            Text(
                f"{len(found)} 项，{left} 未办，{late} 逾期{zh(said)}",
                f"{len(found)} tasks, {left} not done, {late} overdue{en(said)}",
            )
        )


@click.group("task")
def task() -> None:
    """销号：预案的一项任务已办。

    Say that a task of the plan is done.
    """


@task.command("done")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option(
    "--by",
    required=True,
    help=spoken(Text("操作人代号", "opaque id of the person, of officers.csv")),
)
@click.option(
    "--note",
    default=Text("已完成", "done"),
    show_default=True,
    help=spoken(Text("办理情况", "what was done")),
)
@click.option(
    "--wait",
    "wait_s",
    type=float,
    default=10.0,
    show_default=True,
    help=spoken(Text("等答复的秒数", "seconds to wait for an answer")),
)
@KEY
@RUN
@click.pass_obj
def done(
    obj: Shared,
    ids: tuple[str, ...],
    by: str,
    note: str,
    wait_s: float,
    key: Path | None,
    run_name: str,
) -> None:
    """任务已完成：这些编号的任务（fengsui tasks）已办。

    退出码：0 已办，或先前已办 · 1 不予 · 3 排队，尚无答复。

    The tasks with these ids (fengsui tasks) are done.

    Exit codes: 0 done, or before · 1 refused · 3 queued, no answer yet.
    """
    setup = obj.existing(run_name)
    log = open_run_log(setup)
    code = 0
    try:
        view = alerts_view(log)
        now = run_clock(setup, view)
        known = {t.id: t for t in tasks(setup.district, view.courses, now)}
        sign = sign_as(setup, log, by, key) if any(i in known for i in ids) else None
        for name in dict.fromkeys(ids):
            if name not in known or sign is None:
                echo(
                    Text(
                        f"✗ {name}: 没有这项任务，见 fengsui tasks",
                        f"✗ {name}: there is no such task, see fengsui tasks",
                    ),
                    err=True,
                )
                code = 1
                continue
            course = known[name].course
            said = Saying("task", by, note, task=name)
            place = Place(course.area, course.hazard, known[name].alert, course.version)
            wanted = decisions(said, [place], now, secrets.token_hex(8))
            answer = submit(log, wanted, wait_s, sign).get((course.area, course.hazard, name))
            if answer is None:
                echo(
                    Text(
                        f"… {name}: 已记录，decide 尚未处理",
                        f"… {name}: queued, decide has not answered",
                    )
                )
                code = code or QUEUED
                continue
            echo(f"{_OUTCOME[answer.outcome]} {name}: " + text_of(answer.answer))
            code = 1 if answer.outcome == "refused" else code
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    sys.exit(code)


def line(district: District, t: Task) -> Text:
    """One task in words."""
    area = district.areas[t.course.area]
    whose, step = owner_words(district, t.plan, area), grade_of(t.plan.on).words()
    by: Said = ""
    if t.done:
        by = f"{t.done.by} {local(t.done.at, district.timezone)} " + text_of(t.done.note)
    needs = "、".join(f"{x.id} {x.name}" for x in draws_on(district, t.plan, area))
    drill = "" if t.course.status == "actual" else Text("（演练）", "(DRILL) ")
    hazard, state = hazard_words(t.course.hazard), STATE[t.state]
    who = ", ".join(owners(district, t.plan, area))
    return (
        f"{_SIGN[t.state]} "
        + text_of(drill)
        + f"{local(t.due_at, district.timezone)} "
        + Text(
            f"{state.zh} {area.id} {area.township}{area.name} {hazard.zh} {step.zh}: {t.plan.title} "
            f"· {whose.zh} {who} ",
            f"{state.en} {area.id} {area.name_en}, {hazard.en}, {step.en}: "
            f"{t.plan.title_en} · {whose.en} {who} ",
        )
        + (f"· {needs} " if needs else "")
        + f"· {t.id}"
        + (f" · {by}" if by else "")
    )


def plain(district: District, t: Task) -> dict[str, Any]:
    """One task for a program: times in ms since 1970 UTC."""
    area = district.areas[t.course.area]
    whose = owner_words(district, t.plan, area)
    return {
        "id": t.id,
        "state": t.state,
        "task": t.plan.id,
        "title": t.plan.title,
        "title_en": t.plan.title_en,
        "on": t.plan.on,
        "area": area.id,
        "hazard": t.course.hazard,
        "hazard_en": HAZARD_EN[t.course.hazard],
        "alert": t.alert,
        "status": t.course.status,
        "opened_at": t.opened_at,
        "due_at": t.due_at,
        "owner": whose.zh,
        "owner_en": whose.en,
        "officers": owners(district, t.plan, area),
        "needs": [x.id for x in draws_on(district, t.plan, area)],
        "done_by": t.done.by if t.done else "",
        "done_at": t.done.at if t.done else None,
        "note": spoken(t.done.note) if t.done else "",
    }
