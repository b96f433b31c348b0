"""The after-action report: hand-made records with known times, targets, and the page."""

import json
import re
from pathlib import Path

import pytest

from config.language import Language, Text
from config.load import ConfigError
from config.records.level import Action, Level
from detectors.detection import Detection, Mark
from dispatch.records import Outcome, Question
from fengsui.review.after_action import assess, reported_truth
from fengsui.review.page import after_action, page
from fengsui.review.step_times import gather, measure, spread
from fengsui.review.targets import USUAL, Plan, Target, hold, read_plan
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from skill.verify.truth import Truth
from stream.environment import Usage
from stream.log.port import Out
from stream.records import Record, Run, encode
from tests.support.after_action import T0, S, alert, story
from tests.support.decide_district import yanqing
from tests.support.one_language import foreign, written


def silent(records: list[Record]) -> list[Record]:
    import msgspec

    return [
        msgspec.structs.replace(r, rule="silence") if isinstance(r, Detection) and r.coverage else r
        for r in records
    ]


FLOOD = [Truth("A01", "flash_flood", T0 + (470 + 2400) * S)]


def test_each_hop_is_measured_from_what_is_on_record() -> None:
    hops = measure(gather(story()), FLOOD)
    found = {name: [s.seconds for s in hops.of(name)] for name in hops.samples}
    assert found == {
        "heard": [],
        "asked": [10.0],
        "first_resident": [5.0],
        "resident": [5.0, None],
        "silent": [None],  # it did not sound, and nobody was told
        "version": [10.0],
        "notice": [12.0],
        "decision": [400.0],
        "loudspeaker": [5.0, None],
        "delivered": [5.0, None],  # the one that an update replaced was not due
        "answer": [120.0, None],
        "lead": [2400],
        "lead_prepare": [None],  # a colour is no order
        "lead_move": [None],
    }
    assert not measure(gather(story()), FLOOD, T0 + 70 * S).of("answer")  # it began then
    assert spread(hops.of("answer"))[:3] == (2, 1, 120.0)
    assert hops.of("decision")[0].deadline_s == 300.0


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target(hop="notice", within_s=12), True),
        (Target(hop="notice", within_s=11), False),
        (Target(hop="decision"), False),  # 400 s of 300
        (Target(hop="decision", within_s=400), True),
        (Target(hop="answer", within_s=300), False),  # one never answered
        (Target(hop="answer", within_s=300, share=0.5), True),
        (Target(hop="lead", within_s=2400), True),
        (Target(hop="lead", within_s=2401), False),
    ],
)
def test_targets(target: Target, met: bool) -> None:
    (held,) = hold(Plan(target=(target,)), measure(gather(story()), FLOOD))
    assert held.met is met


def test_a_question_that_nobody_decided_is_due_and_one_that_gave_way_is_not() -> None:
    asks = [Question(what=w, called=("K-01",), deadline_at=T0 + 600 * S) for w in ("orange", "red")]
    waits = {"public": False, "state": "proposed"}
    records = [
        alert(1, T0, Level.YELLOW, proposed_level=Level.ORANGE, questions=asks[:1], **waits),
        alert(2, T0 + 60 * S, Level.YELLOW, proposed_level=Level.RED, questions=asks[1:], **waits),
    ]
    assert not measure(gather(records), ()).of("decision")  # there is time left
    records.append(Mark(group="g", clock_at=T0 + 601 * S, complete_at=T0))
    (one,) = measure(gather(records), ()).of("decision")
    assert (one.what, one.seconds) == ("A01 flash_flood red", None)


def test_nothing_due_is_not_measured_and_not_met() -> None:
    assert {h.met for h in hold(USUAL, measure(gather([]), ()))} == {None}


def test_the_page_says_it_all_and_needs_nothing_else() -> None:
    found = assess(
        yanqing(), silent(story()), USUAL, FLOOD, truth_is="模拟真值", broken_off="<实况>"
    )
    assert found.people.never == ("C-0003",)
    assert found.loudspeakers.silent == ("N002",)
    assert [b.id for b in found.blind] == ["R02"]
    assert found.decisions.questions == {"red": {"late": 1}}
    (row,) = found.areas
    assert (row.lead_s, row.answered_at) == (2400, T0 + 190 * S)
    html = page(yanqing(), found, "zh")
    for words in ("演练：不是真实灾情", "C-0003", "N002", "R02", "未达到", "会商&lt;1&gt;", "K-01",
                  "&lt;实况&gt;", "<svg"):  # fmt: skip
        assert words in html, words
    outside = re.sub(r'xmlns="[^"]*"', "", html)
    assert not re.search(r"https?://|src=|@import|url\(", outside)
    phones = [c.phone for c in yanqing().contacts.values() if c.phone]
    assert not any(p in html for p in phones)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_in_one_language(language: Language) -> None:
    why = Text("发布了实况预警", "a real warning was released")
    found = assess(yanqing(), silent(story()), USUAL, FLOOD, truth_is=Text("模拟真值", "simulated truth"),
                   broken_off=why)  # fmt: skip
    html = page(yanqing(), found, language)
    assert ("演练中止" in html, "Drill broken off" in html) == (language == "zh", language == "en")
    said = written(html)
    assert len(said) > 100
    assert foreign(said, language, ("会商<1>",)) == []


def test_what_people_reported_is_the_truth_of_a_real_event() -> None:
    def told(happened: bool, at: int, told_at: int) -> Outcome:
        return Outcome(area="A01", hazard="flash_flood", happened=happened, start_at=at,
                       end_at=at + S, told_at=told_at, by="D-01")  # fmt: skip

    records = [told(True, T0, 1), told(True, T0 + 60 * S, 1), told(False, T0, 2)]
    assert reported_truth(records) == [Truth("A01", "flash_flood", T0 + 60 * S)]


@pytest.mark.parametrize(
    ("ordered_s", "seconds", "met"),
    [(1800, 1800.0, True), (1740, 1740.0, True), (1680, 1680.0, False), (-300, -300.0, False)],
)
def test_an_order_to_move_is_held_against_what_the_place_needs(
    ordered_s: int, seconds: float, met: bool
) -> None:
    at = FLOOD[0].flooded_at - ordered_s * S
    order = alert(3, at, Level.RED, action=Action.MOVE)
    hops = measure(gather([*story(), order]), FLOOD, None, lambda area, flooded_at: 1740)
    (sample,) = hops.of("lead_move")
    assert sample.seconds == seconds
    (held,) = hold(Plan(target=(Target(hop="lead_move"),)), hops)
    assert held.met is met


def test_a_wrong_plan_names_its_faults(tmp_path: Path) -> None:
    bad = tmp_path / "plan.toml"
    bad.write_text('[[target]]\nhop = "notice"\nshare = 2.0\n')
    with pytest.raises(ConfigError, match=r"(?s)within_s.*share"):
        read_plan(bad, tmp_path)
    bad.write_text('[[target]]\nhop = "nothing"\nwithin_s = 1\n')
    with pytest.raises(ConfigError, match="nothing"):
        read_plan(bad, tmp_path)
    assert read_plan(None, tmp_path) == USUAL
    assert {t.hop for t in read_plan(None, yanqing().folder).target} >= {"answer", "decision"}


def test_of_a_live_run_the_newest_incident_and_no_mark_of_an_exercise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = make_setup(yanqing(), "live", tmp_path)
    assert after_action(setup, "", tmp_path / "out", None) == 1
    run = Run(name="live", kind="live", district="yanqing", config="c", start_at=T0)
    events = [
        alert(1, T0, Level.BLUE, id="w0", incident="I0", status="actual"),
        alert(1, T0 + 60 * S, Level.RED, incident="I1", status="actual"),
    ]
    log = open_run_log(setup)
    log.append([Out("alerts", "x", encode(r)) for r in (run, *events)])
    log.close()
    with pytest.raises(Usage, match="I0, I1"):
        after_action(setup, "I9", tmp_path / "out", None)
    assert after_action(setup, "", tmp_path / "out", None) == 0
    found = json.loads((tmp_path / "out" / "after-action.json").read_bytes())
    assert (found["incident"], found["exercise"], found["summary"]["warnings"]) == ("I1", False, 1)
    html = (tmp_path / "out" / "after-action.html").read_text("utf-8")
    assert "演练" not in html
    assert "事件复盘" in html
    assert "尚无灾情核实" in html


def test_what_has_time_left_at_the_end_is_not_due() -> None:
    begun = story()[:6]  # one person, no answer yet
    assert not measure(gather(begun), ()).of("answer")
    begun.append(Mark(group="g", clock_at=T0 + 371 * S, complete_at=T0))
    assert [s.seconds for s in measure(gather(begun), ()).of("answer")] == [None]
