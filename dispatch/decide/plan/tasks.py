"""The plan's tasks (应急预案): which are open, until when, whose they are, and who may say that one is
done. Pure.

A task is no record. It follows from the warnings of `alerts`, from the district's plan, and from the
acts of people who said that it is done; of these alone there is a record (`Decision`, act `task`).
So a replay gives the same tasks, and a plan that was mended holds at once.

A task opens when a warning in force first reaches its step, once in the warning's life; what stands
above a step has reached it too. Where two hazards ask the same of one area it is one task: the one
that is due first is shown, and done is done for every warning that is open there. Stepping down
closes nothing: the river is still there. The end of the warning takes back (撤销) what is not done.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from config.checks.officers import covers
from config.language import Said, Text
from config.records.district import Area, District
from config.records.level import HAZARD_EN, HAZARD_ZH
from config.records.plans import SCALES, PlanTask, Shelter, Supply, Team
from dispatch.decide.act import ActResult
from dispatch.decide.apply import unknown
from dispatch.decide.authority import deciders, officers
from dispatch.decide.policy import authority
from dispatch.grade import grade_of
from dispatch.notices import TASK, drill_mark, duty_notice
from dispatch.records import Alert, Decision, Delivery

TOLD = "move"  # the duty room is told of a task of this step that is late


class TaskDone(msgspec.Struct, frozen=True):
    """Somebody said so."""

    by: str
    at: int
    note: Said


class Course(msgspec.Struct):
    """What one warning has reached so far, and what was done about it."""

    area: str
    hazard: str
    status: Literal["actual", "exercise", "test"]
    incident: str
    version: int = 0
    steps: dict[str, int] = {}  # -> when it was first reached
    over_at: int = 0  # 0: it is open
    done: dict[str, TaskDone] = {}  # id of a plan's task


class Task(NamedTuple):
    """One task in one area. state `revoked` 撤销: its warning ended first."""

    id: str  # PLAN-TASK@ALERT
    plan: PlanTask
    alert: str
    course: Course
    opened_at: int
    due_at: int
    state: Literal["open", "overdue", "done", "revoked"]
    done: TaskDone | None


def take(courses: dict[str, Course], record: Alert | Decision) -> None:
    """Fold one record of `alerts` in; any other is passed over."""
    if isinstance(record, Decision):
        # with a hash it stands in the ledger; without, it is somebody's word that decide has not heard
        said_done = record.act == "task" and record.outcome == "done" and record.hash
        if said_done and record.alert in courses:
            plan = record.task.partition("@")[0]
            said = TaskDone(record.by, record.decided_at, record.reason)
            mine = courses[record.alert]
            for other in courses.values():
                if other is mine or (other.area == mine.area and not other.over_at):
                    other.done.setdefault(plan, said)
        return
    course = courses.get(record.id)
    if course is None:
        course = courses[record.id] = Course(
            record.area, record.hazard, record.status, record.incident
        )
    if record.version <= course.version:
        return
    course.version = record.version
    if record.msg_type == "cancel":
        course.over_at = record.sent_at
        return
    for step in (*SCALES[0][: record.level], *SCALES[1][: record.action]):
        course.steps.setdefault(step, record.sent_at)


def of(district: District, alert: str, course: Course, now: int) -> Iterator[Task]:
    """The tasks of one warning, in the plan's order."""
    area = district.areas.get(course.area)
    for plan in district.plans.tasks.values() if area is not None else ():
        opened_at = course.steps.get(plan.on)
        if opened_at is None or area is None or not area.opens(plan, course.hazard):
            continue
        due_at, done = opened_at + plan.within_min * 60_000, course.done.get(plan.id)
        state: Literal["open", "overdue", "done", "revoked"] = "open"
        if done is not None:
            state = "done"
        elif course.over_at:
            state = "revoked"
        elif now > due_at:
            state = "overdue"
        yield Task(f"{plan.id}@{alert}", plan, alert, course, opened_at, due_at, state, done)


def tasks(district: District, courses: dict[str, Course], now: int) -> list[Task]:
    """All tasks, what is late first, then what is due first, then what is over."""
    rank = {"overdue": 0, "open": 1, "done": 2, "revoked": 2}
    found = [t for alert, c in courses.items() for t in of(district, alert, c, now)]
    found.sort(key=lambda t: (rank[t.state], t.due_at, t.course.area, t.id))
    once: set[tuple[str, str]] = set()
    shown = []
    for t in found:
        key = (t.plan.id, t.course.area)
        if rank[t.state] < 2 and key in once:
            continue
        once.add(key)
        shown.append(t)
    return shown


def teams(district: District, plan: PlanTask, area: Area) -> list[Team]:
    """The teams that a task is for."""
    known = district.plans.teams.values()
    return [t for t in known if t.kind == plan.team and area.within(t.areas)]


def owners(district: District, plan: PlanTask, area: Area) -> list[str]:
    """The officers whose task it is, those on duty first: of its office, or who lead its teams."""
    if plan.office:
        return [o.id for o in officers(district, area.id, (plan.office,))]
    return list(dict.fromkeys(t.leader for t in teams(district, plan, area)))


def draws_on(district: District, plan: PlanTask, area: Area) -> list[Supply | Shelter]:
    """What a task needs: its supplies, and the area's shelters where it is about them."""
    p = district.plans
    shelters = [s for s in p.shelters.values() if plan.shelters and area.within(s.areas)]
    return [*(p.supplies[key] for key in plan.supplies), *shelters]


def owner_words(district: District, plan: PlanTask, area: Area) -> Text:
    """Whose it is, in words."""
    if plan.office:
        office = district.policy.office[plan.office]
        return Text(office.name, office.name_en)
    those = teams(district, plan, area)
    return Text("、".join(t.name for t in those), ", ".join(t.name_en for t in those))


def may(district: District, plan: PlanTask, area: Area, hazard: str, by: str) -> bool:
    """Whose it is, or an officer who decides on that step in that area."""
    if by in owners(district, plan, area):
        return True
    who = authority(district.policy, hazard, plan.on)
    offices, officer = {*deciders(who), *who.through}, district.officers.get(by)
    return officer is not None and officer.office in offices and covers(officer, area)


def check_off(district: District, courses: dict[str, Course], decision: Decision) -> ActResult:
    """What comes of somebody's word that a task is done."""

    def no(zh: str, en: str) -> ActResult:
        return ActResult("refused", "task", Text(zh, en))

    why = unknown(district, decision)
    if why is not None:
        return ActResult("refused", "task", why)
    course = courses.get(decision.alert)
    found = {t.id: t for t in of(district, decision.alert, course, 0)} if course else {}
    task = found.get(decision.task)
    if course is None or task is None or course.area != decision.area:
        return no(f"没有任务{decision.task}", f"there is no task {decision.task}")
    area = district.areas[course.area]
    if not may(district, task.plan, area, course.hazard, decision.by):
        whose = owner_words(district, task.plan, area)
        ids = ", ".join(owners(district, task.plan, area))
        return no(
            f"任务属于{whose.zh}（{ids}），{decision.by}无权销号",
            f"the task is that of {whose.en} ({ids}), not {decision.by}'s",
        )
    if task.done is not None:
        return ActResult(
            "already", "task", Text(f"{task.done.by}已销号", f"{task.done.by} did it before")
        )
    if course.over_at:
        return no("预警已结束，任务已撤销", "the warning is over, the task was revoked")
    return ActResult(
        "done", "task", Text(f"已完成：{task.plan.title}", f"done: {task.plan.title_en}")
    )


def late_notice(district: District, task: Task, at: int) -> Delivery:
    """Tell the duty room of a task that is not done in time."""
    course, plan = task.course, task.plan
    area = district.areas[course.area]
    grade = grade_of(plan.on)
    drill = drill_mark(course.status == "actual")
    whose = owner_words(district, plan, area)
    ids = ", ".join(owners(district, plan, area))
    minutes = plan.within_min
    hazard = course.hazard
    text = drill + Text(
        f"任务逾期未办，请催办：{area.name} {area.id} {HAZARD_ZH.get(hazard, hazard)}："
        f"{plan.title}（{minutes} 分钟）{whose.zh} {ids}。办完请在“资源和预案”按完成",
        f"TASK OVERDUE, press for it: {area.name_en} {area.id} {HAZARD_EN.get(hazard, hazard)}: "
        f"{plan.title_en} ({minutes} min), {whose.en} {ids}. Press Done under Resources and plans",
    )
    return duty_notice(
        f"task late|{task.id}",
        TASK + plan.id,
        drill + Text("任务逾期", "task overdue"),
        text,
        at,
        alert=task.alert,
        status=course.status,
        level=grade.level,
        version=course.version,
        area=course.area,
        hazard=course.hazard,
        action=grade.action,
        msg_type="update",
    )
