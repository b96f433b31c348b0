"""Arrays with named rows to bytes and back, so that a rule's memory outlives a changed config: rows
that are still declared keep what they held, new ones begin empty, old ones are dropped."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


class _Packed(msgspec.Struct):
    rows: list[str]
    kinds: dict[str, str]
    shapes: dict[str, list[int]]
    body: dict[str, bytes]


def pack(rows: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Every array has one entry a row along its first axis."""
    return msgspec.msgpack.encode(
        _Packed(
            list(rows),
            {k: a.dtype.str for k, a in arrays.items()},
            {k: list(a.shape) for k, a in arrays.items()},
            {k: a.tobytes() for k, a in arrays.items()},
        )
    )


def unpack(body: bytes, rows: Sequence[str], empty: Arrays) -> Arrays:
    """Fill `empty` (arrays as of a new state, changed in place) with the packed rows of the same
    name and shape."""
    packed = msgspec.msgpack.decode(body, type=_Packed)
    place = {name: n for n, name in enumerate(packed.rows)}
    kept = [(n, place[name]) for n, name in enumerate(rows) if name in place]
    if not kept:
        return empty
    to, source = np.array(kept).T
    for name, array in empty.items():
        if packed.shapes.get(name, [0])[1:] == list(array.shape[1:]):
            old = np.frombuffer(packed.body[name], packed.kinds[name])
            array[to] = old.reshape(packed.shapes[name])[source]
    return empty
