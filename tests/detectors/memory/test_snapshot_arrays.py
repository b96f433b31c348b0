"""What a memory's arrays hold is the same after a snapshot to the last bit, whatever stands in them, in
less room; and a snapshot of a build before is read."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from detectors.engine.minute_ring import SLOTS, Window
from detectors.engine.snapshot_arrays import opened, pack, unpack
from tests.support.examples import examples

KINDS = (np.int64, np.int32, np.float64, np.bool_)
LIKELY = (
    st.sampled_from([-1, 0, 1, 7, 127, 128, -128, 40_000, 2**31 - 1, -(2**40)])
    | st.integers(1_784_600_040_000, 1_784_600_640_000)
    | st.integers(1_784_600_040_000 << 20, 1_784_600_640_000 << 20)
)
FLOATS = st.sampled_from([np.nan, 0.0, -0.0, 0.1, np.inf, -np.inf, 2.0**60]) | st.integers(
    -(10**6), 10**6
).map(float)


def elements(kind: type) -> Any:
    if kind == np.int64:
        return LIKELY | st.integers(-(2**63), 2**63 - 1)
    if kind == np.int32:
        return LIKELY.filter(lambda n: -(2**31) <= n < 2**31)
    return FLOATS if kind == np.float64 else None


ARRAYS = st.sampled_from(KINDS).flatmap(
    lambda kind: hn.arrays(
        kind, st.tuples(st.integers(0, 6), st.integers(1, 5)), elements=elements(kind)
    )
)


def same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Bit for bit; one NaN is another."""
    if a.dtype.kind == "f":
        a, b = (np.where(np.isnan(x), np.nan, x) for x in (a, b))
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@examples(300)
@given(ARRAYS)
def test_an_array_comes_back_to_the_bit(array: npt.NDArray[Any]) -> None:
    names = [f"r{n}" for n in range(len(array))]
    body = pack(names, {"it": array})
    rows, arrays = opened(body)
    assert rows == names
    assert same(arrays["it"], array)
    assert pack(names, arrays) == body


def test_rows_that_are_still_declared_keep_what_they_held() -> None:
    body = pack(["a", "b", "c"], {"n": np.array([1, 2, -1]), "wide": np.zeros((3, 4))})
    empty = {"n": np.full(3, 9), "wide": np.ones((3, 8)), "new": np.full(3, 5)}
    found = unpack(body, ["c", "d", "a"], empty)
    assert found["n"].tolist() == [-1, 9, 1]
    assert found["wide"].tolist() == np.ones((3, 8)).tolist()  # another width: begins anew
    assert found["new"].tolist() == [5, 5, 5]


def test_a_snapshot_of_format_3_is_read() -> None:
    """Each array as it lay, and neither form nor tops."""
    ring = np.array([[-1, 3], [2**40, 0]])
    old = msgspec.msgpack.encode(
        {
            "rows": ["a", "b"],
            "kinds": {"ring": "<i8"},
            "shapes": {"ring": [2, 2]},
            "body": {"ring": ring.tobytes()},
        }
    )
    assert same(opened(old).arrays["ring"], ring)


def test_a_gauge_takes_a_fiftieth_of_its_memory() -> None:
    rng = np.random.default_rng(1)
    window = Window(200, (60,))
    every = np.arange(200)
    for minute in range(29_743_334, 29_743_334 + 1440, 5):
        window.put(every, np.full(200, minute), rng.poisson(0.2, 200), False)
    body = pack([str(n) for n in every], {"ring": window.counts(), "head": window.head})
    assert len(body) < window.nbytes / 50


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3 * SLOTS)), max_size=60), st.data())
def test_a_ring_is_filled_as_it_was(told: list[tuple[int, int]], data: st.DataObject) -> None:
    window = Window(3, (60, 1440))
    for row, minute in told:
        count = data.draw(st.integers(0, 3))
        window.put(np.array([row]), np.array([minute]), np.array([count]), False)
    again = Window(3, (60, 1440))
    again.head[:] = window.head
    again.fill(window.counts())
    assert again.counts().tobytes() == window.counts().tobytes()
    some = np.array([2, 0])
    assert window.counts(some).tobytes() == window.counts()[some].tobytes()
    for row in (window.head >= 0).nonzero()[0]:
        at = np.array([row])
        assert (window.sums(at, window.head[at]) == again.sums(at, window.head[at])).all()
