"""The rain rule as a plain Python loop over one gauge: the yardstick of the benchmark and of the
tests. It sums the stored minutes with a deque a window and knows nothing of arrays."""

WINDOWS = (10, 60, 180, 360, 1440)
LIMITS = (
    (80, 120, 160, 220),
    (200, 300, 450, 600),
    (300, 500, 700, 1000),
    (400, 600, 900, 1300),
    (600, 1000, 1500, 2500),
)
HOLD_MIN = 30


class PlainRain:
    """One gauge."""

    def __init__(self) -> None:
        self._minutes: dict[int, int] = {}
        self._head = -1
        self._sums = [0] * len(WINDOWS)
        self._level = 0
        self._since = -1
        self._peak = 0

    def step(self, t: int, value: float) -> tuple[int, int, int] | None:
        """Take `value` mm of the minute that ends at `t` s; (clock s, old, new) if the level
        changed."""
        minute, count = t // 60, int(value * 10 + 0.5)
        if self._head < 0:
            self._head = minute
        elif minute > self._head:
            self._advance(minute)
        elif minute <= self._head - WINDOWS[-1] or minute in self._minutes:
            return None
        self._minutes[minute] = count
        if count:
            age = self._head - minute
            for i, window in enumerate(WINDOWS):
                if age < window:
                    self._sums[i] += count
        return self._judge()

    def _advance(self, minute: int) -> None:
        while self._head < minute:
            self._head += 1
            for i, window in enumerate(WINDOWS):
                gone = self._minutes.get(self._head - window)
                if gone:
                    self._sums[i] -= gone
            self._minutes.pop(self._head - WINDOWS[-1], None)

    def _judge(self) -> tuple[int, int, int] | None:
        raw = 0
        for total, limits in zip(self._sums, LIMITS, strict=True):
            while raw < len(limits) and total >= limits[raw]:
                raw += 1
        level, head = self._level, self._head
        if raw >= level:
            self._since = -1
            self._level = raw
            return (head * 60, level, raw) if raw > level else None
        if self._since < 0:
            self._since, self._peak = head, raw
            return None
        self._peak = max(self._peak, raw)
        if head - self._since < HOLD_MIN:
            return None
        self._level = self._peak
        self._since = head if raw < self._level else -1
        self._peak = raw
        return head * 60, level, self._level
