"""What the rules `cascade` are told: the levels of gauges whose silence may say something, and the time."""

from detectors.engine.minute_ring import among
from detectors.memory.state import DetectState
from detectors.screening.sift import Sifted
from detectors.setup.partition import Part
from detectors.statements import Saying


def listen(part: Part, state: DetectState, new: Sifted) -> None:
    """Levels, in whatever order they come; history too."""
    for k in among(new.row, part.listened).nonzero()[0].tolist():
        row = int(new.row[k])
        for name in part.listened[row]:
            cascade = part.cascades[name]
            held = state.cascades.setdefault(name, cascade.new())
            cascade.hear(held, part.station[row], int(new.at[k]), int(new.amount[k]))


def conclude(part: Part, state: DetectState, clock_at: int, saying: Saying) -> None:
    """Silence can be heard only when time passes."""
    away = state.service.now | state.silence.adrift
    for name, cascade in part.cascades.items():
        held = state.cascades.setdefault(name, cascade.new())
        for said in cascade.tick(held, state.silence.seen, away, clock_at):
            saying.cascade(cascade, said)
