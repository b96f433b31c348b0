"""What rules make of real shaking: the counting, and what is known of two real flows."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fengsui.cli.root import cli
from ingest.waveform.seconds import Band
from skill.seismic.figures import CLEAR, HOLD_S, Figure, alarms, measured
from skill.seismic.records import Shaking, WaveformFault, read_flow
from skill.verify.score import poisson
from stream.environment import Usage

RNG = np.random.default_rng(11)
NOISE = RNG.normal(0, 1, 6000)


def test_an_alarm_goes_on_until_it_has_been_low_for_its_hold() -> None:
    value = np.ones(3 * HOLD_S)
    value[100], value[100 + HOLD_S - 1], value[-5] = 5, CLEAR * 5, 5
    value[200] = np.nan
    assert alarms(value, 5.0) == [100, value.size - 5]
    assert alarms(np.full(50, np.nan), 5.0) == []
    assert alarms(np.full(2000, 4.9), 5.0) == []


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_the_interval_of_a_count_is_that_of_garwood(count: int) -> None:
    """At its ends what was seen, or more of it, has a chance of one in forty."""

    def at_most(k: int, mean: float) -> float:
        return sum(math.exp(-mean) * mean**n / math.factorial(n) for n in range(k + 1))

    low, high = poisson(count)
    assert at_most(count, high) == pytest.approx(0.025, abs=1e-6)
    if count:
        assert 1 - at_most(count - 1, low) == pytest.approx(0.025, abs=1e-6)
    else:
        assert low == 0


def made(name: str, level: float, swells_s: int) -> Shaking:
    """Twenty seconds of quiet, then a flow that swells tenfold, and an hour of it."""
    seconds = level * RNG.lognormal(0, 0.1, 3620)
    seconds[80:] *= np.interp(np.arange(3540), (0, swells_s, 3540), (1, 10, 2))
    return Shaking(name, seconds, 20)


def of(figures: list[Figure], rule: str, threshold: float) -> Figure:
    (found,) = [f for f in figures if (f.rule, f.threshold) == (rule, threshold)]
    return found


def test_what_swells_slowly_is_heard_against_hours_and_not_against_minutes() -> None:
    quiet = Shaking("quiet", RNG.lognormal(0, 0.1, 4000), 0)
    figures = measured([made("soon", 3.0, 60), made("slow", 300.0, 1200)], [quiet])
    soon, slow = of(figures, "sta_lta", 3).leads
    assert soon.after_s is not None
    assert 60 <= soon.after_s < 120
    assert slow.after_s is None
    soon, slow = of(figures, "adaptive", 3).leads
    assert soon.lead_s is not None
    assert slow.lead_s is not None
    assert slow.lead_s > 300
    for rule in ("amplitude", "sta_lta", "adaptive"):
        counted = of(figures, rule, 3).quiet
        assert counted is not None
        assert (counted.alarms, counted.heard_s) == (0, 3700)
        assert counted.high == pytest.approx(3.689 * 86_400 / 3700, rel=0.01)
    # a level that was set where the ground is a hundred times as loud, or as quiet
    soon, slow = of(figures, "brought", 3).leads
    assert soon.after_s is None
    assert slow.after_s == -20
    assert of(figures, "brought", 3).quiet is None


def test_alarms_without_a_flow_are_counted() -> None:
    quiet = Shaking("quiet", RNG.lognormal(0, 0.1, 8000), 0)
    for at in (2000, 4000, 6000):
        quiet.seconds[at : at + 15] *= 30
    figures = measured([], [quiet])
    for rule in ("amplitude", "sta_lta"):
        counted = of(figures, rule, 4).quiet
        assert counted is not None
        assert counted.alarms == 3


def test_two_real_flows(data: Path) -> None:
    """Illgraben. What is held here is what was found, not what was aimed at: the defaults of sta_lta hear one
    of the two; against the median both are heard, a minute and more before they are loudest."""
    folder = data / "illgraben-seismic"
    flows = [read_flow(folder / f"{day}.npz", Band()) for day in ("2013-07-22", "2014-05-07")]
    assert [(f.before, 1000 < f.seconds.size < 2100) for f in flows] == [(10, True)] * 2
    figures = measured(flows, [])
    assert [x.after_s is None for x in of(figures, "sta_lta", 3).leads] == [True, False]
    for lead in of(figures, "adaptive", 3).leads:
        assert lead.lead_s is not None
        assert lead.lead_s > 60
    assert all(f.quiet is None for f in figures)


def archive(path: Path, **parts: object) -> Path:
    np.savez(path, **parts)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"v": np.ones(10), "fs": 200, "t0": "2014-05-07T15:50:40"}, "ews"),
        ({"v": np.ones(10), "fs": 0, "t0": "2014-05-07T15:50:40", "ews": np.ones(3)}, "x.npz"),
        ({"v": np.ones(999), "fs": 200, "t0": "yesterday", "ews": np.ones(3)}, "x.npz"),
        ({"v": np.ones(10), "fs": 200, "t0": "2014-05-07T15:50:40", "ews": np.ones(3)}, "x.npz"),
        ({"v": NOISE, "fs": 200, "t0": "2014-05-07T15:50:40", "ews": np.ones(3)}, "ews"),
        ({"v": NOISE[:900], "fs": 200, "t0": "2014-05-07T15:50:40", "ews": NOISE}, "10 s"),
        ({"v": NOISE, "fs": 200, "t0": "2014-05-07T15:50:40", "ews": np.zeros(2000)}, "dead"),
    ],
)
def test_an_archive_that_cannot_be_is_named(
    tmp_path: Path, parts: dict[str, object], named: str
) -> None:
    with pytest.raises(WaveformFault, match=named):
        read_flow(archive(tmp_path / "x.npz", **parts), Band())
    (tmp_path / "y.npz").write_bytes(b"no archive")
    with pytest.raises(WaveformFault, match=r"y\.npz"):
        read_flow(tmp_path / "y.npz", Band())


def flow_file(tmp_path: Path) -> Path:
    v = RNG.normal(0, 1, 40_000) * np.repeat(np.interp(np.arange(200), (60, 120), (1, 20)), 200)
    return archive(
        tmp_path / "flow.npz", v=v, fs=200, t0="2026-07-26T12:00:00", ews=RNG.normal(0, 1, 2000)
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_command_prints_them_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", language)
    file = flow_file(tmp_path)
    done = CliRunner().invoke(cli, ["seismic", str(file)])
    assert done.exit_code == 0, done.output
    assert "sta_lta" in done.output
    assert {"zh": "早于最强", "en": "before the loudest"}[language] in done.output
    found = json.loads(CliRunner().invoke(cli, ["seismic", str(file), "--json"]).output)
    assert {f["rule"] for f in found["figures"]} == {"amplitude", "sta_lta", "adaptive"}


def test_the_command_says_what_it_lacks(tmp_path: Path) -> None:
    bad = str(archive(tmp_path / "z.npz", v=np.ones(3)))
    asked = ([], [str(flow_file(tmp_path)), "--band", "40", "5"], [bad])
    for words, named in zip(asked, ("FLOWS", "--band", "z.npz"), strict=True):
        done = CliRunner().invoke(cli, ["seismic", *words])
        assert isinstance(done.exception, Usage)
        assert named in str(done.exception)


@pytest.mark.servers  # ObsPy starts git when it is imported
def test_an_hour_of_real_quiet_has_its_rate_with_an_interval() -> None:
    pytest.importorskip("obspy", reason="needs ObsPy: pip install 'fengsui[seismic]'")
    done = CliRunner().invoke(cli, ["seismic", "--obspy-quiet", "--json"])
    assert done.exit_code == 0, done.output
    for f in json.loads(done.output)["figures"]:
        assert 3200 < f["quiet"]["heard_s"] < 3400
        assert f["quiet"]["low"] <= f["quiet"]["per_day"] <= f["quiet"]["high"]


@pytest.mark.servers  # ObsPy starts git when it is imported
def test_one_s_own_flow_as_miniseed(tmp_path: Path) -> None:
    obspy = pytest.importorskip("obspy", reason="needs ObsPy: pip install 'fengsui[seismic]'")
    held = np.load(flow_file(tmp_path))
    trace = obspy.Trace((np.concatenate((held["ews"], held["v"])) * 1000).astype(np.int32))
    trace.stats.sampling_rate = 200
    trace.write(str(tmp_path / "own.mseed"), format="MSEED")
    words = ["seismic", str(tmp_path / "own.mseed"), "--json"]
    done = CliRunner().invoke(cli, [*words, "--before", "10"])
    assert done.exit_code == 0, done.output
    (lead,) = next(f for f in json.loads(done.output)["figures"] if f["threshold"] == 3)["leads"]
    assert 55 <= lead["after_s"] < 100
    assert "--before" in str(CliRunner().invoke(cli, words).exception)
