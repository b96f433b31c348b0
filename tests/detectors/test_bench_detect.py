"""The benchmark's own answer: for every rule the arrays say what a plain loop over the readings says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench import against
from bench.baseline.window_rules import PLAIN
from bench.cases import rules
from bench.cases.hindcast import record
from bench.cases.rules import Line, bench_rules, told, without_parameters
from bench.load.detector import tiled
from bench.load.revision import TREE
from config.load import load
from detectors.detection import Detection
from detectors.setup.registry import KINDS
from fengsui.cli.root import cli
from fengsui.run.setup import default_config
from skill.verify.hindcast import replay
from stream.environment import Usage


@pytest.fixture(scope="module")
def lines() -> dict[str, Line]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_BATCH", 2_000)  # how fast they are is no matter here
        return {line.rule: line for line in bench_rules((100,), 0.03)}


def test_every_kind_has_a_plain_loop_and_a_line(lines: dict[str, Line]) -> None:
    assert set(PLAIN) == set(KINDS)
    assert not without_parameters()
    assert set(lines) == {"rain_threshold", "stage_trend", *KINDS}


def test_a_new_kind_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told without a loop, or as not measured, until it is given them."""
    monkeypatch.delitem(PLAIN, "rise_rate")
    for name in set(KINDS) - {"rise_rate", "gr4h"}:
        monkeypatch.delitem(KINDS, name)
    monkeypatch.delitem(rules._PARAMETERS, "gr4h")
    lines = list(bench_rules((100,), 0.01))
    assert [line.rule for line in lines] == ["rain_threshold", "stage_trend", "rise_rate"]
    assert "no loop" in told(lines[-1], (100,))
    assert without_parameters() == ["gr4h"]


@pytest.mark.parametrize("name", ["rain_threshold", "stage_trend", *sorted(KINDS)])
def test_arrays_and_loop_say_the_same(lines: dict[str, Line], name: str) -> None:
    line = lines[name]
    assert line.same, told(line, (100,))
    assert line.checked > 50
    assert line.per_station < 40_000  # bytes: bounded


def test_a_line_that_differs_says_so(lines: dict[str, Line]) -> None:
    line = lines["rise_rate"]._replace(same=False)
    assert "DIFFERENT" in told(line, (100,))


def test_a_district_twice_says_everything_twice() -> None:
    district = load(default_config())
    some = [
        (s.id, s.quantity) for s in district.stations.values() if s.quantity in ("rain", "stage")
    ]
    one = record(some, 80, 300)
    pairs = [(f"{s}-{n}", q) for n in range(2) for s, q in some]
    two = replace(
        record(pairs, 80, 300), counts=np.tile(one.counts.reshape(80, -1), (1, 2)).reshape(-1)
    )

    def key(d: Detection) -> tuple[str, str, str, int, int]:
        return d.area, d.hazard, d.rule, d.detected_at, d.level

    # silence is looked at where a block ends, and no score counts it
    said = {key(d) for d in replay(district, one) if d.rule != "silence"}
    again = {key(d) for d in replay(tiled(district, 2), two) if d.rule != "silence"}
    assert len(said) > 10
    assert again == {(f"{a}-{n}", *rest) for a, *rest in said for n in range(2)}


def test_the_command_runs_and_needs_no_district() -> None:
    done = CliRunner().invoke(cli, ["--config", "/nowhere", "bench", "detect", "--help"])
    assert done.exit_code == 0
    assert "--quick" in done.output


def test_this_tree_beside_itself_does_the_same_work(tmp_path: Path) -> None:
    small = against.Mode("small", 2, 14, 20)
    body = against.workload(load(default_config()), small)
    (tmp_path / "workload").write_bytes(body)
    turns = [against.turn(TREE, tmp_path / "workload", small.times) for _ in range(2)]
    assert turns[0][1:] == turns[1][1:]
    stations = [
        s for s in load(default_config()).stations.values() if s.quantity in ("rain", "stage")
    ]
    assert turns[0].readings == small.times * small.slots * len(stations)
    assert turns[0].said > small.slots  # a mark of each group after each slot


@pytest.mark.servers  # it asks git
def test_a_revision_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="nowhere-at-all"):
        against.tree_of("nowhere-at-all", tmp_path)
