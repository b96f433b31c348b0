"""The rules on shifts and shaking: plain loops, the chance of a false alarm, real debris flows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from detectors.engine.window_rule import Floats, Scored, View
from detectors.setup.registry import KINDS
from detectors.statistics.cusum import Cusum
from detectors.statistics.ewma import Ewma
from detectors.statistics.robust_level import median, usual
from detectors.statistics.sta_lta import StaLta
from tests.support.examples import examples

Series = list[float | None]
series = st.lists(
    st.one_of(st.none(), st.integers(-60, 60).map(lambda x: x / 10)), min_size=20, max_size=20
)


def run(kind: str, p: Any, values: Floats) -> Scored:
    k, n = KINDS[kind], len(values)
    assert values.shape[2] == k.span(p)
    return k.score(p, View(values, np.zeros(n, np.int64), k.slot_s(p), np.ones((n, 1))))


def array(values: Series) -> Floats:
    return np.array([[[np.nan if v is None else v for v in values]]])


@examples(100)
@given(values=series)
def test_the_median_passes_over_what_is_missing(values: Series) -> None:
    known = [v for v in values if v is not None]
    found, sigma, many = usual(array(values)[:, 0], 0.0)
    assert many[0] == len(known)
    if known:
        middle = np.median(known)
        assert found[0] == pytest.approx(middle)
        assert sigma[0] == pytest.approx(1.4826 * np.median(np.abs(np.array(known) - middle)))
    else:
        assert np.isnan(median(array(values)[:, 0])[0])


@examples(150)
@given(values=series, weight=st.sampled_from([0.1, 0.3, 1.0]), given_=st.booleans())
def test_the_weighted_mean_is_that_of_roberts(values: Series, weight: float, given_: bool) -> None:
    stated = {"mean": 0.5, "sigma": 2.0} if given_ else {}
    p = Ewma(weight=weight, recent_s=480, usual_s=720, min_points=5, **stated)
    before, recent = values[:12], [v for v in values[12:] if v is not None]
    mu, sigma, many = (x[0] for x in usual(array(before)[:, 0], 0.0))
    if given_:
        mu, sigma, many = 0.5, 2.0, 99
    z = mu
    for v in recent:
        z = weight * v + (1 - weight) * z
    scale = sigma * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * len(recent))))
    found = run("ewma", p, array(values)).value[0]
    if not recent or many < 5 or sigma == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx((z - mu) / scale)


@examples(150)
@given(values=series, side=st.sampled_from(["up", "down"]))
def test_the_cumulated_sum_is_that_of_page(values: Series, side: str) -> None:
    p = Cusum(recent_s=1200, usual_s=0, mean=1.0, sigma=0.7, side=side, most_z=4.0)  # type: ignore[arg-type]
    total, since, sign = 0.0, 0, 1 if side == "up" else -1
    for n, v in enumerate(values):
        if v is not None:
            if total == 0:
                since = n
            total = max(0.0, total + sign * min(4.0, max(-4.0, (v - 1.0) / 0.7)) - 0.5)
    found = run("cusum", p, array(values))
    if all(v is None for v in values):
        assert np.isnan(found.value[0])
        return
    assert found.value[0] == pytest.approx(total, abs=1e-9)
    if total > 1e-6:
        assert found.window_min[0] <= 20 - since
    either = {
        s: run("cusum", Cusum(recent_s=1200, usual_s=0, mean=1.0, sigma=0.7, side=s), array(values))  # type: ignore[arg-type]
        for s in ("up", "down", "both")
    }
    assert either["both"].value[0] == max(either[s].value[0] for s in ("up", "down"))


def test_noise_alarms_as_seldom_as_theory_says_and_shifts_are_found() -> None:
    """With a threshold of 5 and an allowance of 0.5 pure noise stands above it about once in 930
    values (Hawkins & Olwell 1998); after a shift of one sigma about ten values are enough."""
    rng = np.random.default_rng(8)
    p = Cusum(recent_s=3600, usual_s=0, mean=0.0, sigma=1.0)
    noise = rng.normal(size=(6000, 1, 60))
    alarm = (run("cusum", p, noise).value >= 5).mean()
    assert 0.001 < alarm < 0.02
    found = []
    for slots in (5, 10, 20):
        shifted = noise.copy()
        shifted[..., -slots:] += 1.0
        found.append((run("cusum", p, shifted).value >= 5).mean())
    assert found == sorted(found)
    assert found[2] > 0.9 > found[0]


def test_a_sensor_that_repeats_itself_has_no_sigma_unless_one_is_stated() -> None:
    flat = np.full((1, 1, 390), 3.0)
    flat[..., -1] = 3.1
    assert np.isnan(run("ewma", Ewma(), flat).value[0])
    assert np.isnan(run("cusum", Cusum(), flat).value[0])
    assert run("cusum", Cusum(least_sigma=0.05), flat).value[0] == pytest.approx(1.5)


@examples(100)
@given(values=series, energy=st.booleans(), scale=st.floats(0.01, 1000))
def test_short_over_long_is_a_ratio_of_means(values: Series, energy: bool, scale: float) -> None:
    p = StaLta(sta_s=5, lta_s=15, of="energy" if energy else "amplitude", min_share=0.4)
    size = [None if v is None else v * v if energy else abs(v) for v in values]
    before, now = ([v for v in part if v is not None] for part in (size[:15], size[15:]))
    found = run("sta_lta", p, array(values)).value[0]
    if len(before) < 6 or len(now) < 2 or not sum(before):
        assert np.isnan(found)
        return
    assert found == pytest.approx(np.mean(now) / np.mean(before))
    assert run("sta_lta", p, array(values) * scale).value[0] == pytest.approx(found)


def rms_of(path: Path) -> Floats:
    """The RMS of each second, as a station would send it."""
    held = np.load(path)
    velocity = np.concatenate((held["ews"], held["v"])).astype(np.float64)
    fs = int(held["fs"])
    seconds = velocity[: velocity.size // fs * fs].reshape(-1, fs)
    rms: Floats = np.sqrt(((seconds - seconds.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
    return rms


def test_a_real_debris_flow_is_heard_before_its_front_is_loudest(data: Path) -> None:
    """Illgraben. 7 May 2014: the shaking swells forty times in two minutes; the rule speaks more
    than a minute before it is loudest and not again as it dies down. 22 July 2013: the record
    begins in an event that swells over a quarter of an hour, which is its blind spot; it must not
    cry at the long decay either."""
    p = StaLta(sta_s=10, lta_s=120)
    ratio = {}
    for day in ("2013-07-22", "2014-05-07"):
        rms = rms_of(data / "illgraben-seismic" / f"{day}.npz")
        padded = np.concatenate((np.full(129, np.nan), rms))
        ratio[day] = run("sta_lta", p, sliding_window_view(padded, 130)[:, None, :]).value, rms
    value, rms = ratio["2014-05-07"]
    loudest = int(rms.argmax())
    first = int(np.nonzero(value >= 3)[0][0])
    assert loudest - first > 60
    assert not (value[loudest + 60 :] >= 2).any()
    value, rms = ratio["2013-07-22"]
    assert np.nanmax(value) < 2
