"""Units of SenML, and what a number in one of them is in a unit of ours, exactly.

Names, scales and offsets: RFC 8428 section 12.1, table 6 (primary units); RFC 8798 section 2, table 1 (more
primary units) and section 3, table 2 (secondary units: value · scale + offset is the value in the primary
unit). One trap stands in RFC 8428, note 2 of that table, and is repeated in RFC 8798: `%` is no percentage,
but another name of `/`, the ratio (0.5 is half); a percentage is `/100`, `%RH` or `%EL`.
"""

from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import NamedTuple

_PRIMARY = (
    "m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s m/s2 m3/s "
    "l/s W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min beat/min beats S/m "
    "B VA VAs var vars J/m kg/m3 deg"
)
PRIMARY = frozenset(_PRIMARY.split())
RATIO = "%"  # by its name a percentage, by RFC 8428 none


class _Linear(NamedTuple):
    """value · scale + offset is the value in `of`."""

    of: str
    scale: Fraction
    offset: Fraction = Fraction(0)


def _of(of: str, scale: str, offset: str = "0") -> _Linear:
    return _Linear(of, Fraction(scale), Fraction(offset))


SECONDARY = {
    "ms": _of("s", "1/1000"),
    "min": _of("s", "60"),
    "h": _of("s", "3600"),
    "MHz": _of("Hz", "1000000"),
    "kW": _of("W", "1000"),
    "kVA": _of("VA", "1000"),
    "kvar": _of("var", "1000"),
    "Ah": _of("C", "3600"),
    "Wh": _of("J", "3600"),
    "kWh": _of("J", "3600000"),
    "varh": _of("vars", "3600"),
    "kvarh": _of("vars", "3600000"),
    "kVAh": _of("VAs", "3600000"),
    "Wh/km": _of("J/m", "3.6"),
    "KiB": _of("B", "1024"),
    "GB": _of("B", "1e9"),
    "Mbit/s": _of("bit/s", "1000000"),
    "B/s": _of("bit/s", "8"),
    "MB/s": _of("bit/s", "8000000"),
    "mV": _of("V", "1/1000"),
    "mA": _of("A", "1/1000"),
    "dBm": _of("dBW", "1", "-30"),
    "ug/m3": _of("kg/m3", "1e-9"),
    "mm/h": _of("m/s", "1/3600000"),
    "m/h": _of("m/s", "1/3600"),
    "ppm": _of("/", "1e-6"),
    "/100": _of("/", "1/100"),
    "/1000": _of("/", "1/1000"),
    "hPa": _of("Pa", "100"),
    "mm": _of("m", "1/1000"),
    "cm": _of("m", "1/100"),
    "km": _of("m", "1000"),
    "km/h": _of("m/s", "5/18"),
}
# primary units that are others by another name or scale: RFC 8428 section 12.1, tables 6 and its notes
_ALIKE = {
    "g": _of("kg", "1/1000"),
    "l": _of("m3", "1/1000"),
    "l/s": _of("m3/s", "1/1000"),
    "1/min": _of("1/s", "1/60"),
    "count": _of("/", "1"),
    RATIO: _of("/", "1"),
    "%RH": _of("/", "1/100"),
    "%EL": _of("/", "1/100"),
    "Cel": _of("K", "1", "273.15"),
}
# units of config.records.quantity that have another name in SenML, or none
_OURS = {
    "%": _of("/", "1/100"),
    "1": _of("/", "1"),
    "um/s": _of("m/s", "1e-6"),
    "MW": _of("W", "1000000"),
    "veh/h": _of("1/s", "1/3600"),
    "byte": _of("B", "1"),
}
_NAMES = PRIMARY | SECONDARY.keys()
_DIGITS = Context(prec=60)  # of what is reckoned before it is a double again
# what a rate is when it has been added up over seconds (RFC 8428 section 4.2, Sum)
_OVER_TIME = {"m/s": "m", "1/s": "/"}


def _linear(unit: str) -> _Linear | None:
    """A unit of SenML in its primary one."""
    found = SECONDARY.get(unit) or _ALIKE.get(unit)
    return found or (_Linear(unit, Fraction(1)) if unit in PRIMARY else None)


@cache
def _between(unit: str, ours: str, *, over_time: bool) -> tuple[Fraction, Fraction] | None:
    """(factor, addend) from a unit of SenML, or such a unit times a second, to one of ours."""
    there, here = _linear(unit), _OURS.get(ours) or _linear(ours)
    if there is None or here is None:
        return None
    of = there.of
    if over_time:
        if there.offset or of not in _OVER_TIME:
            return None
        of = _OVER_TIME[of]
    if of != here.of:
        return None
    return there.scale / here.scale, (there.offset - here.offset) / here.scale


def into(value: float, unit: str, ours: str, *, over_time: bool = False) -> float | None:
    """`value` in `unit` of SenML as a number in the unit `ours` of `config.records.quantity`, the nearest
    double to the exact one of the figures as they were written; None where the two measure different things.
    over_time: the value is a sum (`s`), in `unit` times a second."""
    known = _between(unit, ours, over_time=over_time) if unit in _NAMES and ours else None
    if known is None:
        return None
    factor, addend = known
    if factor == 1 and not addend:
        return value
    exact = _DIGITS.multiply(Decimal(repr(value)), factor.numerator)
    exact = _DIGITS.divide(exact, factor.denominator)
    if addend:
        exact = _DIGITS.add(exact, _DIGITS.divide(addend.numerator, addend.denominator))
    return float(exact)
