"""What a window rule is: one file that turns the last slots of a station into one number.

The number is in the rule's own unit; a district's thresholds on it (blue … red, 准备转移 and 立即转移)
make the level. Everything else is the same for all of them and lives in `detectors.engine.window_engine`: the
rings, duplicates, lateness, suspect values, holds, restart. So a new rule is a `score` and the text
that says what it sees; nothing else is touched.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from config.language import Said
from config.records.rule_kinds import told_as
from detectors.engine.hysteresis import Called

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class View(NamedTuple):
    """n judgements, each over k inputs and W slots.

    values: (n, k, W) in the unit of the quantity, oldest slot first; the last slot is the one that
    is judged. NaN where nothing was heard (of rain: nothing heard is no rain, but NaN says so).
    end_at: (n,) the end of the judged slot, ms UTC. slot_s: seconds of a slot.
    weights: (n, k) of the inputs, as the config or geometry gives them; 1 where neither does.
    quantities: of the inputs, where a row takes more than one; empty where all are the same.
    doubt: (n, k, W) what has been taken out of each value because it is in doubt, in the same unit (of
    what is no sum: infinite), 0 where nothing has, where the row is asked what is sure; None elsewhere.
    Taking it out may make no rain grow.
    """

    values: Floats
    end_at: Ints
    slot_s: int
    weights: Floats
    quantities: tuple[str, ...] = ()
    doubt: Floats | None = None


class Scored(NamedTuple):
    """value: (n,) in the rule's unit; NaN: the rule cannot say, which is never an all-clear.

    window_min: (n,) length of the window that decided, 0 where there is none.
    per_h: (n,) how fast `value` grows at present, in its unit an hour; NaN where unknown. From it
    the time to the next threshold is told.
    """

    value: Floats
    window_min: Ints
    per_h: Floats


class Tells(NamedTuple):
    """What a rule says beside its value when that changes what is said. note: short, in figures and units;
    early_at, late_at: between what moments (ms UTC) what it sees may be at the area, 0 where that is not
    known. inputs: which of the row's it rests on, where not on all. chance: that `reach`, in the unit of the
    quantity, is reached within the window, 0 … 1; None where that is measured or nothing is forecast."""

    note: Said = ""
    early_at: int = 0
    late_at: int = 0
    inputs: tuple[int, ...] = ()
    chance: float | None = None
    reach: float | None = None


class Envelopes(NamedTuple):
    """Within what lies all that windows of n rows hold, (n,) each: low, high of what is no rain, in its
    unit (inf, -inf: nothing was heard); fell: how much rain at the most, mm, of any mean of the inputs."""

    low: Floats
    high: Floats
    fell: Floats


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a rule, as `[[rule]]` in rules.toml states them under `parameters`.

    `__post_init__` raises ValueError with what to do when a value cannot be.
    """


class SeriesJudged(NamedTuple):
    """One entry an observation: what the row's values call for."""

    raw: Ints
    keep: Ints
    raw_action: Ints
    keep_action: Ints
    value: Floats
    window_min: Ints
    per_h: Floats
    end: Ints  # the slot that was judged: of a late value the worst of those it touches

    @property
    def called(self) -> Called:
        """What they call for."""
        return Called(self.raw, self.keep, self.raw_action, self.keep_action)


class Kind(NamedTuple):
    """A rule as it is registered. What it is called and the unit of its value stand in
    `config.records.rule_kinds`, for those who speak of it and judge nothing.

    inputs: the quantities it takes ("*": any of kind interval or instant). joint: one row takes
    several stations (k > 1), else every station of an area is a row of its own. slot_s, span: of
    the ring, in seconds and slots (W), from the parameters. gather: how values of one slot come
    together: sum, max or min. quiet: the value of a window of zeros, with which dry slots are
    passed over without a look (None: every slot is looked at). fades: with these parameters a slot of
    zero never makes the value greater, so that of a row without a level only rain is looked at.
    plain: `score` without `per_h`, where that is less work; what speaks is scored in full. falling:
    a smaller value is worse.
    unready: what keeps these parameters from going live, empty where nothing does; they may be replayed
    all the same. seen: the quantity that detect makes of a camera's frames
    (config.records.devices.cameras) and that this takes. mixed: further quantities that a row of a joint
    kind may have beside its own; rain is summed up in a slot whatever `gather` says. tells: what is said
    beside the value, of one judgement and its area. newest: what comes late is judged at the row's clock
    alone, for the window there holds all that it may be part of. least: the shortest time whose rain
    decides by itself, minutes: rain whose minutes are not known, or that is estimated, is in doubt for
    what is shorter (None: only all of the window). holds: (n,), whose value may raise a level and must not
    lower it, for something that it should rest on is not known (None: of no other than NaN). unfit: why a
    row with these stations cannot have these parameters, of all the areas.
    """

    name: str
    inputs: tuple[str, ...]
    parameters: type[Parameters]
    slot_s: Callable[[Any], int]
    span: Callable[[Any], int]
    score: Callable[[Any, View], Scored]
    gather: str = "sum"  # sum, max or min
    joint: bool = False
    quiet: float | None = None
    fades: Callable[[Any], bool] = lambda _: False
    plain: Callable[[Any, View], Scored] | None = None
    falling: bool = False
    unready: Callable[[Any], Said] = lambda _: ""
    seen: str = ""
    mixed: tuple[str, ...] = ()
    tells: Callable[[Any, View, str], Tells] = lambda *_: Tells()
    newest: bool = False
    at_most: Callable[[Any, Envelopes], Floats] | None = None
    holds: Callable[[Any, View], Bools] | None = None
    least: Callable[[Any], int] | None = None
    unfit: Callable[[Any, Sequence[str], Iterable[str]], Said] = lambda *_: ""

    def told_as(self, parameters: Any) -> str:
        """The row of `config.records.rule_kinds` by which it is told, with these parameters."""
        return told_as(self.name, getattr(parameters, "outcome", ""))

    def blind(self, parameters: Any, view: View) -> Bools:
        """`holds`, of every kind."""
        none = np.zeros(len(view.values), np.bool_)
        return none if self.holds is None else self.holds(parameters, view)


def scored(value: Floats, window_min: Ints | int = 0, per_h: Floats | float = np.nan) -> Scored:
    """A `Scored` whose window and rate may be the same for all."""
    return Scored(
        value,
        np.full(value.shape, window_min, np.int64),
        np.full(value.shape, per_h, np.float64),
    )
