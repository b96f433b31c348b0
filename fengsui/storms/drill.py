"""What a drill beside a real storm would bring into the live line if somebody's hand slipped: its records,
and its commands. Each must come to nothing. Pure."""

import msgspec

from config.records.level import Action, Level
from dispatch.nodes.protocol import CarrierReceipt, Command, sign
from dispatch.records import Alert, Decision, Delivery, Route
from dispatch.signatures.proof import signed
from fengsui.storms.ground import DESK, DISTRICT, DRILL, PREFIX, SENDER, START_AT
from stream.log.port import Out
from stream.records import Run, encode

NAME = "exercise-beside"
WORDS = "（演练）试验"
_RUN = Run(name=NAME, kind="exercise", district=DISTRICT, config="a", start_at=START_AT)


def stray(where: str, at: int, nth: int) -> tuple[list[Out], list[tuple[str, bytes]]]:
    """Records of a drill for a topic of the live log, or messages for the live broker."""
    match where:
        case "cases":
            act = Decision(
                area="V01", hazard="flash_flood", act="raise", by="O-03", decided_at=at,
                reason=WORDS, level=Level.RED, action=Action.MOVE, order=f"{nth:016x}",
            )  # fmt: skip
            act = signed(act, DESK, NAME, DISTRICT)
            return [Out("cases", "run", encode(_RUN)), Out("cases", "V01", encode(act))], []
        case "alerts":
            return [
                Out("alerts", "run", encode(_RUN)),
                Out("alerts", "V01", encode(_alert(at))),
            ], []
        case "deliveries":
            return [Out("deliveries", f"drill-{nth}", encode(_delivery(at, nth)))], []
        case "node":
            topic = f"{PREFIX}/node/N01/command"
            return [], [(topic, sign(key, _command(at, nth))) for key in (DRILL, SENDER)]
    body = msgspec.json.encode(CarrierReceipt(key=f"{nth:024x}", status="answered", at=at))
    return [], [(f"{PREFIX}/receipt/sms", body)]


def _alert(at: int) -> Alert:
    return Alert(
        id="drill-V01", version=1, area="V01", hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.RED, action=Action.MOVE, proposed_level=Level.RED,
        proposed_action=Action.MOVE, public=True, state="released", incident="drill", sent_at=at,
        onset_at=at, expires_at=at + 3_600_000, reason=WORDS,
    )  # fmt: skip


def _delivery(at: int, nth: int) -> Delivery:
    return Delivery(
        id=f"drill-{nth}", alert="drill-V01", version=1, area="V01", hazard="flash_flood",
        level=Level.RED, action=Action.MOVE, msg_type="alert", status="exercise",
        recipient="C-01", audience="internal", routes=(Route(channel="sms", text=WORDS),),
        queued_at=at, deadline_at=at + 180_000, expires_at=at + 3_600_000,
    )  # fmt: skip


def _command(at: int, nth: int) -> Command:
    return Command(
        id=f"{nth:024x}", node="N01", alert="drill-V01", version=1, area="V01", level=Level.RED,
        action=Action.MOVE, msg_type="alert", kind="exercise", text=WORDS, repeat=3, volume=100,
        issued_at=at, expires_at=at + 3_600_000,
    )  # fmt: skip
