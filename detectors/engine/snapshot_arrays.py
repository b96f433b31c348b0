"""Arrays with named rows to bytes and back, so that a rule's memory outlives a changed config: rows
that are still declared keep what they held, new ones begin empty, old ones are dropped.

Most of a memory is the same number over and over: nothing heard (-1, NaN), nothing fell, a clock a few
minutes before another. So an array is written as narrow whole numbers, each how far it is below the highest,
and compressed: of a rain gauge 0.3 kB in place of 14. Nothing is rounded: what cannot be narrowed exactly is
written as it lies in memory.
"""

import zlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
Ints = npt.NDArray[np.int64]

EVERY = slice(None)  # row

_BLANK = -1  # of whole numbers: nothing; of others NaN is
_NONE = 1  # how a blank is written
_NARROW = (np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.int32))
_LITTLE = 256  # bytes that are not compressed
_WHOLE = 2.0**53  # up to here a float is a whole number exactly


class _Packed(msgspec.Struct):
    """form: 0, as snapshots of format 3 and before have it, each array as it lies; 1, compressed where that is
    worth it, and where it has a top (its highest number) narrowed: below that, not above 0, or 1 where there is
    none."""

    rows: list[str]
    kinds: dict[str, str]
    shapes: dict[str, list[int]]
    body: dict[str, bytes]
    form: int = 0
    tops: dict[str, tuple[int, str]] = {}  # and as what numbers it was written


class Opened(NamedTuple):
    """What was packed: the names of the rows, and the arrays by name."""

    rows: list[str]
    arrays: Arrays


def pack(rows: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Every array has one entry a row along its first axis."""
    packed = _Packed(list(rows), {}, {}, {}, 1)
    for name, array in arrays.items():
        packed.kinds[name], packed.shapes[name] = array.dtype.str, list(array.shape)
        narrowed = _narrowed(array)
        if narrowed is not None:
            array, top = narrowed
            packed.tops[name] = (top, array.dtype.str)
        data = array.tobytes()
        packed.body[name] = data if len(data) < _LITTLE else zlib.compress(data, 1)
    return msgspec.msgpack.encode(packed)


class _Rows(msgspec.Struct):
    rows: list[str]


def rows_in(body: bytes) -> list[str]:
    """The names of what was packed."""
    return msgspec.msgpack.decode(body, type=_Rows).rows


def chosen(names: Sequence[str], rows: Ints | slice) -> Sequence[str]:
    """The names of these rows."""
    return names[rows] if isinstance(rows, slice) else [names[row] for row in rows.tolist()]


def opened(body: bytes) -> Opened:
    """Of a snapshot of either form. The arrays may not be written to."""
    packed = msgspec.msgpack.decode(body, type=_Packed)
    arrays: Arrays = {}
    for name, kind in packed.kinds.items():
        data, shape = packed.body[name], packed.shapes[name]
        top, written = packed.tops.get(name, (None, kind))
        if packed.form and prod(shape) * np.dtype(written).itemsize >= _LITTLE:
            data = zlib.decompress(data)
        array = np.frombuffer(data, written).reshape(shape)
        arrays[name] = array if top is None else _widened(array, top, np.dtype(kind))
    return Opened(packed.rows, arrays)


def unpack(body: bytes, rows: Sequence[str], empty: Arrays) -> Arrays:
    """Fill `empty` (arrays as of a new state, changed in place) with the packed rows of the same
    name and shape."""
    names, arrays = opened(body)
    place = {name: n for n, name in enumerate(names)}
    kept = [(n, place[name]) for n, name in enumerate(rows) if name in place]
    if not kept:
        return empty
    to, source = np.array(kept).T
    same = to.size == len(rows) == len(names) and bool((to == source).all())
    for name, array in empty.items():
        old = arrays.get(name)
        if old is not None and old.shape[1:] == array.shape[1:]:
            if same:
                array[:] = old
            else:
                array[to] = old[source]
    return empty


def _narrowed(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int] | None:
    """The same in fewer bytes, and its top; None where that would not be exact, or no gain."""
    if not array.size:
        return None
    if array.dtype.kind == "f":
        blank = np.isnan(array)
        whole = np.where(blank, 0.0, array)
        # not within: infinite, or no longer exact; the sign of a zero would be lost
        within = whole.min() > -_WHOLE and whole.max() < _WHOLE
        if not within or (np.rint(whole) != whole).any() or np.signbit(whole[whole == 0]).any():
            return None
        array = whole.astype(np.int64)
    else:
        blank = array == _BLANK
    some = array[~blank]
    low, top = (int(some.min()), int(some.max())) if some.size else (0, 0)
    for kind in _NARROW:
        if kind.itemsize < array.dtype.itemsize and low - top >= np.iinfo(kind).min:
            found = np.subtract(array, top, dtype=array.dtype).astype(kind)
            found[blank] = _NONE
            return found, top
    return None


def _widened(array: npt.NDArray[Any], top: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    found = array.astype(kind)
    found += top
    found[array == _NONE] = np.nan if kind.kind == "f" else _BLANK
    return found
