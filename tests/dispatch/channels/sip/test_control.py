"""What baresip says, in whatever pieces, and what others make it say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.sip.call import LineEvent
from dispatch.channels.sip.control import BrokenControl, ControlReader, command, event_of
from tests.support.examples import examples

RINGING = {"event": True, "type": "CALL_RINGING", "direction": "outgoing", "param": "sip:x"}


def netstring(told: object) -> bytes:
    body = json.dumps(told, ensure_ascii=False).encode()
    return b"%d:%s," % (len(body), body)


@given(st.lists(st.integers(1, 30), max_size=60))
@examples(60)
def test_pieces_are_put_together(cuts: list[int]) -> None:
    reader, found, at = ControlReader(), [], 0
    data = netstring(RINGING) * 3 + netstring({"response": True, "ok": True, "token": "play"})
    for cut in [*cuts, len(data)]:
        found += [event_of(told) for told in reader.feed(data[at : at + cut])]
        at += cut
    assert found == [LineEvent("ringing")] * 3 + [LineEvent("sounding")]


def test_what_is_told_it_is_as_it_reads_it() -> None:
    (told,) = ControlReader().feed(command("dial", "sip:1@a", "t"))
    assert told == {"command": "dial", "params": "sip:1@a", "token": "t"}


@pytest.mark.parametrize("data", [b"x:{},", b"2:{}xx", b"99999999:", b"-1:,", b"2:{};"])
def test_no_netstring_is_the_end(data: bytes) -> None:
    with pytest.raises(BrokenControl):
        list(ControlReader().feed(data))


@pytest.mark.parametrize(
    ("told", "event"),
    [
        ({**RINGING, "direction": "incoming"}, None),
        ({**RINGING, "type": "CALL_DTMF_START", "param": "1"}, LineEvent("key", digit="1")),
        ({**RINGING, "type": "CALL_DTMF_START", "param": "12"}, None),
        ({**RINGING, "type": "CALL_RTCP", "rtcp_stats": {"tx": {"sent": 9, "lost": 2}}},
         LineEvent("carried", sent=9, lost=2)),
        ({**RINGING, "type": "CALL_RTCP", "rtcp_stats": {"tx": {"sent": "9", "lost": -1}}},
         LineEvent("carried")),
        ({**RINGING, "type": "CALL_RTCP", "rtcp_stats": [1]}, None),
        ({**RINGING, "type": "CALL_CLOSED", "param": "486 Busy Here"},
         LineEvent("closed", status=486, words="486 Busy Here")),
        ({**RINGING, "type": "CALL_CLOSED", "param": "Connection refused [111]"},
         LineEvent("closed", words="Connection refused [111]")),
        ({"response": True, "ok": False, "data": "no", "token": "play"}, LineEvent("mute", words="no")),
        ({"response": True, "ok": False, "token": "x"}, None),
        ({**RINGING, "type": 7}, None),
    ],
)  # fmt: skip
def test_events(told: dict[str, object], event: LineEvent | None) -> None:
    assert event_of(told) == event
