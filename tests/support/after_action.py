"""What several tests use, by the one it was written for: after_action."""

from config.records.level import Action, Level
from detectors.detection import Coverage, Detection
from dispatch.records import Alert, Decision, Delivery, Question, Receipt, Route, State
from stream.records import Record, Run

T0 = 1_753_524_000_000
S = 1000


def detection(n: int, at: int, level: Level, area: str = "A01", **more: object) -> Detection:
    return Detection(
        id=f"d{n}", area=area, hazard="flash_flood", rule="rain_threshold", level=level,
        action=Action.NONE, detected_at=at, since_at=at, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def alert(version: int, at: int, level: Level, **more: object) -> Alert:
    fields: dict[str, object] = {
        "id": "w1", "version": version, "area": "A01", "hazard": "flash_flood",
        "status": "exercise", "msg_type": "alert" if version == 1 else "update", "level": level,
        "action": Action.NONE, "proposed_level": level, "proposed_action": Action.NONE,
        "public": True, "state": "released", "incident": "I1", "sent_at": at, "onset_at": at,
        "expires_at": at + 6 * 3_600_000, "reason": "r",
    }  # fmt: skip
    return Alert(**{**fields, **more})  # type: ignore[arg-type]


def delivery(name: str, version: int, channel: str, who: str, at: int, **more: object) -> Delivery:
    fields: dict[str, object] = {
        "id": name, "alert": "w1", "version": version, "area": "A01", "hazard": "flash_flood",
        "level": Level.RED, "action": Action.NONE, "msg_type": "alert", "status": "exercise",
        "recipient": who, "audience": "public", "routes": (Route(channel=channel, text="t"),),
        "queued_at": at, "deadline_at": at + 300 * S, "expires_at": at + 3_600 * S,
    }  # fmt: skip
    return Delivery(**{**fields, **more})  # type: ignore[arg-type]


def receipt(name: str, state: State, at: int) -> Receipt:
    return Receipt(delivery=name, route=0, state=state, receipt_at=at)


def story() -> list[Record]:
    """Red is asked for at +70 s, due within 300 s, released after 400; one of two answers, one of
    two loudspeakers sounds, the flood comes 40 minutes after the release."""
    asks = Question(what="red", called=("K-01",), deadline_at=T0 + 370 * S)
    waits = {"proposed_level": Level.RED, "public": False, "state": "proposed"}
    internal = {"audience": "internal", "must_answer": True}
    later = T0 + 470 * S
    return [
        Run(name="exercise-x", kind="exercise", district="yanqing", config="c", start_at=T0),
        detection(1, T0 + 60 * S, Level.RED),
        alert(1, T0 + 70 * S, Level.NONE, detections=("d1",), questions=(asks,), **waits),
        delivery("i1", 1, "sms", "C-0001", T0 + 70 * S, **internal),
        receipt("i1", "accepted", T0 + 72 * S),
        receipt("i1", "delivered", T0 + 75 * S),
        receipt("i1", "answered", T0 + 190 * S),
        delivery("i2", 1, "sms", "C-0003", T0 + 70 * S, **internal),
        receipt("i2", "failed", T0 + 170 * S),
        delivery("i3", 1, "sms", "C-0004", T0 + 70 * S, **internal),
        receipt("i3", "superseded", T0 + 80 * S),
        alert(2, later, Level.RED, detections=("d1",), by="K-01", proposed_level=Level.RED),
        Decision(
            area="A01", hazard="flash_flood", act="release", by="K-01", decided_at=later,
            reason="会商<1>", alert="w1", version=1, incident="I1", hash="h",
        ),
        delivery("b1", 2, "broadcast", "N001", later),
        receipt("b1", "playing", later + 5 * S),
        receipt("b1", "played", later + 65 * S),
        delivery("b2", 2, "broadcast", "N002", later),
        receipt("b2", "expired", later + 3_600 * S),
        detection(2, T0 + 30 * S, Level.NONE, coverage=Coverage(live=3, expected=4, silent=("R02",)),
                  thin=True),
    ]  # fmt: skip
