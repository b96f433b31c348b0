"""The times of a record in which many readings share one, without an eight-byte number for each of them."""

from typing import overload

import numpy as np

from detectors.engine.window_rule import Ints


class SharedTimes:
    """Times in order, ms UTC, as an array of them would be indexed. values: each time once; first: (values,)
    from which reading on it holds, the first of them 0; size: how many readings.

    >>> m = SharedTimes(np.array([10, 20, 30]), np.array([0, 2, 3]), 5)
    >>> m[1:4].tolist(), m[np.array([0, 2, 4])].tolist(), m[-1], (m + 5)[0]
    ([10, 20, 30], [10, 20, 30], 30, 15)
    """

    def __init__(self, values: Ints, first: Ints, size: int) -> None:
        self._values, self._first, self.size = values, first, size

    @overload
    def __getitem__(self, n: int) -> int: ...
    @overload
    def __getitem__(self, n: slice | Ints) -> Ints: ...
    def __getitem__(self, n: int | slice | Ints) -> int | Ints:
        if isinstance(n, slice):
            low, high, step = n.indices(self.size)
            a = int(self._first.searchsorted(low, "right")) - 1
            b = max(int(self._first.searchsorted(high)), a)
            bounds = np.clip(np.append(self._first[a:b], high), low, max(low, high))
            found: Ints = np.repeat(self._values[a:b], np.diff(bounds))
            return found if step == 1 else found[::step]
        if isinstance(n, np.ndarray):
            return self._values[self._first.searchsorted(n, "right") - 1]
        at = n + self.size if n < 0 else n
        return int(self._values[int(self._first.searchsorted(at, "right")) - 1])

    def __add__(self, ms: int) -> "SharedTimes":
        return SharedTimes(self._values + ms, self._first, self.size)
