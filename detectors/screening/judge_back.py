"""What came late is laid into the past; at the next tick every rule judges the ends of windows within the
lateness that it touches, so that what is said then is the same in whatever order and number the readings
came."""

import numpy as np

from detectors.memory.state import DetectState
from detectors.screening.sift import Sifted
from detectors.setup.partition import COUNTER, LEVEL, RAIN, Part
from detectors.statements import Saying


def remember(part: Part, state: DetectState, new: Sifted) -> None:
    """Which rows history was laid into, and from when on an end of a window may be an order. Where no rain fell
    nothing is reached. What a device had stored is no order however young: nothing is judged again for a level;
    of rain, what ends after it is, for a reading behind it would have said so."""
    if new.clock is None:
        return
    old = new.old_of(np.arange(new.row.size))
    assert old is not None
    kind = part.kind[new.row]
    rain = (kind == RAIN) | (kind == COUNTER)
    told = ~rain if new.stored is None else ~rain & ~new.stored
    which = (old & ((rain & (new.amount != 0)) | told)).nonzero()[0]
    first = np.maximum(new.clock[which] - new.late_min, new.minute[which] + 1)
    state.owed_ends.mark(new.row[which], first, new.minute[which])


def judge_back(part: Part, state: DetectState, saying: Saying) -> bool:
    """At a tick. Whether anything was to be judged."""
    owed = state.owed_ends.take()
    if owed is None:
        return False
    kind = part.kind[owed.row]
    rain = owed.some(((kind == RAIN) | (kind == COUNTER)).nonzero()[0])
    rows, source = part.rain_rows.expand(rain.row)
    for change in part.rain.judge_back(state.rain, rain.expand(rows, source)):
        saying.change(0, "rain_threshold", part.rain.rows[change.row], change)
    level = owed.some((kind == LEVEL).nonzero()[0])
    rows, source = part.stage_rows.expand(level.row)
    for change in part.stage.judge_back(state.stage, level.expand(rows, source)):
        saying.change(0, "stage_trend", part.stage.rows[change.row], change)
    for fed in part.series:
        mine = owed.some(fed.feeds[owed.row].nonzero()[0])
        if not mine.row.size or fed.seen:
            continue
        entries, source = fed.entries.expand(mine.row)
        of_rule = mine.expand(entries // fed.rule.inputs, source)
        for said in fed.rule.judge_back(state.series[fed.rule.name], of_rule):
            saying.series(0, fed.rule, said)
    return True
