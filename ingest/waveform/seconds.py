r"""A waveform as one number a second: how strongly the ground shook in the band of a flow.

Equation: the samples pass a Butterworth band-pass (order 4, `low_hz` to `high_hz`, causal: each sample knows
only those before it); of each whole second the root of the mean square, or the highest amplitude, divided by
the sensor's sensitivity. A second is told under the moment of its end, where at least nine tenths of its
samples came.
What goes before is not taken on trust: pieces that follow one another within half a sample are one; a hole
begins the filter anew, and the seconds in which it settles are not told; what was heard already is dropped;
and a clock that jumps back by more than `STEP_S` has been set, so that the new time counts from there on.
Pure: time comes in with the samples.
Source: Butterworth 1930, Experimental Wireless 7:536–541; that the shaking of debris flows lies between some 5
and 50 Hz near the channel: Arattano & Marchi 2008, Sensors 8:2436–2452.

>>> tone = np.sin(2 * np.pi * 10 * np.arange(2000) / 200) * 1000
>>> seconds = Seconds(Band(5.0, 40.0, "rms"), per_unit=1000.0)
>>> [round(s.value, 2) for s in seconds.feed(Piece("G1", 0, 200.0, tone)).seconds][-1]
0.7
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from config.language import Text

Floats = npt.NDArray[np.float64]

STEP_S = 600  # a clock that goes back further was set; what lies nearer was sent again
_NS = 1_000_000_000
_WHOLE = 0.9  # of a second's samples
_NYQUIST = 0.45  # a corner nearer to half the rate is none
_ORDER = 4
_MOST = 1e15  # counts: what is larger is no measurement
_FASTEST = 100_000.0  # samples a second


class Piece(NamedTuple):
    """Samples in a row. start_ns: of the first, since 1970 UTC; rate: samples a second; clock: why the
    sensor's clock is not to be trusted, "" where nothing says so."""

    channel: str
    start_ns: int
    rate: float
    samples: Floats
    clock: str = ""


class Band(NamedTuple):
    """Between what frequencies, and what is told of a second."""

    low_hz: float = 5.0
    high_hz: float = 40.0
    how: Literal["rms", "peak"] = "rms"


class Second(NamedTuple):
    """at: its end, ms since 1970 UTC; value: in the unit."""

    at: int
    value: float


class Fed(NamedTuple):
    """What a piece came to: whole seconds, and what was odd about it: the kind (gap, overlap, step, clock)
    and how long in seconds, 0 where that says nothing."""

    seconds: list[Second]
    odd: list[tuple[str, float]]


class Seconds:
    """One channel. per_unit: counts of the sensor that are one of the unit."""

    def __init__(self, band: Band, per_unit: float) -> None:
        self.band, self._per_unit = band, per_unit
        self._rate = 0.0
        self._next_ns = -1  # when the next sample is due; -1: nothing was heard
        self._sos: Floats = np.zeros((0, 6))
        self._state: Floats | None = None
        self._settled_ns = 0  # before that the filter still swings
        self._held: Floats = np.zeros(0)  # of the second that is not over
        self._held_ns = 0

    def feed(self, piece: Piece) -> Fed:
        """A piece, in whatever order they come. Raises ValueError where its rate cannot carry the band."""
        odd: list[tuple[str, float]] = [("clock", 0.0)] if piece.clock else []
        good = np.abs(piece.samples) < _MOST  # one that is no number would never leave the filter
        if good.all():
            return self._run(piece, odd)
        seconds: list[Second] = []
        edges = np.nonzero(np.diff(good, prepend=False, append=False))[0]
        for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            start_ns = piece.start_ns + round(low * _NS / piece.rate)
            part = piece._replace(start_ns=start_ns, samples=piece.samples[low:high])
            seconds += self._run(part, odd).seconds
        return Fed(seconds, odd)

    def _run(self, piece: Piece, odd: list[tuple[str, float]]) -> Fed:
        if not piece.samples.size:
            return Fed([], odd)
        if not 0 < piece.rate < _FASTEST:
            raise ValueError(
                Text(
                    f"{piece.channel}：采样率不能是 {piece.rate:g}",
                    f"{piece.channel}: a rate of {piece.rate:g} cannot be",
                )
            )
        if piece.rate != self._rate:
            self._begin(piece)
        start_ns, samples = piece.start_ns, piece.samples
        if self._next_ns >= 0:
            late_ns = start_ns - self._next_ns
            half_ns = _NS / piece.rate / 2
            if late_ns > half_ns:
                odd.append(("gap", late_ns / _NS))
                self._begin(piece)
            elif late_ns < -STEP_S * _NS:
                odd.append(("step", late_ns / _NS))
                self._begin(piece)
            elif late_ns < -half_ns:
                known = min(samples.size, round(-late_ns * piece.rate / _NS))
                odd.append(("overlap", known / piece.rate))
                samples = samples[known:]
                start_ns += round(known * _NS / piece.rate)
        if not samples.size:
            return Fed([], odd)
        if self._state is None:
            self._settle(start_ns, samples[0])
        self._next_ns = start_ns + round(samples.size * _NS / piece.rate)
        return Fed(self._seconds(start_ns, self._passed(samples)), odd)

    def settle_s(self) -> float:
        """How long the filter swings after a beginning: two periods of the lower corner."""
        return 2.0 / self.band.low_hz

    def _begin(self, piece: Piece) -> None:
        low, high = self.band.low_hz, self.band.high_hz
        if low >= _NYQUIST * piece.rate:
            raise ValueError(
                Text(
                    f"{piece.channel}：每秒 {piece.rate:g} 个采样装不下 {low:g} Hz 以上的频带",
                    f"{piece.channel}: {piece.rate:g} samples a second carry no band above {low:g} Hz",
                )
            )
        from scipy.signal import butter  # large, and needed at a beginning alone

        if high < _NYQUIST * piece.rate:
            self._sos = butter(_ORDER // 2, (low, high), "bandpass", output="sos", fs=piece.rate)
        else:
            self._sos = butter(_ORDER, low, "highpass", output="sos", fs=piece.rate)
        self._rate, self._state, self._next_ns = piece.rate, None, -1
        self._held = np.zeros(0)

    def _settle(self, start_ns: int, first: float) -> None:
        from scipy.signal import sosfilt_zi

        self._state = sosfilt_zi(self._sos) * first
        self._settled_ns = start_ns + round(self.settle_s() * _NS)
        self._held_ns = start_ns

    def _passed(self, samples: Floats) -> Floats:
        from scipy.signal import sosfilt

        assert self._state is not None
        passed: Floats
        passed, self._state = sosfilt(self._sos, samples.astype(np.float64), zi=self._state)
        return passed

    def _seconds(self, start_ns: int, passed: Floats) -> list[Second]:
        """The whole seconds that these samples end."""
        if not self._held.size:
            self._held_ns = start_ns
        x = np.concatenate((self._held, passed))
        at_ns = self._held_ns + np.round(np.arange(x.size) * (_NS / self._rate)).astype(np.int64)
        which = (
            at_ns + round(_NS / self._rate / 2)
        ) // _NS  # a sample just before the second is its first
        due = (self._next_ns + round(_NS / self._rate / 2)) // _NS  # of the sample that comes next
        found = []
        cuts = [0, *(np.nonzero(np.diff(which))[0] + 1).tolist(), x.size]
        for low, high in pairwise(cuts):
            second = int(which[low])
            if second == due:
                self._held, self._held_ns = x[low:high], int(at_ns[low])
                break
            told = high - low >= _WHOLE * self._rate and second * _NS >= self._settled_ns - _NS // 2
            if told:
                found.append(Second((second + 1) * 1000, self._value(x[low:high])))
        else:
            self._held = np.zeros(0)
        return found

    def _value(self, x: Floats) -> float:
        size = np.sqrt(np.mean(x * x)) if self.band.how == "rms" else np.abs(x).max()
        return float(size) / self._per_unit
