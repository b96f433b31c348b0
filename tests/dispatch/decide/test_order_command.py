"""fengsui order, decisions, report: what a person at the keyboard is told, over a real log with the
real stage decide behind it."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.records.level import Action, Level
from dispatch.records import Decision
from fengsui.review.incident.reports import in_words, printed, report
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.status.lines import status_lines
from fengsui.status.orders import QUEUED, Wish, order, show_decisions, verify
from stream.environment import Usage
from stream.log.port import Log, Out
from stream.records import Record, encode
from tests.support.decide_district import T0, run, seen, silence, tick, yanqing

WAIT_S = 120.0  # the longest; an answer ends it


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    strict = msgspec.structs.replace(yanqing().policy, exercise_releases=False)
    district = msgspec.structs.replace(yanqing(), policy=strict)
    made = make_setup(district, "exercise-order", tmp_path, start_at=T0)
    made.folder.mkdir(parents=True)
    return made


@pytest.fixture
def log(setup: Setup) -> Iterator[Log]:
    log = open_run_log(setup)
    yield log
    log.close()


@pytest.fixture
def line(setup: Setup, log: Log) -> Iterator[Log]:
    """The log, with decide at work on it."""
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    thread.start()
    assert ready.wait(120)
    put(log, run("exercise"))
    yield log
    stop.set()
    thread.join(120)


def put(log: Log, *records: Record) -> None:
    log.append([Out("cases", "x", encode(r)) for r in records])


def settled(log: Log) -> None:
    """Wait until decide has taken everything."""
    done = threading.Event()
    for _ in range(2400):
        if log.positions("cases", "decide") >= log.ends("cases"):
            return
        done.wait(0.05)
    raise AssertionError("decide did not come to the end")


def wish(act: str, *areas: str, by: str = "D-01", **more: object) -> Wish:
    return Wish(act, areas, "flash_flood", by, "会商", **more)  # type: ignore[arg-type]


def ledger(log: Log) -> list[Decision]:
    from console.model.follow import Follower

    return [r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Decision)]


def test_one_act_upon_many_areas(
    setup: Setup, line: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    code = order(setup, wish("raise", "A01", "A02", "A06", level=Level.BLUE), WAIT_S)
    assert code == 0
    told = capsys.readouterr().out.splitlines()
    assert [x[:5] for x in told] == ["✓ A01", "✓ A02", "✓ A06"]
    acts = [d for d in ledger(line) if d.by == "D-01"]
    assert [d.area for d in acts] == ["A01", "A02", "A06"]
    assert len({d.order for d in acts}) == 1
    assert len({d.alert for d in acts}) == 3
    # a part of it is refused: the rest is done, and it is told area by area
    assert order(setup, wish("raise", "A01", "A02", by="V-01", action=Action.MOVE), WAIT_S) == 1
    told = capsys.readouterr().out.splitlines()
    assert [x[:5] for x in told] == ["✓ A01", "✗ A02"]
    assert "V-02" in told[1]


def test_all_that_waits_and_the_second_who_comes_too_late(
    setup: Setup, line: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    put(
        line, seen(1, Level.ORANGE), seen(1, Level.RED, area="A02"), seen(1, Level.BLUE, area="A06")
    )
    settled(line)
    assert order(setup, wish("approve", by="K-01", all_waiting=True), WAIT_S) == 0
    assert order(setup, wish("release", by="D-01", all_waiting=True), WAIT_S) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 4  # A06 waits for nothing
    assert order(setup, wish("release", "A01", "A02", by="D-02"), WAIT_S) == 0
    assert [x[0] for x in capsys.readouterr().out.splitlines()] == ["=", "="]
    assert order(setup, wish("release", by="D-02", all_waiting=True), WAIT_S) == 1


def test_a_cancel_holds_for_what_its_person_saw(
    setup: Setup, line: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    put(line, seen(1, Level.BLUE))
    settled(line)
    put(line, seen(2, Level.YELLOW))
    settled(line)
    assert order(setup, wish("cancel", "A01", version=1), WAIT_S) == 1
    assert "version 2" in capsys.readouterr().out
    assert order(setup, wish("cancel", "A01"), WAIT_S) == 0


def test_without_decide_it_is_queued_and_done_later(
    setup: Setup, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    put(log, run("exercise"))
    assert order(setup, wish("raise", "A01", level=Level.BLUE), 0.0) == QUEUED
    assert "queued" in capsys.readouterr().out
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    thread.start()
    assert ready.wait(120)
    settled(log)
    stop.set()
    thread.join(120)
    assert [d.outcome for d in ledger(log)] == ["done"]


def test_an_unknown_area_writes_nothing(setup: Setup, log: Log) -> None:
    with pytest.raises(Usage, match="A99"):
        order(setup, wish("raise", "A01", "A99", level=Level.BLUE), 0.0)
    with pytest.raises(Usage, match="--version"):
        order(setup, wish("cancel", "A01", "A02", version=3), 0.0)
    assert log.ends("cases") == [0]


def test_what_waits_is_shown_with_who_until_when_and_who_may(
    setup: Setup, line: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    put(line, seen(1, Level.ORANGE))
    settled(line)
    assert show_decisions(setup, 5) == 0
    told = capsys.readouterr().out
    for words in ("waiting: 1", "asked K-01", "20:11", "K-09", "D-01", "release policy"):
        assert words in told, told
    status = "\n".join(map(str, status_lines(line, setup.district, T0)))
    assert "asked K-01" in status
    bare = msgspec.structs.replace(setup.district, officers={})
    assert "officers.csv" in "\n".join(map(str, status_lines(line, bare, T0)))


def test_the_reports_of_an_incident_as_text_and_as_a_page(
    setup: Setup, line: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(setup, "", None) == 1
    put(line, silence(0.5, True), seen(1, Level.ORANGE, Action.MOVE), tick(2))
    settled(line)
    assert order(setup, wish("approve", "A01", by="D-01", approver="K-01", reference="京汛<7>"),
                 WAIT_S) == 0  # fmt: skip
    assert verify(setup, "", "V-01", "无", WAIT_S) == 1
    assert verify(setup, "", "D-01", "实测转移 602 人", WAIT_S) == 0
    capsys.readouterr()
    assert report(setup, "", None) == 0
    told = capsys.readouterr().out
    assert "第1报 初报" in told
    assert "第2报 核报" in told
    assert "    影响人口：1处602人" in told
    assert "已令转移而无人报告人数：1处602人" in told, "who said nothing is named in the list too"
    page = tmp_path / "page.html"
    assert report(setup, "", page) == 0
    alone = page.read_text("utf-8")
    for words in (
        "size: A4",
        "演练：不是真实灾情",
        "第2报",
        "实测转移 602 人",
        "区防汛指挥部 D-01",
    ):
        assert words in alone, words
    assert "附件" not in alone
    assert report(setup, "", page, more=True) == 0
    html = page.read_text("utf-8")
    for words in (
        "附件",
        "大庄科乡香屯村",
        "602",
        "立即转移",
        setup.district.stations["R02"].name,  # what is blind
        "京汛&lt;7&gt;",
        "市防汛指挥部 K-01",
    ):
        assert words in html, words
    assert not re.search(r"yanqing-|>R02|A01[^0-9]", html), "ids are for machines"
    assert "<td>黄色、立即转移" in html  # the highest that was in force
    with pytest.raises(Usage, match="yanqing-1"):
        report(setup, "yanqing-1", None)
    with pytest.raises(Usage, match="--number 5"):
        report(setup, "5", None)


def test_one_report_is_printed_alone_as_things_were_then(
    setup: Setup, line: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(line, seen(1, Level.YELLOW, Action.MOVE), tick(2))
    put(line, seen(3, Level.YELLOW, hazard="debris_flow"), seen(3, Level.YELLOW, area="A02"))
    settled(line)
    assert verify(setup, "", "D-01", "实测转移 602 人", WAIT_S) == 0
    capsys.readouterr()
    assert report(setup, "", None, 1) == 0
    told = capsys.readouterr().out
    assert "一、时间" in told
    assert "【待填】" in told
    assert "核报" not in told
    with pytest.raises(Usage, match=r"1 … 2"):
        report(setup, "", None, 3)
    page = tmp_path / "page.html"
    assert report(setup, "", page, 1) == 0
    first = page.read_text("utf-8")
    assert "大庄科乡香屯村" in first
    for later in ("沙门村", "泥石流", "实测转移"):
        assert later not in first, later
    assert report(setup, "", page, more=True) == 0
    whole = page.read_text("utf-8").partition("附件")[2]
    assert whole.count('<td class="n">602</td>') == 1, "who lives there is counted once"
    incident = ledger(line)[-1].incident
    assert "实测转移" not in printed(setup, f"{incident}:1", "zh")
    assert "实测转移" in printed(setup, f"{incident}:annex", "zh")
    assert in_words(setup, f"{incident}:2", "en").startswith("EXERCISE.")
    with pytest.raises(ValueError, match="9"):
        printed(setup, f"{incident}:9", "zh")
