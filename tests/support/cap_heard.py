"""What several tests use, by the one it was written for: cap_heard."""

from config.records.level import Level
from detectors.memory.cap import CapState, changes, top
from ingest.observation import CapIn, CapRef, CapSays
from tests.support.cap_world import MIN, WEATHER
from tests.support.decide_district import T0

VALID = 86_400_000


def cap(
    identifier: str,
    level: Level = Level.RED,
    *,
    kind: str = "alert",
    minute: int = 0,
    refs: tuple[str, ...] = (),
    source: str = WEATHER,
    minutes: int = 360,
    areas: tuple[str, ...] = ("A01",),
) -> CapIn:
    at = T0 + minute * MIN
    says = tuple(CapSays(area=a, hazard="flash_flood", level=level) for a in areas)
    return CapIn(
        source=source,
        sender=f"{source}@x",
        identifier=identifier,
        sent_at=at,
        received_at=at,
        expires_at=at + minutes * MIN,
        msg_type=kind,  # type: ignore[arg-type]
        ref="",
        signed=True,
        references=tuple(CapRef(sender=f"{source}@x", identifier=r, sent_at=T0) for r in refs),
        says=() if kind == "cancel" else says,
        headline=identifier,
    )


def level(state: CapState, minute: int = 1, area: str = "A01") -> Level:
    list(changes(state, ("A01", "A02"), T0 + minute * MIN))
    said = state.said.get(f"{area}|flash_flood")
    return top(said.words) if said else Level.NONE
