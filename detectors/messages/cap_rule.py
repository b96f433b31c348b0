"""Rule `cap`: another authority's CAP message as evidence. It sees what `ingest.cap.interpret`
found in it, says it of each area and hazard as one Detection with every source's word, and says so
again when that changes, by a new message or by time.

The Detection is `outside`: `dispatch.decide.policy` lets nothing out that rests on it alone.
"""

from collections.abc import Iterator

from config.language import Text
from config.records.district import District
from config.records.level import Action
from detectors.detection import Acknowledgement, Detection, Evidence, detection_id
from detectors.memory.cap import changes, first_time, forget, take, top
from detectors.memory.state import DetectState
from detectors.setup.partition import Part
from ingest.observation import CapIn
from stream.records import DeadLetter
from stream.stages.stage import Write

RULE = "cap"
_WORDS = 6  # sources shown
_WRONG = {
    "identifier_reused": Text(
        "已用过的编号下的另一条消息，不收", "another message under an id that was used: not taken"
    ),
    "too_many": Text(
        "该来源的有效消息过多，不收", "the source has too many messages alive: not taken"
    ),
    "unknown_reference": Text(
        "所取消的消息没有收到过", "it cancels a message that never came here"
    ),
}


def hear(district: District, part: Part, state: DetectState, message: CapIn) -> list[Write]:
    """Take a message. It stands in every partition; only the first tells of what is nobody's area."""
    first = state.partition == 0
    source = district.sources.source.get(message.source)
    if source is None:
        return []  # it is not declared any more
    if message.msg_type in ("ack", "error"):
        new = first_time(state.cap, message, source.valid_s * 1000)
        return [_answer(message)] if new and first else []
    wrong = take(state.cap, message, source.valid_s * 1000)
    writes = list(_said(district, part, state, message.received_at))
    if wrong and first:
        place = f"{message.source} {message.identifier}"
        letter = DeadLetter.of(message.received_at, place, wrong, _WRONG[wrong], message)
        writes.append(Write("dead-letters", message.source, letter))
    return writes


def expire(district: District, part: Part, state: DetectState, clock_at: int) -> list[Write]:
    """What time has ended."""
    if not state.cap.held:
        return []
    writes = list(_said(district, part, state, clock_at))
    forget(state.cap, clock_at)
    return writes


def _answer(message: CapIn) -> Write:
    return Write(
        "cases",
        message.source,
        Acknowledgement(
            neighbour=message.source,
            references=message.references,
            accepted=message.msg_type == "ack",
            answered_at=message.received_at,
            note=message.note,
            identifier=message.identifier,
        ),
    )


def _said(district: District, part: Part, state: DetectState, at: int) -> Iterator[Write]:
    at = max(at, state.silence.clock_at)
    areas = [a for g in part.groups for a in district.groups[g]]
    for area, hazard in changes(state.cap, areas, at):
        said = state.cap.said[f"{area}|{hazard}"]
        level = top(said.words)
        what = "|".join(f"{w.source},{w.identifier},{int(w.level)}" for w in said.words)
        yield Write(
            "cases",
            area,
            Detection(
                id=detection_id(area, hazard, RULE, at, what),
                area=area,
                hazard=hazard,
                rule=RULE,
                level=level,
                action=Action.NONE,
                detected_at=at,
                since_at=said.since_at,
                evidence=tuple(
                    Evidence(
                        station=w.source,
                        quantity="cap",
                        value=float(w.level),
                        observed_at=w.sent_at,
                        note=w.headline,
                    )
                    for w in said.words[:_WORDS]
                ),
                outside=True,
                note=" ".join(w.identifier for w in said.words[:_WORDS]),
                config=district.version,
            ),
        )
