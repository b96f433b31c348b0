"""A waveform second by second: however it is cut, whatever is missing, sent again, or misdated."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.waveform.seconds import STEP_S, Band, Fed, Piece, Second, Seconds
from tests.support.examples import examples

NS = 1_000_000_000
RATE = 100.0
START = 1_753_524_000 * NS
NOISE = np.random.default_rng(7).normal(0, 500, 2000)


def piece(low: int, high: int, start_ns: int = START, samples: np.ndarray = NOISE) -> Piece:  # type: ignore[type-arg]
    return Piece("FS.G1..EHZ", start_ns + round(low * NS / RATE), RATE, samples[low:high])


def told(pieces: list[Piece]) -> tuple[list[Second], list[tuple[str, float]]]:
    channel, seconds, odd = Seconds(Band(), 1000.0), [], []
    for p in pieces:
        fed = channel.feed(p)
        seconds += fed.seconds
        odd += fed.odd
    return seconds, odd


@cache
def whole() -> list[Second]:
    return told([piece(0, 2000)])[0]


def test_each_whole_second_is_told_under_its_end() -> None:
    assert [s.at for s in whole()] == [START // 1_000_000 + 1000 * n for n in range(1, 21)]
    late, _ = told([piece(0, 2000, START + 400_000_000)])  # it begins within a second
    assert [s.at for s in late] == [START // 1_000_000 + 1000 * n for n in range(2, 21)]


@examples(60)
@given(cuts=st.lists(st.integers(1, 1999), max_size=12), drift=st.integers(-3_000_000, 3_000_000))
def test_however_it_is_cut_it_says_the_same(cuts: list[int], drift: int) -> None:
    """Also when each piece is dated a little off, as digitizers do."""
    edges = sorted({0, *cuts, 2000})
    pieces = [piece(a, b) for a, b in pairwise(edges)]
    pieces = [p._replace(start_ns=p.start_ns + drift * (n % 2)) for n, p in enumerate(pieces)]
    seconds, odd = told(pieces)
    assert odd == []
    assert [s.at for s in seconds] == [s.at for s in whole()]
    np.testing.assert_allclose([s.value for s in seconds], [s.value for s in whole()], rtol=1e-9)


def test_a_tone_in_the_band_is_its_rms_and_one_below_it_is_none() -> None:
    t = np.arange(2000) / RATE
    for hz, rms in ((15, 0.707), (0.3, 0.0)):
        seconds, _ = told([piece(0, 2000, samples=1000 * np.sin(2 * np.pi * hz * t) + 5000)])
        assert seconds[-1].value == pytest.approx(rms, abs=0.03)
    highest = Seconds(Band(5, 40, "peak"), 1000.0)
    found = highest.feed(piece(0, 2000, samples=1000 * np.sin(2 * np.pi * 15 * t)))
    assert found.seconds[-1].value == pytest.approx(1.0, abs=0.05)


def test_a_constant_is_no_shaking_from_its_first_second_on() -> None:
    seconds, _ = told([piece(0, 2000, samples=np.full(2000, 1e6))])
    assert max(s.value for s in seconds) < 1e-6


def test_nothing_is_told_of_a_hole_and_of_the_second_in_which_the_filter_settles() -> None:
    seconds, odd = told([piece(0, 830), piece(1230, 2000)])
    assert odd == [("gap", 4.0)]
    begin = START // 1_000_000
    assert [(s.at - begin) // 1000 for s in seconds] == [*range(1, 9), *range(14, 21)]


def test_what_was_heard_is_passed_over() -> None:
    seconds, odd = told([piece(0, 1000), piece(0, 1000), piece(700, 2000)])
    assert odd == [("overlap", 10.0), ("overlap", 3.0)]
    assert seconds == whole()


def test_a_clock_that_is_set_back_goes_on_from_the_new_time() -> None:
    """Whatever it said before, the station must not be silent until its old time has come again."""
    back = START - (STEP_S + 60) * NS
    seconds, odd = told([piece(0, 2000), piece(0, 1000, back)])
    assert [o[0] for o in odd] == ["step"]
    assert [s.at for s in seconds[len(whole()) :]][-1] == back // 1_000_000 + 10_000


def test_what_is_no_number_does_not_stay_in_the_filter() -> None:
    spoilt = NOISE.copy()
    spoilt[500:510], spoilt[1200] = np.nan, 1e300
    seconds, odd = told([piece(0, 2000, samples=spoilt)])
    assert [o[0] for o in odd] == ["gap", "gap"]
    assert all(np.isfinite(s.value) and s.value < 10 for s in seconds)
    assert len(seconds) >= 14


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 5.0, 1e9])
def test_a_rate_that_cannot_be_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="FS.G1"):
        Seconds(Band(), 1.0).feed(Piece("FS.G1..EHZ", START, rate, NOISE))


def test_a_piece_of_nothing_is_nothing() -> None:
    assert Seconds(Band(), 1.0).feed(piece(5, 5)) == Fed([], [])
