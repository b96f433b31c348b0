"""The plan's tasks: what opens them, what closes them, who may say that one is done, who is told when
one is late."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from config.language import en, zh
from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.address.stage import Address
from dispatch.decide.plan.tasks import Course, Task, of, take, tasks
from dispatch.records import Alert, Decision, Delivery
from fengsui.cli.root import cli
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from stream.log.port import Log, Out
from stream.records import Record, encode
from stream.stages.stage import Item
from tests.support.decide_district import (
    GROUP,
    MIN,
    OTHER,
    T0,
    Line,
    act,
    mark,
    real,
    run,
    seen,
    tick,
    yanqing,
)
from tests.support.examples import examples

MOVE_TASKS = {"move-out", "team-go", "medical"}


def courses(line: Line) -> dict[str, Course]:
    found: dict[str, Course] = {}
    for w in line.writes:
        if isinstance(w.record, Alert | Decision):
            take(found, w.record)
    return found


def listed(line: Line, minute: float) -> dict[str, Task]:
    return {t.plan.id: t for t in tasks(real(), courses(line), T0 + round(minute * MIN))}


def done(task: Task, by: str = "V-01", note: str = "已转移 312 人", **more: str) -> Decision:
    d = act("task", by=by, alert=task.alert, reason=note)
    return msgspec.structs.replace(d, task=task.id, **more)


def answer(line: Line, decision: Decision) -> Decision:
    line.feed(decision)
    return line.decisions[-1]


def test_tasks_open_with_the_step_and_are_late_after_their_time() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW))
    assert set(listed(line, 1)) == {"patrol", "clear-river", "team-ready"}
    line.feed(seen(10, Level.YELLOW, Action.MOVE))
    now = listed(line, 35)
    assert set(now) >= MOVE_TASKS | {"open-shelter", "list-weak"}  # 立即转移 has reached 准备转移
    assert now["move-out"].due_at == T0 + 40 * MIN
    assert list(now)[:2] == ["open-shelter", "patrol"]  # what is late stands first
    assert {k for k, t in now.items() if t.state == "overdue"} == {"patrol", "open-shelter"}


def test_what_waits_for_approval_opens_nothing() -> None:
    line = Line(real())
    line.feed(seen(0, Level.ORANGE))
    assert line.alerts[-1].proposed_level == Level.ORANGE
    assert "close-road" not in listed(line, 1)


def test_done_is_on_record_once_and_by_whom_it_belongs_to() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    task = listed(line, 1)["move-out"]
    assert answer(line, done(task, by="V-02")).outcome == "refused"  # another village
    assert answer(line, done(task, by="T-02")).outcome == "refused"  # another township
    assert answer(line, done(task, by="X-99")).outcome == "refused"
    assert answer(line, done(task, note=" ")).outcome == "refused"
    assert answer(line, done(task._replace(id="fly@" + task.alert))).outcome == "refused"
    assert answer(line, done(task, area="A02")).outcome == "refused"
    assert listed(line, 1)["move-out"].state == "open"
    first = answer(line, done(task))
    assert (first.outcome, first.task, first.by) == ("done", task.id, "V-01")
    assert first.hash, "it stands in the chain of decisions"
    assert answer(line, done(task, by="T-01")).outcome == "already"
    now = listed(line, 99)["move-out"]
    assert now.state == "done"
    assert now.done is not None
    assert (now.done.by, now.done.note) == ("V-01", "已转移 312 人")
    # the team's leader, who is of no deciding office for a colour, and the district for everything
    assert answer(line, done(listed(line, 1)["team-ready"], by="T-01")).outcome == "done"
    assert answer(line, done(listed(line, 1)["clear-river"], by="V-01")).outcome == "refused"
    assert answer(line, done(listed(line, 1)["clear-river"], by="D-01")).outcome == "done"


def test_a_word_that_decide_has_not_answered_counts_for_nothing() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    found = courses(line)
    take(found, done(listed(line, 1)["move-out"]))  # as it stands in `cases`
    assert all(not c.done for c in found.values())


def test_what_two_hazards_ask_of_one_village_is_one_task() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    line.feed(seen(5, Level.YELLOW, Action.MOVE, hazard="debris_flow"))
    both = [t for t in tasks(real(), courses(line), T0 + 6 * MIN) if t.plan.id == "move-out"]
    assert [t.course.hazard for t in both] == ["flash_flood"]  # it is due first
    told = notices(line, Address(real()), [31, 40, 70])
    assert [d.recipient for d in told].count("duty:task:move-out") == 1
    line.feed(act("cancel", by="D-01"))
    again = notices(line, Address(real()), [31, 40, 70])  # for what is still in force
    assert [d.alert for d in again if d.recipient.endswith("move-out")] == [line.alerts[1].id]
    left = [t for t in tasks(real(), courses(line), T0 + 6 * MIN) if t.plan.id == "move-out"]
    assert [(t.course.hazard, t.state) for t in left] == [
        ("debris_flow", "open"),
        ("flash_flood", "revoked"),
    ]
    line.feed(done(left[0]))
    states = {
        t.course.hazard: t.state
        for t in tasks(real(), courses(line), T0)
        if t.plan.id == "move-out"
    }
    assert states == {"debris_flow": "done", "flash_flood": "revoked"}


def test_done_for_one_hazard_is_done_for_the_other() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    line.feed(seen(5, Level.YELLOW, Action.MOVE, hazard="debris_flow"))
    line.feed(done(listed(line, 6)["move-out"]))
    states = [
        t.state for t in tasks(real(), courses(line), T0 + 99 * MIN) if t.plan.id == "move-out"
    ]
    assert states == ["done", "done"]


def test_an_act_upon_a_task_makes_no_version() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    before = len(line.alerts)
    line.feed(done(listed(line, 1)["move-out"]))
    assert len(line.alerts) == before


def test_the_end_of_a_warning_revokes_what_is_not_done() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    line.feed(done(listed(line, 1)["move-out"]))
    open_ = listed(line, 1)["team-go"]
    line.feed(seen(2), act("cancel", by="D-01"))
    now = listed(line, 300)
    assert now["move-out"].state == "done"
    assert {t.state for k, t in now.items() if k != "move-out"} == {"revoked"}
    late = answer(line, done(open_, by="T-01"))
    assert late.outcome == "refused"
    assert "撤销" in late.answer


def test_a_step_down_keeps_what_was_begun() -> None:
    line = Line(real())
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    line.feed(seen(1, Level.YELLOW), act("lower", action=Action.PREPARE, by="D-01"))
    assert line.alerts[-1].action == Action.PREPARE
    assert listed(line, 2)["move-out"].state == "open"


def notices(line: Line, stage: Address, minutes: list[float]) -> list[Delivery]:
    """What address writes to the duty room of tasks, while time goes on."""
    state = stage.new(0)
    items = [Item(0, n, "", w.record) for n, w in enumerate(line.writes)]
    state, writes = stage.step(state, items)
    for minute in minutes:
        state = stage.load(0, stage.dump(state))  # told is not forgotten by a restart
        some = [Item(0, 10_000, "", mark(minute, group=g)) for g in (GROUP, OTHER)]
        state, more = stage.step(state, some)
        writes += more
    found = [w.record for w in writes if isinstance(w.record, Delivery)]
    return [d for d in found if d.recipient.startswith("duty:task:")]


@pytest.mark.parametrize("kind", ["live", "exercise"])
def test_the_duty_room_is_told_once_of_each_order_that_is_late(kind: str) -> None:
    line = Line(real(), kind)
    line.feed(seen(0, Level.YELLOW, Action.MOVE))
    line.feed(done(listed(line, 1)["team-go"], by="T-01"))
    stage = Address(real())
    assert notices(line, stage, [30]) == []
    told = notices(line, stage, [30, 31, 45, 70, 71])
    assert [d.recipient for d in told] == ["duty:task:move-out", "duty:task:medical"]
    assert told[0].queued_at == T0 + 31 * MIN
    assert told[0].status == ("actual" if kind == "live" else "exercise")
    said = told[0].routes[0].text
    assert (
        zh(said).startswith("（演练）") == en(said).startswith("EXERCISE.") == (kind == "exercise")
    )
    assert "V-01" in told[0].routes[0].text
    line.feed(seen(2), act("cancel", by="D-01"))
    assert notices(line, stage, [45, 90]) == []


@examples(60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Level)),
            st.sampled_from(list(Action)),
            st.booleans(),
            st.sampled_from(["A01", "A02"]),
        ),
        max_size=12,
    ),
    st.data(),
)
def test_tasks_follow_from_the_record_however_it_is_read(
    steps: list[tuple[Level, Action, bool, str]], data: st.DataObject
) -> None:
    """Twice the same record, or the record in two parts, gives the same tasks; no task is opened
    twice, and none comes back once it is over."""
    line, seen_over = Line(real()), dict[str, str]()
    for n, (level, action, check, area) in enumerate(steps):
        line.feed(seen(n, level, action, area=area, tag=str(n)))
        found = tasks(real(), courses(line), T0 + n * MIN)
        if check and found:
            line.feed(done(data.draw(st.sampled_from(found)), by="D-01"))
        now = tasks(real(), courses(line), T0 + n * MIN)
        assert len({t.id for t in now}) == len(now)
        states = {t.id: t.state for t in now}
        assert all(states[k] == v for k, v in seen_over.items())
        seen_over = {k: v for k, v in states.items() if v in ("done", "revoked")}
    records = [w.record for w in line.writes if isinstance(w.record, Alert | Decision)]
    once, twice = dict[str, Course](), dict[str, Course]()
    for r in records:
        take(once, r)
        take(twice, r)
        take(twice, r)
    assert once == twice
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(once), type=dict[str, Course]) == once
    # decide's own memory of open warnings is the same fold
    for alert, course in line.state.courses.items():
        assert list(of(real(), alert, course, 0)) == list(of(real(), alert, once[alert], 0))


# ---- the commands, over a real log with the real stage decide behind it


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    made = make_setup(yanqing(), "exercise-tasks", tmp_path, start_at=T0)
    made.folder.mkdir(parents=True)
    return made


@pytest.fixture
def line(setup: Setup) -> Iterator[Log]:
    log = open_run_log(setup)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    thread.start()
    assert ready.wait(90)
    put(log, run("exercise"), seen(0, Level.YELLOW, Action.MOVE), mark(35), tick(35))
    yield log
    stop.set()
    thread.join(90)
    log.close()


def put(log: Log, *records: Record) -> None:
    log.append([Out("cases", "x", encode(r)) for r in records])
    wait = threading.Event()
    for _ in range(1200):
        if log.positions("cases", "decide") >= log.ends("cases"):
            return
        wait.wait(0.05)
    raise AssertionError("decide did not come to the end")


def say(tmp_path: Path, *words: str) -> tuple[int, str]:
    config = str(Path(__file__).parents[3] / "config" / "yanqing")
    waits = {"reserve", "issue", "restore", "sign"} & set(words)
    patient = ["--wait", "90"] if words[0] == "task" or waits else []
    args = [
        "--config",
        config,
        "--state",
        str(tmp_path),
        *words,
        *patient,
        "--run",
        "exercise-tasks",
    ]
    found = CliRunner().invoke(cli, args)
    return found.exit_code, found.output + str(found.exception or "")


def test_a_person_lists_and_checks_off(line: Log, tmp_path: Path) -> None:
    code, out = say(tmp_path, "tasks", "--area", "A01", "--open")
    assert code == 0
    assert out.splitlines()[0].startswith("！ （演练）")
    code, out = say(tmp_path, "tasks", "--area", "A01", "--json")
    found = {row["task"]: row for row in map(json.loads, out.splitlines())}
    assert found["move-out"]["state"] == "overdue"
    assert found["move-out"]["officers"] == ["V-01"]
    assert found["move-out"]["needs"] == ["SH-A01"]
    assert found["open-shelter"]["needs"] == ["SD-01", "SD-02", "SD-03", "SH-A01"]
    key = found["move-out"]["id"]
    code, out = say(tmp_path, "task", "done", key, "--by", "V-02")
    assert (code, out[0]) == (1, "✗")
    code, out = say(tmp_path, "task", "done", key, "--by", "V-01", "--note", "全部到位")
    assert (code, out[0]) == (0, "✓")
    code, out = say(tmp_path, "task", "done", key, "--by", "V-01")
    assert (code, out[0]) == (0, "=")
    code, out = say(tmp_path, "task", "done", "fly@nowhere", "--by", "V-01")
    assert code == 1
    code, out = say(tmp_path, "tasks", "--area", "A01", "--open", "--json")
    assert key not in out
    code, out = say(tmp_path, "tasks", "--area", "A99")
    assert code != 0


def test_the_printed_report_counts_tasks(line: Log, setup: Setup, tmp_path: Path) -> None:
    put(line, *[mark(m, group=g) for m in (65, 70) for g in setup.district.groups])
    found = say(tmp_path, "tasks", "--area", "A01", "--json")[1].splitlines()
    key = next(r["id"] for r in map(json.loads, found) if r["task"] == "move-out")
    assert say(tmp_path, "task", "done", key, "--by", "V-01")[0] == 0
    page = tmp_path / "report.html"
    assert say(tmp_path, "report", "--annex", "--out", str(page))[0] == 0
    text = page.read_text("utf-8")
    row = text[text.index("组织全部人员转移到安置点") :].partition("</tr>")[0]
    assert [x.partition("<")[0] for x in row.split('class="n">')[1:]] == [
        "1",
        "1 (0)",
        "0",
        "0",
        "0",
    ]


def test_supplies_are_counted_and_used_without_a_browser(line: Log, tmp_path: Path) -> None:
    code, out = say(tmp_path, "supplies", "list")
    assert code == 0
    assert "SB-01 示例-大庄科乡编织袋：可用 1200/1200 条，预留 0，领出 0" in out
    code, out = say(tmp_path, "supplies", "reserve", "SB-01", "2000", "--by", "D-01")
    assert code == 1
    assert "只剩1200条可用" in out
    code, out = say(tmp_path, "supplies", "reserve", "SB-01", "300", "--by", "V-01")
    assert code == 1, "neither its keeper nor of the whole district"
    code, out = say(tmp_path, "supplies", "reserve", "SB-01", "300", "--by", "D-01")
    assert (code, out[0]) == (0, "✓")
    code, out = say(tmp_path, "supplies", "issue", "SB-01", "100", "--by", "D-01")
    assert (code, out[0]) == (0, "✓")
    code, out = say(tmp_path, "supplies", "list", "--json")
    row = next(r for r in map(json.loads, out.splitlines()) if r["id"] == "SB-01")
    assert (row["free"], row["reserved"], row["out"]) == (900, 200, 100)
    assert list(row["held"].values()) == [[200, 100]]
    code, out = say(tmp_path, "supplies", "issue", "NO-9", "1", "--by", "D-01")
    assert code != 0
    assert "SB-01" in out, "it says which there are"


def test_an_order_is_drafted_mended_and_signed_without_a_browser(line: Log, tmp_path: Path) -> None:
    code, out = say(tmp_path, "instruct", "draft", "A01", "flash_flood")
    assert code == 0
    assert "出处：shelters.csv SH-A01" in out
    assert "V-01" in out.splitlines()[-1]
    code, out = say(tmp_path, "instruct", "draft", "A01", "flash_flood", "--text")
    assert "出处" not in out
    text = tmp_path / "order.txt"
    text.write_text(out.splitlines()[0] + "\n不得走沿河路。\n", "utf-8")
    words = ("instruct", "sign", "A01", "flash_flood", "--file", str(text))
    code, out = say(tmp_path, *words, "--by", "V-02")
    assert code == 1, "whoever may not order people to get ready"
    code, out = say(tmp_path, *words, "--by", "D-01")
    assert (code, out[0]) == (0, "✓")
    assert "V-01" in out
    records = [r for _, r in Follower(line, ("alerts",)).take()]
    (said,) = (
        r
        for r in records
        if isinstance(r, Decision) and r.act == "instruct" and r.outcome == "done"
    )
    assert said.reason.endswith("不得走沿河路。")
    text.write_text("", "utf-8")
    assert say(tmp_path, *words, "--by", "D-01")[0] != 0
    code, out = say(tmp_path, "instruct", "draft", "A02", "flash_flood")
    assert code != 0
    assert "没有进行中的" in out
