"""What may be said of so many times: a p99 of a few is their maximum, and is not called one."""

import statistics
from collections.abc import Sequence

from config.language import Text

_ENOUGH = 100  # for one of a hundred


def times_told(taken: Sequence[float]) -> Text:
    """Median, p99 where there are enough, and the longest, of times in ms; none is asked of nothing."""
    half, longest = f"p50 {statistics.median(taken):.0f} ms", max(taken)
    most = Text(f"最长 {longest:.0f} ms", f"longest {longest:.0f} ms")
    if len(taken) < _ENOUGH:
        few = Text("（次数太少，没有 p99）", " (too few for a p99)")
        return Text(half, half) + Text("，", ", ") + most + few
    p99 = sorted(taken)[min(len(taken) - 1, round(len(taken) * 0.99))]
    both = f"{half}, p99 {p99:.0f} ms"
    return Text(both.replace(", ", "，"), both) + Text("，", ", ") + most
