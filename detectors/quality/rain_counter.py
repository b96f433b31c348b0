"""Rain from a counter: what of a new total is rain, what is a reset and what is not known.

A counter should only rise. In the field it falls by a tick and comes back, shows 0 or some low
value for a few readings, starts again (a power cut, 08:00), wraps at 255 or 65,535 tips, is swapped
for another, or is no counter at all but a rolling sum. Two paths are followed, therefore: the one
that is believed (`counter`, `counter_at`), and, from a reading that does not fit it on, another
(`other`). A reading fits a path when it is not lower by more than a jitter and not higher by more
than the climate allows for the time since.

- On the believed path the difference is rain, and it belongs to the whole time since its last
  reading.
- A reading that fits no path begins another one and is no rain yet. Rain on it counts from the next
  reading on that bears it out: what a reset left (a little, or what a wrap makes it), and what it
  rose. A jump above the climate must be borne out by a rise; that it repeats itself proves nothing.
- One that falls again, as a rolling sum does, leaves no more than fell since the reading before it: no
  time counts twice. Where all that it showed is a rolling sum's, it is read as one
  (`detectors.quality.rolling_sum`).
- A reading that fits the believed path again ends the other one: nothing had fallen on the way. So
  does one that fits both before the other path has risen. Two rises establish the other path, and a
  `_SPAN_MS` without a return does.

What comes late lies inside a difference that is counted already.

>>> m = Totals()
>>> said = [step(m, n * 300_000, v, WORLD).rain for n, v in enumerate((614, 614, 0, 614, 620))]
>>> [sum(r.amount for r in rain) for rain in said]
[0, 0, 0, 0, 6]
"""

from typing import NamedTuple

import msgspec

from detectors.quality.rain_bounds import WORLD, Bounds
from detectors.quality.rolling_sum import RollingSum, goes_on, note, recognised

_MINUTE = 60_000
_JITTER = 10  # 1 mm: one tip of the coarsest bucket
_SPAN_MS = 6 * 3_600_000  # so long a path may be left and taken up again
_NEAR = 10  # back within 1 mm of the old total: that path
_ESTABLISHED = 2  # rises
_LASTED_MS = 30 * 60_000
_SHORT = 15  # 1.5 mm: so near its end a counter may have wrapped, where the table does not say
ROLLING = "counter_rolling"
_FIRST = 100  # 10 mm: more than this from a first 0 on must be borne out too
# tips at which counters wrap, times the sizes of a bucket in 0.1 mm
_WRAPS = sorted({tips * size for tips in (256, 65_536) for size in (1, 2, 5)})


class UnconfirmedRain(msgspec.Struct, frozen=True, array_like=True):
    """Rain that no second reading has borne out yet."""

    since: int
    at: int
    count: int
    jump: bool = False  # above the climate
    by_rise: bool = False  # a reading that says the same does not bear it out


class Other(msgspec.Struct):
    """The path beside the believed one. since: when that was left."""

    since: int
    at: int
    value: int
    why: str
    held: list[UnconfirmedRain] = []
    rises: int = 0


class Totals(msgspec.Struct):
    """Of one counter. Times in ms, values in counts; -1: none."""

    counter_at: int = -1  # when the believed path was last borne out
    counter: int = 0
    counter_seen: int = -1  # newest reading of all
    counter_many: int = 0  # readings that bore the believed path out
    fell_at: int = -1  # when it last was lower than before
    other: Other | None = None
    sums: RollingSum | None = None  # of a counter


class Fell(NamedTuple):
    """Rain of the time (since, at]. suspect: nothing but the counter itself says so."""

    since: int
    at: int
    amount: int
    suspect: bool = False


class Step(NamedTuple):
    """What a reading says. test: why it is doubtful, or ''."""

    rain: list[Fell]
    test: str = ""


def step(m: Totals, at: int, value: int, climate: Bounds, wrap: int = 0) -> Step | None:
    """Take a reading; None for one that is late. wrap: the total that it never reaches, where known."""
    if at <= max(m.counter_seen, m.counter_at):
        return None
    m.counter_seen = at
    sums = m.sums = m.sums or RollingSum()
    if sums.length:
        if (said := goes_on(sums, at, value, climate)) is not None:
            return Step([Fell(*x) for x in said], ROLLING)
        _believe(m, at, value, 1)
    found = _followed(m, at, value, climate, wrap)
    note(sums, at, value, sum(f.amount for f in found.rain))
    if (hidden := recognised(sums, climate)) is None:
        return found
    _believe(m, at, value, 1)
    return Step(found.rain + [Fell(*x) for x in hidden], ROLLING)


def _followed(m: Totals, at: int, value: int, climate: Bounds, wrap: int) -> Step:
    """By the path that it is on."""
    if value < (m.counter if m.other is None else max(m.counter, m.other.value)):
        m.fell_at = at
    if m.counter_at < 0:
        _believe(m, at, value, 1)
        return Step([])
    if m.other is None:
        return _on_believed(m, at, value, climate, wrap)
    if at - m.other.since > _SPAN_MS:
        _establish(m, m.other)
        return _on_believed(m, at, value, climate, wrap)
    return _between(m, m.other, at, value, climate, wrap)


def _believe(m: Totals, at: int, value: int, many: int) -> None:
    m.counter_at, m.counter, m.counter_many, m.other = at, value, many, None


def _establish(m: Totals, other: Other) -> None:
    _believe(m, other.at, other.value, _ESTABLISHED)


def _fits(rise: int, length_ms: int, climate: Bounds) -> bool:
    return -_JITTER <= rise <= climate.most(length_ms)


def _on_believed(m: Totals, at: int, value: int, climate: Bounds, wrap: int) -> Step:
    rise, since = value - m.counter, m.counter_at
    first = m.counter_many == 1 and m.counter == 0 and rise > _FIRST
    if first or not _fits(rise, at - since, climate):
        m.other = _leave(m, at, value, climate, wrap)
        return Step([], m.other.why)
    _believe(m, at, max(value, m.counter), m.counter_many + 1)
    return Step([Fell(since, at, rise)] if rise > 0 else [])


def _leave(m: Totals, at: int, value: int, climate: Bounds, wrap: int) -> Other:
    """Another path begins with this reading; what it may have rained is held."""
    since, rise, length = m.counter_at, value - m.counter, at - m.counter_at
    other = Other(since, at, value, "counter_reset" if rise < 0 else "counter_jump")
    if rise < 0:
        held = _after_fall(m.counter, value, length, climate, wrap)
        other.held = [UnconfirmedRain(since, at, *held)] if held else []
        if wrap and held and held[0] > value:
            other.why = "counter_wrap"
    elif rise <= WORLD.most(length) and (m.counter_many > 1 or rise <= climate.most(length)):
        # of a lone first reading nothing is known
        other.held = [UnconfirmedRain(since, at, rise, True, True)]
    return other


def _after_fall(
    before: int, value: int, length_ms: int, climate: Bounds, declared: int
) -> tuple[int, bool, bool] | None:
    """Rain since a reset: what a wrap makes of it, or the value itself if it is little; of anything
    else nothing is known."""
    little = 10 * max(1, length_ms // _MINUTE)  # 1 mm a minute
    for wrap in (declared,) if declared else _WRAPS:
        rain = wrap - before + value
        near = 0 < wrap - before <= (wrap if declared else _SHORT)
        if near and rain <= climate.most(length_ms):
            return rain, False, True
    return (value, False, False) if 0 < value <= min(little, before // 2) else None


def _between(m: Totals, o: Other, at: int, value: int, climate: Bounds, wrap: int) -> Step:
    rise, above = value - o.value, value - m.counter
    old = _fits(above, at - m.counter_at, climate)
    new = _fits(rise, at - o.at, climate)
    if old and not (new and _goes_on(o, above)):
        lasted = at - o.since
        m.other = None
        said = _on_believed(m, at, value, climate, wrap)
        if new and above > _NEAR and lasted >= _LASTED_MS:  # a true reset, and a cloudburst?
            said.rain.append(Fell(o.at, at, max(0, rise - above), True))
        return said
    if not new:
        fresh = _leave(m, at, value, climate, wrap)
        fresh.since = o.since
        if (
            value < o.value
        ):  # it fell on that path too: what is left is rain since its last reading there
            left = _after_fall(o.value, value, at - o.at, climate, wrap)
            fresh.held = [UnconfirmedRain(o.at, at, *left)] if left else []
        m.other = fresh
        return Step([], fresh.why)
    o.rises += rise > 0
    out = [Fell(h.since, h.at, h.count, h.jump) for h in o.held if rise > 0 or not h.by_rise]
    o.held = [h for h in o.held if h.by_rise and rise <= 0]
    if rise > 0:
        if o.rises >= _ESTABLISHED or o.why == "counter_jump":
            out.append(Fell(o.at, at, rise))
        else:
            o.held.append(UnconfirmedRain(o.at, at, rise))
    o.at, o.value = at, max(value, o.value)
    if o.rises >= _ESTABLISHED and at - o.since > _LASTED_MS:
        _establish(m, o)
    return Step(out, "" if o.rises >= _ESTABLISHED else o.why)


def _goes_on(o: Other, above: int) -> bool:
    """Of a reading that fits both paths: does it belong to the other one? above: the believed one."""
    if o.why == "counter_jump":  # with time a jump fits what it left, and proves nothing by that
        return True
    some = o.rises or o.why == "counter_wrap"
    return o.rises >= _ESTABLISHED or bool(some and above > _NEAR)


def spread(fell: Fell) -> list[tuple[int, int]]:
    """(minute, count) of the rain, evenly over its time, in whole counts: no window holds more than
    its share of the mean, and one count. Its last minute is always among them. What lies more than
    a day back is told by the hour."""
    first, last = -(-fell.since // _MINUTE) + 1, -(-fell.at // _MINUTE)
    many = max(1, last - first + 1)
    first = last - many + 1
    out, done = [], 0
    for n in range(many):
        if many - n > 1440 and (n + 1) % 60:
            continue
        upto = fell.amount * (n + 1) // many
        if upto > done or n == many - 1:
            out.append((first + n, upto - done))
            done = upto
    return out
