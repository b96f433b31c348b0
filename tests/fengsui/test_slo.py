"""The promises: one definition of each interval for the command, the report and the metrics; what is left
of the misses that a target allows; and what was never due is not told as kept."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from detectors.detection import Detection
from dispatch.notices import DUTY
from dispatch.records import Delivery
from fengsui.review.after_action import assess
from fengsui.review.slo import INTERVALS, KERR, USUAL_SLO, Slo, SloRow, heard_of_all, table, targets
from fengsui.review.step_times import gather, heard, measure
from fengsui.review.targets import USUAL, Plan, Target
from fengsui.status.consistency import promises
from ingest.observation import HISTORICAL, Flag, Observation, Observations
from stream.records import Record, Tick
from tests.support.after_action import T0, S, delivery, receipt, story
from tests.support.decide_district import yanqing
from tests.support.inquiry import RUN, filled, readings
from tests.support.played import ROOT, fengsui

LATER = T0 + 470 * S


def rows_of(records: list[Record], plan: Plan = USUAL) -> dict[str, SloRow]:
    return {r.hop: r for r in table(targets(plan), measure(gather(records), ()))}


def notice(at: int, node: str = "N002", version: int = 2) -> Delivery:
    return delivery(f"n{at}", version, "console", DUTY + node, at, audience="internal")


def test_each_interval_begins_and_ends_where_its_page_says() -> None:
    records = [*story(), readings(T0, T0 + 7 * S, 1), notice(LATER + 310 * S)]
    hops = measure(gather(records), ())
    found = {hop: [s.seconds for s in hops.of(hop)] for hop in INTERVALS}
    assert found == {
        "heard": [7.0],
        "asked": [10.0],
        "decision": [400.0],
        "first_resident": [5.0],
        "resident": [5.0, None],
        "silent": [310.0],
    }


def test_a_batch_counts_each_station_once_and_nothing_that_was_stored() -> None:
    items = [
        Observation(station="R01", quantity="rain", observed_at=T0 + n * S, value=n, flag=Flag.GOOD)
        for n in (0, 20, 10)
    ]
    old = Observation(
        station="R02", quantity="rain", observed_at=T0 - 9000 * S, value=1, test=HISTORICAL
    )
    batch = Observations.of("g", T0 + 30 * S, [*items, old])
    assert [(s.what, s.seconds) for s in heard(batch)] == [("R01", 10.0)]
    ahead = Observations.of("g", T0 - 60 * S, items[:1])
    assert [s.seconds for s in heard(ahead)] == [0.0]


def test_a_loudspeaker_that_sounds_late_or_never_is_told_of_or_missed() -> None:
    def silent(*more: Record) -> list[float | None]:
        return [s.seconds for s in measure(gather([*story(), *more]), ()).of("silent")]

    assert silent() == [None]  # N002 never sounded and nobody was told
    assert silent(notice(LATER + 300 * S, "N001")) == [300.0, None]
    assert silent(notice(LATER + 300 * S, version=1)) == [None]  # of another version
    late = [delivery("b3", 2, "broadcast", "N003", LATER), receipt("b3", "played", LATER + 400 * S)]
    assert silent(*late) == [None, None]
    under_way = delivery("b4", 2, "broadcast", "N004", LATER, deadline_at=LATER + 9000 * S)
    assert silent(under_way) == [None]  # the one of before


def test_what_is_left_of_the_misses() -> None:
    plan = Plan(target=(Target(hop="resident", within_s=10, share=0.5),))
    row = rows_of(story(), plan)["resident"]
    assert (row.due, row.in_time, row.ratio) == (2, 1, 0.5)
    assert (row.allowed, row.left, row.left_ratio) == (1.0, 0.0, 0.0)
    spent = rows_of(story())["decision"]  # answered after 400 s, due in 300
    assert (spent.due, spent.in_time) == (1, 0)
    assert spent.left == pytest.approx(0.0 - 1)  # USUAL wants all of them
    assert spent.left_ratio is None
    assert spent.longest == 400.0
    nothing = rows_of([])["resident"]
    assert (nothing.due, nothing.ratio, nothing.left) == (0, None, 0.0)


def test_a_district_sets_its_own_targets() -> None:
    assert targets(Plan()) == USUAL_SLO
    own = Target(hop="silent", within_s=9, share=0.5)
    assert targets(Plan(target=(own,)))["silent"] == own
    assert set(targets(USUAL)) == set(INTERVALS)


def test_the_report_the_command_and_the_metrics_measure_alike() -> None:
    records = [*story(), readings(T0, T0 + 7 * S, 1), readings(T0, T0 + 700 * S, 1)]
    rows = rows_of(records)
    report = assess(yanqing(), records, USUAL, [])
    assert {h.hop: (h.due, h.longest) for h in report.hops if h.hop in INTERVALS} == {
        r.hop: (r.due, r.longest) for r in rows.values()
    }
    live = Slo(targets(USUAL))
    for record in records:
        live.take(record)
    assert live.dirty
    mine = {r.hop: r for r in live.rows(LATER)}
    assert not live.dirty
    for hop, row in rows.items():
        assert (mine[hop].due, mine[hop].in_time, mine[hop].left) == (
            row.due,
            row.in_time,
            row.left,
        )
    promises(list(mine.values()))

    def metric(name: str, hop: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"interval": hop})

    assert metric("fengsui_slo_due", "heard") == 2
    assert metric("fengsui_slo_in_time", "heard") == 1
    assert metric("fengsui_slo_target_ratio", "heard") == 0.99
    assert metric("fengsui_slo_longest_seconds", "decision") == 400.0
    assert metric("fengsui_slo_budget_left", "decision") == -1.0
    assert metric("fengsui_slo_longest_seconds", "silent") is None  # nobody was ever told


def test_what_is_older_than_thirty_days_counts_no_more() -> None:
    live = Slo(targets(USUAL))
    for record in [*story(), readings(T0, T0 + 7 * S, 1), Tick(clock_at=LATER)]:
        live.take(record)
    later = {r.hop: r for r in live.rows(T0 + 32 * 86_400 * S)}
    assert {r.due for r in later.values()} == {0}


def test_the_command(tmp_path: Path) -> None:
    filled(tmp_path)
    told = fengsui(tmp_path, "slo", "--run", RUN, FENGSUI_LANG="")
    assert told.returncode == 0, told.stderr
    assert "! 提请 → 决定 各自时限，100%：0/1 = 0.00%，比可误的多 1.0 次" in told.stdout
    assert "04:22 提请" in told.stdout
    assert "39 分钟" in told.stdout
    found = json.loads(fengsui(tmp_path, "slo", "--run", RUN, "--json").stdout)
    rows = msgspec.convert(found["rows"], list[SloRow])
    assert [r.hop for r in rows] == list(INTERVALS)
    one = fengsui(tmp_path, "slo", "--run", RUN, "--incident", "I2", "--json").stdout
    asked = next(r for r in json.loads(one)["rows"] if r["hop"] == "asked")
    assert asked["due"] == 0


def test_the_page_names_each_interval_its_target_and_its_metric() -> None:
    page = (ROOT / "docs" / "slo.md").read_text("utf-8")
    for hop, target in USUAL_SLO.items():
        row = next(x for x in page.splitlines() if x.startswith(f"| `{hop}` |"))
        within = "各自时限" if target.within_s is None else f"{target.within_s} s"
        assert within in row, hop
        assert f"{target.share:.0%}" in row, hop
    assert set(re.findall(r"`(fengsui_slo_\w+)", page)) == {
        "fengsui_slo_due", "fengsui_slo_in_time", "fengsui_slo_target_ratio",
        "fengsui_slo_budget_left", "fengsui_slo_longest_seconds",
    }  # fmt: skip
    assert KERR.source in page
    minutes = [int(x[:2]) * 60 + int(x[3:]) for x in (KERR.asked, KERR.sent)]
    assert minutes[1] - minutes[0] == KERR.minutes


def test_a_release_that_no_one_needed_to_hear_twice_is_one() -> None:
    """A renewal in force for no more than before is no new release."""
    same = [r for r in story() if getattr(r, "version", 0) == 2 and hasattr(r, "sent_at")]
    again = msgspec.structs.replace(same[0], version=3, sent_at=LATER + 600 * S)
    told = delivery("b9", 3, "broadcast", "N001", LATER + 600 * S)
    hops = measure(gather([*story(), again, told, receipt("b9", "played", LATER + 700 * S)]), ())
    assert len(hops.of("first_resident")) == 1


def test_what_was_late_when_an_update_took_its_place_was_missed() -> None:
    def due(at_s: int) -> tuple[list[float | None], list[float | None]]:
        gone = receipt("b5", "superseded", LATER + at_s * S)
        found = measure(gather([*story(), delivery("b5", 2, "broadcast", "N005", LATER), gone]), ())
        return [s.seconds for s in found.of("resident")], [s.seconds for s in found.of("silent")]

    assert due(290) == ([5.0, None], [None])  # N002 alone
    assert due(350) == ([5.0, None, None], [None])  # to be told of from 360 s on
    assert due(400) == ([5.0, None, None], [None, None])


def test_a_question_over_which_its_warning_ran_out_was_not_decided() -> None:
    asked = next(r for r in story() if getattr(r, "version", 0) == 1 and hasattr(r, "sent_at"))
    gone = {"version": 2, "questions": (), "public": False}
    late = msgspec.structs.replace(asked, state="expired", sent_at=T0 + 9000 * S, **gone)
    assert [s.seconds for s in measure(gather([asked, late]), ()).of("decision")] == [None]
    early = msgspec.structs.replace(asked, state="expired", sent_at=T0 + 200 * S, **gone)
    assert measure(gather([asked, early]), ()).of("decision") == []
    higher = asked.questions[0].__class__(what="orange", called=("K-02",), deadline_at=T0 + 99 * S)
    first = msgspec.structs.replace(asked, questions=(higher,))
    then = msgspec.structs.replace(asked, version=2, sent_at=T0 + 120 * S)
    found = measure(gather([first, then, Tick(clock_at=T0 + 130 * S)]), ()).of("decision")
    assert [(s.what, s.seconds) for s in found] == [("A01 flash_flood orange", None)]


def test_evidence_that_the_log_has_no_longer_ends_nothing() -> None:
    kept = [r for r in story() if not isinstance(r, Detection)]
    assert measure(gather(kept), ()).of("asked") == []
    assert len(measure(gather(kept), ()).of("decision")) == 1


def test_a_release_that_was_addressed_to_nobody_reached_nobody() -> None:
    alerts = [r for r in story() if not hasattr(r, "recipient") and not hasattr(r, "delivery")]
    late, now = Tick(clock_at=LATER + 61 * S), Tick(clock_at=LATER + 60 * S)
    assert [s.seconds for s in measure(gather([*alerts, late]), ()).of("first_resident")] == [None]
    assert measure(gather([*alerts, now]), ()).of("first_resident") == []  # it has time yet


def test_a_warning_that_began_before_the_thirty_days_is_measured_as_a_whole() -> None:
    live, month = Slo(targets(USUAL)), 30 * 86_400 * S
    (last,) = [r for r in story() if getattr(r, "version", 0) == 2 and hasattr(r, "sent_at")]
    again = msgspec.structs.replace(last, version=3, sent_at=LATER + 3600 * S, renewed=True)
    told = delivery("b9", 3, "broadcast", "N001", LATER + 3600 * S)
    for record in [*story(), again, told, receipt("b9", "played", LATER + 3700 * S)]:
        live.take(record)
    live.take(Tick(clock_at=LATER + month + 60 * S))
    rows = {r.hop: r for r in live.rows(LATER + month + 60 * S)}
    assert (rows["first_resident"].due, rows["asked"].due, rows["decision"].due) == (0, 0, 0)
    assert rows["silent"].due == 0  # the renewal sounded


@pytest.mark.parametrize("late", [[5], [5, 7, 700, 9], [3] * 40 + [500], []])
def test_all_readings_are_counted_as_those_of_one_incident_are(late: list[int]) -> None:
    batches = [readings(T0 + n * S, T0 + (n + s) * S, 1) for n, s in enumerate(late)]
    assert heard_of_all(targets(USUAL), batches, None) == rows_of([*batches])["heard"]
    assert heard_of_all(targets(USUAL), batches, T0 + S).due == len(late[:1])
