"""tune and hindcast of a record: what is read, what the rule sees, what its skill is made of."""

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import joined, zh
from detectors.engine.minute_ring import Bools
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Floats, View
from detectors.setup.registry import KINDS
from detectors.water.flood_score import FloodScore
from detectors.water.stage_score import StageScore
from fengsui.review.skill_words import told as lines_of
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault
from skill.series.families import Rival
from skill.series.fit import (
    Candidate,
    Place,
    Table,
    Terms,
    block_starts,
    choose,
    objective,
    seen,
    tally,
)
from skill.series.nested import contiguous, dealt, judge
from skill.series.read import read_events, read_observations
from skill.series.track import Track, crossed, spans, standing, values_of
from skill.series.tune import hindcast, tune
from skill.verify.match import Alarm, Event, match
from skill.verify.names import SERIES, said
from tests.support.examples import examples
from tests.support.live_record import live_and_over_a_record

T0 = 1_451_606_400_000  # 2016-01-01
STEP = 300_000


def write(path: Path, rows: list[str], head: str = "station,quantity,time,value") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def plain(n: int, station: str = "s") -> list[str]:
    return [f"{station},stage,{iso(T0 + k * STEP)},{0.3 + k % 7 / 100:.2f}" for k in range(n)]


def read(tmp_path: Path, rows: list[str]) -> tuple[list[tuple[int, int]], list[str]]:
    r, notes = read_observations(write(tmp_path / "o.csv", rows))
    return list(zip(((r.at - T0) // STEP).tolist(), r.counts.tolist(), strict=True)), notes


# --- reading


def test_a_plain_record_has_no_notes_and_is_the_same_packed(tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", plain(500))
    packed = tmp_path / "o.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    (one, notes), (two, _) = read_observations(path), read_observations(packed)
    assert notes == []
    assert one.pairs == [("s", "stage")]
    assert one.at.tolist() == two.at.tolist() == [T0 + k * STEP for k in range(500)]
    assert one.counts.tolist() == two.counts.tolist() == [300 + k % 7 * 10 for k in range(500)]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.csv.gz"
    path.write_bytes(gzip.compress(b"station,quantity,time,value\n" * 999)[:-9])
    with pytest.raises(SeriesFault, match="damaged"):
        read_observations(path)


def test_rows_out_of_order_are_put_in_order_and_told(tmp_path: Path) -> None:
    rows = plain(60)
    rows[10], rows[30] = rows[30], rows[10]
    found, notes = read(tmp_path, rows)
    assert [t for t, _ in found] == list(range(60))
    assert found == read(tmp_path, plain(60))[0]
    assert any("put in order" in n for n in notes)


def test_of_equal_rows_one_is_kept_and_of_different_ones_the_last(tmp_path: Path) -> None:
    rows = plain(60)
    rows.insert(6, rows[5])
    rows.insert(20, rows[19].rsplit(",", 1)[0] + ",0.99")
    found, notes = read(tmp_path, rows)
    assert len(found) == 60
    assert dict(found)[18] == 990
    assert sum("equal rows" in n for n in notes) == 1
    assert sum("values differ" in n for n in notes) == 1


def test_bad_rows_are_set_aside_counted_and_named(tmp_path: Path) -> None:
    rows = plain(300)
    for at, bad in (
        (7, "s,stage,yesterday,1"),
        (8, "s,stage,2016-01-01T00:00:00Z,"),
        (9, "s,stage"),
    ):
        rows[at] = bad
    rows[10] = rows[10].replace("stage", "temperature")
    rows[11] = rows[11].rsplit(",", 1)[0] + ",nan"
    found, notes = read(tmp_path, rows)
    assert len(found) == 295
    text = joined(notes, "\n").en
    assert "row 9" in text  # the header is row 1
    assert "too few fields" in text
    assert "temperature" in text
    assert "2 rows" in next(n for n in notes if "no value" in n)


def test_a_file_of_mostly_bad_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesFault, match="unreadable time"):
        read(tmp_path, [*plain(50), *["s,stage,01/02/2016,1"] * 10])
    with pytest.raises(SeriesFault, match="lacks value"):
        read_observations(write(tmp_path / "h.csv", plain(3), "station,quantity,time,level"))
    with pytest.raises(SeriesFault, match="no usable row"):
        read(tmp_path, [])


def test_offsets_count_and_their_lack_is_told(tmp_path: Path) -> None:
    found, notes = read(
        tmp_path, ["s,stage,2016-01-01T08:00:00+08:00,1", "s,stage,2016-01-01 00:05,2"]
    )
    assert found == [(0, 1000), (1, 2000)]
    assert any("taken as UTC" in n for n in notes)


@pytest.mark.parametrize("days", [-1, 1, -16_000])
@pytest.mark.parametrize("many", [1, 40])
def test_a_clock_that_was_off_for_a_while_is_set_aside(
    tmp_path: Path, days: int, many: int
) -> None:
    rows = plain(2000)
    for k in range(900, 900 + many):
        rows[k] = f"s,stage,{iso(T0 + k * STEP + days * 86_400_000)},9.99"
    found, notes = read(tmp_path, rows)
    assert len(found) == 2000 - many
    assert max(v for _, v in found) < 1000
    assert any("clock" in n for n in notes)


def test_a_long_gap_is_no_wrong_clock(tmp_path: Path) -> None:
    rows = plain(3000)
    found, notes = read(tmp_path, rows[:800] + rows[2200:])
    assert len(found) == 1600
    assert notes == []


def test_a_century_of_days_is_read(tmp_path: Path) -> None:
    day = 86_400_000
    rows = [f"s,stage,{iso(T0 - k * day)},0.5" for k in range(36_500, 0, -1)]
    found, notes = read(tmp_path, rows)
    assert len(found) == 36_500
    assert notes == []


def test_rounding_that_changes_the_total_is_told(tmp_path: Path) -> None:
    rows = [f"g,rain,{iso(T0 + k * 3_600_000)},0.254" for k in range(50)]
    assert any("+18.1%" in n for n in read(tmp_path, rows)[1])


def test_events_are_read_strictly(tmp_path: Path) -> None:
    head = "area,start,end,kind"
    path = write(
        tmp_path / "e.csv",
        [
            "a,2016-01-02T00:00:00Z,2016-01-02T02:00:00Z,flood",
            "a,2016-01-02T01:00:00Z,2016-01-02T03:00:00Z,flood",
            "b,2016-01-02T01:00:00Z,,landslide",
        ],
        head,
    )
    one, two = read_events(path)
    assert (one.end_at - one.start_at, two.end_at - two.start_at) == (3 * 3_600_000, 0)
    for bad, why in (
        ("a,soon,,", "row 2"),
        (",2016-01-02,,", "no area"),
        ("a,2016-01-02,2016-01-01,", "before"),
    ):
        with pytest.raises(SeriesFault, match=why):
            read_events(write(tmp_path / "bad.csv", [bad], head))


# --- the rule


def made(values: Floats) -> Track:
    heard = np.nonzero(~np.isnan(values))[0]
    return Track("s", "stage", 300, values, heard, T0 + heard * STEP)


levels = st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=40, max_size=160)


@examples(150)
@given(levels=levels, hold=st.sampled_from([0, 15, 60]), clear=st.sampled_from([1.0, 0.7]))
def test_alarms_are_those_of_the_live_engine(
    levels: list[int | None], hold: int, clear: float
) -> None:
    values = np.array([np.nan if v is None else v / 10 for v in levels])
    p = StageScore(zero_m=0.5, flood_m=2.5, rise_min=15, rise_weight=0.7, base_h=1, base_weight=0.4)
    kind = KINDS["stage_score"]
    t = made(values)
    score = values_of(kind, p, t)
    begin, end = standing(t.at, crossed(score, 0.9, clear), hold)
    mine = [(int(t.at[b]), "up") for b in begin]
    mine += [(int(t.at[e]), "down") for e in end if e < t.at.size - 1]

    row = SeriesRow("a", "flash_flood", ("s",), (1.0,), "stage")
    rule = SeriesRule("r", kind, p, [row], (0.9, None, None, None), hold_min=hold, clear=clear)
    zeros = np.zeros(t.at.size, np.int64)
    counts = np.round(values[t.heard] * 1000).astype(np.int64)
    changes = rule.judge(rule.new(), zeros, zeros, t.at, counts)
    live = [(c.minute * 60_000, "up" if c.level else "down") for c in changes]
    last = int(t.at[-1]) if t.at.size else 0
    assert sorted(mine) == sorted(c for c in live if c[0] != last or c[1] == "up")


@examples(60)
@given(levels=levels, cut=st.integers(5, 39))
def test_the_rule_knows_nothing_of_what_comes_later(levels: list[int | None], cut: int) -> None:
    values = np.array([np.nan if v is None else v / 10 for v in levels])
    p = StageScore(rise_min=30, rise_weight=1.0, base_h=2, base_weight=1.0)
    whole = values_of(KINDS["stage_score"], p, made(values))
    part = values_of(KINDS["stage_score"], p, made(values[:cut]))
    np.testing.assert_array_equal(whole[: part.size], part)


def test_the_score_does_not_depend_on_the_gauge_datum() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3, 1, 600)).cumsum(axis=2) / 50
    end = np.zeros(3, np.int64)
    kind = KINDS["stage_score"]
    values = []
    for datum in (0.0, 250.0):
        p = StageScore(zero_m=datum, flood_m=datum + 2, rise_weight=1, base_weight=1.5)
        values.append(kind.score(p, View(x + datum, end, 300, np.ones((3, 1)))).value)
    np.testing.assert_allclose(values[0], values[1], atol=1e-9)


@examples(150)
@given(
    levels=levels,
    starts=st.lists(st.integers(0, 160), max_size=4, unique=True),
    limit=st.sampled_from([1.0, 2.0, 2.9]),
)
def test_the_fit_counts_as_match_does(
    levels: list[int | None], starts: list[int], limit: float
) -> None:
    values = np.array([np.nan if v is None else v / 10 for v in levels])
    t = made(values)
    if not t.at.size:
        return
    terms = Terms(2 * STEP, 20 * STEP, 5 * STEP)
    events = [Event("a", T0 + s * STEP, T0 + (s + 3) * STEP) for s in sorted(starts)]
    where = crossed(values[t.heard], limit, 1.0)
    begin, end = standing(t.at, where, 15)
    alarms = [Alarm("a", "r", int(b), int(e)) for b, e in zip(t.at[begin], t.at[end], strict=True)]
    o = match(alarms, events, *terms, {"a": spans(t)})
    at = np.array([e.start_at for e in events], np.int64)
    ends = np.array([e.end_at for e in events], np.int64)
    place = Place("a", t, (0.0, 1.0), at, ends, seen(at, spans(t), terms))
    blocks = block_starts(int(t.at[0]), int(t.at[-1]))
    got = tally(place, where, 15, terms, blocks).sum(axis=0).tolist()
    if not o.unseen:
        assert got == list(o.counts[:3])
    assert got[:2] == list(o.counts[:2])


# --- tune and hindcast


def stream(tmp_path: Path, name: str, seed: int, floods: bool = True) -> tuple[Path, Path]:
    """A stream that rises slowly to its floods, and in spikes that are none."""
    rng = np.random.default_rng(seed)
    n = 288 * 130
    x = 1.0 + rng.normal(0, 0.005, n)
    for at in rng.choice(np.arange(2, 124), 16, replace=False) * 288:
        x[at : at + 6] += 0.4
    events = []
    for at in rng.choice(np.arange(3, 125), 14, replace=False) * 288 + 100:
        top = rng.uniform(1.6, 2.2)
        x[at : at + 60] = np.maximum(x[at : at + 60], 1 + np.linspace(0, top, 60))
        x[at + 60 : at + 120] = np.maximum(x[at + 60 : at + 120], 1 + np.linspace(top, 0, 60))
        above = np.nonzero(x[at : at + 120] >= 2.5)[0] + at
        events.append(f"brook,{iso(T0 + above[0] * STEP)},{iso(T0 + above[-1] * STEP)},flood")
    rows = [f"brook,stage,{iso(T0 + k * STEP)},{v:.3f}" for k, v in enumerate(x)]
    obs = write(tmp_path / f"{name}.csv", rows)
    head = "area,start,end,kind"
    return obs, write(tmp_path / f"{name}_events.csv", events if floods else [], head)


class Tuned(NamedTuple):
    """What is tuned once and read by several tests. told: the answer of tune; figure: None without
    matplotlib."""

    obs: Path
    events: Path
    rules: Path
    told: dict[str, Any]
    figure: Path | None


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp("tuned")
    obs, events = stream(folder, "x", 1)
    figure = folder / "f.png" if find_spec("matplotlib") else None
    told = tune(obs, events, 900, folder / "rules.toml", figure=figure)
    return Tuned(obs, events, folder / "rules.toml", told, figure)


def test_tuned_on_one_record_it_warns_of_another(tuned: Tuned, tmp_path: Path) -> None:
    rules, first = tuned.rules, tuned.told
    assert first["csi"] > 0.9
    assert first["cross_validated"][0]["csi"] > 0.8
    other = hindcast(rules, *stream(tmp_path, "other", 2), 900)
    assert other["csi"] > 0.8
    low, high = other["csi_interval"]
    assert low <= other["csi"] <= high
    assert other["lead_minutes"]["q1"] >= 15
    assert len(other["events"]) == 14
    assert sum(e["outcome"] == "hit" for e in other["events"]) == other["hits"]
    assert not any("tuned on this very record" in n for n in other["notes"])


def test_tune_is_the_same_every_time_and_hindcast_repeats_its_count(
    tuned: Tuned, tmp_path: Path
) -> None:
    obs, events = stream(tmp_path, "again", 1)
    one, two, a = tuned.rules, tmp_path / "two.toml", tuned.told
    tune(obs, events, 900, two)
    assert one.read_bytes() == two.read_bytes()
    h = hindcast(one, obs, events, 900)
    assert [h[k] for k in ("hits", "misses", "false_alarms")] == [
        a[k] for k in ("hits", "misses", "false_alarms")
    ]
    assert any("this very record" in n for n in h["notes"])


def test_a_block_that_is_held_out_has_no_say_in_the_choice() -> None:
    """Each rule is right in one block by luck; without that block nothing speaks for it."""
    blocks = 6
    counts = np.zeros((blocks, blocks, 3), np.int64)
    counts[:, :, 1] = 1  # each block has an event, missed
    for k in range(blocks):
        counts[k, k] = 1, 0, 0
    rules = [Candidate("stage_score", {}, 0, 1.0, 60)] * blocks
    t = Table(rules, np.arange(blocks), np.ones(blocks), counts)
    found = judge([Rival("trend", 1, True, t)], np.arange(blocks), 1.0)
    assert found.nested.sum(axis=0).tolist() == [0, blocks, 0]
    assert found.alone[0].sum(axis=0).tolist() == [0, blocks, 0]
    assert t.counts[found.final.row].sum(axis=0).tolist() == [1, blocks - 1, 0]


def lucky(blocks: int, rules: int) -> Table:
    """Many rules, each right in a third of the blocks drawn by chance."""
    rng = np.random.default_rng(4)
    hit = rng.random((rules, blocks)) < 1 / 3
    counts = np.stack([hit, ~hit, rng.integers(0, 2, hit.shape)], axis=2).astype(np.int64)
    kinds = [Candidate("stage_score", {"n": n}, 0, 1.0, 60) for n in range(rules)]
    return Table(kinds, np.arange(rules), np.ones(rules), counts)


def test_a_large_grid_of_lucky_rules_does_not_beat_a_simple_one() -> None:
    blocks = 12
    simple = np.tile(np.array([[1, 0, 0], [0, 1, 0]]), (blocks // 2, 1))[None]  # every second
    level = Table(lucky(blocks, 1).candidates, np.zeros(1, np.int64), np.ones(1), simple)
    grid = lucky(blocks, 400)
    rivals = [Rival("level", 0, True, level), Rival("base", 2, False, grid)]
    found = judge(rivals, dealt(np.ones(blocks, np.int64)), 1.0)
    assert objective(grid.counts.sum(axis=1), 1.0).max() > 0.5  # in the sample it looks better
    assert found.final.rival == 0


@given(st.data())
@examples(40)
def test_what_is_delivered_never_loses_to_a_simple_rule_on_what_was_left_out(
    draw: st.DataObject,
) -> None:
    blocks = 6
    rng = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))

    def family(name: str, rank: int, rules: int) -> Rival:
        hit = rng.random((rules * 4, blocks)) < rng.random()
        counts = np.stack([hit, ~hit, rng.integers(0, 2, hit.shape)], axis=2).astype(np.int64)
        made = [Candidate("stage_score", {"n": n}, 0, 1.0, 60) for n in range(rules)]
        limits = np.tile(np.arange(4.0), rules)
        return Rival(name, rank, rank < 2, Table(made, np.arange(rules).repeat(4), limits, counts))

    rivals = [
        family("level", 0, 1),
        family("trend", 1, 2),
        family("both", 2, 5),
        family("base", 2, 9),
    ]
    found = judge(rivals, dealt(np.ones(blocks, np.int64)), 1.0)
    told = [float(objective(c.sum(axis=0), 1.0)) for c in found.alone]
    assert told[found.final.rival] >= max(told[:2]) - 1e-9
    if found.beaten:
        assert rivals[found.final.rival].simple
        assert np.array_equal(found.delivered, found.alone[found.final.rival])


def test_a_choice_that_surely_loses_to_a_simple_rule_is_not_delivered() -> None:
    """A family of which each rule is wrong in one block alone: what is left out is what it is wrong in."""
    blocks = 12

    def family(name: str, rank: int, hit: Bools) -> Rival:
        many = len(hit)
        counts = np.stack([hit, ~hit, np.zeros_like(hit)], axis=2).astype(np.int64)
        rules = [Candidate("stage_score", {"n": n}, 0, 1.0, 60) for n in range(many)]
        return Rival(name, rank, rank < 2, Table(rules, np.arange(many), np.ones(many), counts))

    most = (np.arange(blocks) % 4 != 3)[None]
    rivals = [family("level", 0, most), family("both", 2, ~np.eye(blocks, dtype=np.bool_))]
    found = judge(rivals, np.arange(blocks), 1.0)
    assert rivals[1].whole.counts[:, :, 0].sum() > rivals[1].whole.counts[:, :, 1].sum() * 10
    assert found.final.rival == 0
    assert found.delivered.sum(axis=0).tolist() == [9, 3, 0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_folds_take_every_block_once_and_share_the_events(events: list[int]) -> None:
    many = np.array(events)
    for folds in (dealt(many), contiguous(many)):
        assert folds.shape == many.shape
        assert folds.min() == 0
        assert np.unique(folds).size <= max(1, int((many > 0).sum()))
    if many.any():
        assert np.unique(dealt(many)[many > 0]).size == min(10, int((many > 0).sum()))


def test_a_lone_lucky_threshold_does_not_win() -> None:
    counts = np.array([[9, 1, 9], [9, 1, 0], [0, 10, 9], [8, 2, 1], [8, 2, 1], [8, 2, 1]])
    rules = [Candidate("stage_score", {"n": n}, 0, 1.0, 60) for n in range(2)]
    t = Table(rules, np.array([0, 0, 0, 1, 1, 1]), np.arange(6.0), counts[:, None, :])
    assert t.which[choose(t, np.arange(1), 1.0)] == 1


@pytest.fixture(scope="module")
def plumtree(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What tune tells of the real stream, and the rules it wrote."""
    folder, rules = data / "usgs-stage-5min", tmp_path_factory.mktemp("plumtree") / "r.toml"
    return tune(folder / "observations.csv.gz", folder / "events.csv", 900, rules), rules


def test_dearer_misses_are_never_more_misses(
    tmp_path: Path, data: Path, plumtree: tuple[dict[str, Any], Path]
) -> None:
    folder = data / "usgs-stage-5min"
    obs, events = folder / "observations.csv.gz", folder / "events.csv"
    dear = tune(obs, events, 900, tmp_path / "r.toml", 20.0)
    assert dear["misses"] < plumtree[0]["misses"]


def test_a_record_without_events_counts_false_alarms_only(tuned: Tuned, tmp_path: Path) -> None:
    obs, events = stream(tmp_path, "quiet", 5, floods=False)
    h = hindcast(tuned.rules, obs, events, 900)
    assert (h["hits"], h["misses"], h["pod"]) == (0, 0, None)
    assert h["false_alarms"] > 0
    assert h["areas"] == {"brook": {"hits": 0, "misses": 0, "false_alarms": h["false_alarms"]}}
    assert any("counts as false" in n for n in h["notes"])
    with pytest.raises(SeriesFault, match="nothing to tune on"):
        tune(obs, events, 900, tmp_path / "no.toml")
    assert not (tmp_path / "no.toml").exists()


def test_events_outside_the_record_are_told_and_not_missed(tuned: Tuned, tmp_path: Path) -> None:
    rules, obs, events = tuned.rules, tuned.obs, tmp_path / "events.csv"
    events.write_bytes(tuned.events.read_bytes())
    before = hindcast(rules, obs, events, 900)
    with events.open("a") as f:
        f.write("brook,2030-01-01T00:00:00Z,,flood\nelsewhere,2016-02-01T00:00:00Z,,flood\n")
    after = hindcast(rules, obs, events, 900)
    assert after["misses"] == before["misses"]
    assert after["events_unseen"] == 2
    assert any("unseen" in n for n in after["notes"])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('form = "series"', 'form = "other"', "form"),
        ("version = 1", "version = 2", "version"),
        ("[matching]", "[matching]\ncolour = 1", "colour"),
        ('kind = "stage_score"', 'kind = "stage_sore"', "unknown kind"),
        ("rise_min =", "rise_mins =", "rise_mins"),
        ('rule = "start-in-window"', 'rule = "generous"', "matching rule"),
        ("orange = ", "# orange = ", "no threshold"),
        ('quantity = "stage"', 'quantity = "rain"', "does not take"),
    ],
)
def test_rules_are_read_strictly(
    tuned: Tuned, tmp_path: Path, old: str, new: str, why: str
) -> None:
    text = tuned.rules.read_text("utf-8")
    assert text.count(old) >= 1
    rules = tmp_path / "rules.toml"
    rules.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SeriesFault, match=why):
        hindcast(rules, tuned.obs, tuned.events, 900)


def test_another_stream_borrows_the_rule_on_its_own_scale(
    tmp_path: Path, plumtree: tuple[dict[str, Any], Path]
) -> None:
    rules = plumtree[1]
    h = hindcast(rules, *stream(tmp_path, "x", 6), 900)
    assert any("is borrowed" in n for n in h["notes"])
    assert h["pod"] > 0.8


@pytest.mark.parametrize("name", ["sitka-stage", "seattle-rain-hourly"])
def test_real_records_are_tuned_and_told_honestly(tmp_path: Path, data: Path, name: str) -> None:
    folder = data / name
    rules = tmp_path / "rules.toml"
    told = tune(folder / "observations.csv.gz", folder / "events.csv", 900, rules)
    events = len(read_events(folder / "events.csv"))
    assert told["hits"] + told["misses"] + told["events_unseen"] == events
    for held in told["cross_validated"]:
        assert held["hits"] + held["misses"] == told["hits"] + told["misses"]
        assert held["csi_interval"][0] <= held["csi"] <= held["csi_interval"][1]


def test_the_real_stream_is_warned_better_than_by_the_best_trend_tuned_by_hand(
    plumtree: tuple[dict[str, Any], Path],
) -> None:
    told = plumtree[0]
    assert told["csi"] >= 0.25  # 0.22 by hand
    assert told["cross_validated"][0]["csi"] >= 0.22
    assert told["hits"] + told["misses"] == 13


# --- discharge beside rain

HOUR = 3_600_000


def basin(
    tmp_path: Path, seed: int, *, rain: str = "true", floods: int = 18, days: int = 180
) -> tuple[Path, Path, Path]:
    """Hourly discharge of a small catchment, its rain gauge (`rain`: true, or of elsewhere), the floods
    above the flow that so many storms pass; and the same floods with their times shuffled."""
    rng = np.random.default_rng(seed)
    n, storms = 24 * days, 60
    fell, gauge = np.zeros(n), np.zeros(n)
    for k, at in enumerate(rng.choice(np.arange(48, n - 96, 60), storms, replace=False)):
        hours = int(rng.integers(4, 9))
        depth = rng.uniform(36, 60) if k < floods else rng.uniform(6, 20)
        storm = rng.dirichlet(np.full(hours, 3.0)) * depth
        fell[at : at + hours] += storm
        gauge[at : at + hours] += storm * np.exp(rng.normal(0, 0.35))  # it stands beside the storm
    kernel = np.arange(60) ** 2 * np.exp(-np.arange(60) / 2.5)
    flow = 2 + np.convolve(fell, kernel / kernel.sum() * 3)[:n] + rng.normal(0, 0.02, n)
    above = np.nonzero(flow >= 2 + 0.4 * (flow.max() - 2))[0]
    new = np.diff(above) > 12
    first, last = above[np.append(True, new)], above[np.append(new, True)]
    if rain == "elsewhere":
        gauge = np.roll(gauge, n // 2)
    rows = [f"weir,discharge,{iso(T0 + k * HOUR)},{v:.3f}" for k, v in enumerate(flow)]
    if rain:
        rows += [f"hill,rain,{iso(T0 + k * HOUR)},{v:.1f}" for k, v in enumerate(gauge)]
    pairs = list(zip(first.tolist(), last.tolist(), strict=True))
    at = np.sort(rng.choice(np.arange(48, n - 48, 24), len(pairs), replace=False))
    listed = [f"valley,{iso(T0 + a * HOUR)},{iso(T0 + b * HOUR)},flood" for a, b in pairs]
    moved = [
        f"valley,{iso(T0 + int(t) * HOUR)},{iso(T0 + int(t + b - a) * HOUR)},flood"
        for t, (a, b) in zip(at, pairs, strict=True)
    ]
    head = "area,start,end,kind"
    return (
        write(tmp_path / f"basin{seed}.csv", rows),
        write(tmp_path / f"basin{seed}_events.csv", listed, head),
        write(tmp_path / f"basin{seed}_moved.csv", moved, head),
    )


def test_discharge_is_used_and_every_simple_rule_stands_beside_the_winner(tmp_path: Path) -> None:
    obs, events, _ = basin(tmp_path, 1, rain="elsewhere", days=300)
    told = tune(obs, events, 7200, tmp_path / "r.toml")
    assert told["rules"][0]["station"] == "weir"
    assert not any("weir discharge" in n and "no rule uses it" in n for n in told["notes"])
    by = {r["how"].split()[-1]: r for r in told["rivals"]}
    assert {"level", "sum", "published", "trend"} <= by.keys()
    assert by["trend"]["csi"] > by["sum"]["csi"]
    taken = next(r for r in told["rivals"] if r["how"] == told["family"])
    simple = [by[n]["csi"] or 0 for n in ("level", "sum", "published", "trend")]
    assert taken["csi"] >= max(simple)
    held = hindcast(tmp_path / "r.toml", *basin(tmp_path, 2, rain="elsewhere", days=300)[:2], 7200)
    assert held["pod"] > 0.8  # another year of it, with another flow that counts as a flood


def test_rain_beside_discharge_beats_either_alone(tmp_path: Path) -> None:
    obs, events, _ = basin(tmp_path, 1)
    told = tune(obs, events, 3 * 3600, tmp_path / "r.toml")
    by = {r["how"]: r["csi"] or 0 for r in told["rivals"]}
    assert told["rules"][0]["kind"] in ("flood_score", "flow_score")
    simple = [str(SERIES[n]) for n in ("persistence", "level", "sum", "published", "trend")]
    assert {str(SERIES["either"]), str(SERIES["both"])} <= by.keys()
    assert by[told["family"]] > max(by[n] for n in simple)
    assert not any("no rule uses it" in n for n in told["notes"])
    again = hindcast(tmp_path / "r.toml", obs, events, 3 * 3600)
    assert [again[k] for k in ("hits", "misses", "false_alarms")] == [
        told[k] for k in ("hits", "misses", "false_alarms")
    ]


@examples(30)
@given(st.integers(0, 10_000), st.booleans())
def test_a_rule_of_several_quantities_says_live_what_it_says_over_a_record(
    seed: int, chance: bool
) -> None:
    p = FloodScore(
        flood_m=4.0, weights={"level": 1.0, "rise_120min": 0.5, "rain_180min": 0.02, "wet": 0.3},
        days=1, outcome="chance" if chance else "level",
    )  # fmt: skip
    live, record = live_and_over_a_record(
        "flood_score", p, "stage", np.random.default_rng(seed), 60
    )
    np.testing.assert_allclose(live, record, rtol=1e-9)


def test_rain_is_used_where_there_is_no_level(tmp_path: Path) -> None:
    obs, events, _ = basin(tmp_path, 3)
    kept = [x for x in obs.read_text().splitlines() if "weir" not in x]
    obs.write_text("\n".join(kept) + "\n")
    told = tune(obs, events, 3600, tmp_path / "r.toml")
    assert told["rules"][0]["station"] == "hill"
    assert told["cross_validated"][0]["csi"] > 0.4


def test_five_events_are_enough_to_tune_on(tmp_path: Path) -> None:
    obs, events, _ = basin(tmp_path, 4, floods=5)
    told = tune(obs, events, 3600, tmp_path / "r.toml")
    # what a person reads: one family is marked as delivered
    lines = [zh(x) for x in lines_of(told)]
    assert next(x for x in lines if x.startswith("★")).startswith(f"★ {said(told['family']).zh}: ")
    held = told["cross_validated"][0]
    assert held["hits"] + held["misses"] >= 5
    low, high = held["csi_interval"]
    assert low <= held["csi"] <= high


def test_events_at_random_times_are_not_learnt(tmp_path: Path) -> None:
    obs, _, moved = basin(tmp_path, 5)
    told = tune(obs, moved, 3600, tmp_path / "r.toml")
    assert told["cross_validated"][0]["csi"] < 0.25


# --- pictures


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_pictures(tuned: Tuned, tmp_path: Path, suffix: str) -> None:
    """Of tune and of hindcast, which draw the same."""
    if tuned.figure is None:
        pytest.skip("the extra `figures` is not installed")
    if suffix == ".png":
        assert tuned.figure.read_bytes().startswith(b"\x89PNG")
        return
    figure = tmp_path / "f.html"
    hindcast(tuned.rules, tuned.obs, tuned.events, 900, figure)
    body = figure.read_bytes()
    assert body.count(b"data:image/png;base64,") == 2
    assert b"href=" not in body
    assert body.count(b"src=") == 2  # nothing is fetched


def test_a_figure_that_cannot_be_made_is_refused_before_the_work(tmp_path: Path) -> None:
    out = tmp_path / "r.toml"
    with pytest.raises(SeriesFault, match=r"\.png"):
        tune(*stream(tmp_path, "x", 1), 900, out, figure=tmp_path / "f.gif")
    assert not out.exists()
