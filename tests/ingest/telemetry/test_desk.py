"""What the desk makes of any order of reports, repetitions and losses: each reading once, each one answered."""

from hypothesis import given
from hypothesis import strategies as st

from config.records.district import TelemetryRow
from ingest.identify import Register
from ingest.observation import Observation
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.frame import read as read_frame
from ingest.telemetry.desk import Desk
from stream.records import Rejected
from tests.support.examples import examples
from tests.support.telemetry import A, B, district

NOW = 1_720_062_305_000
MINUTE = 60_000


def desk(*rows: TelemetryRow) -> Desk:
    found = district(rows)
    return Desk(found, Register(found), lambda *_: Rejected("bad_frame", ""))


def frame(raw: bytes) -> Frame651:
    found = read_frame(raw)
    assert isinstance(found, Frame651)
    return found


def timed(serial: int, level: float, address: str = A) -> Frame651:
    at = NOW - serial * MINUTE
    elements = [encode.element(0x39, level, 4, 3)]
    return frame(
        encode.frame(address, 0x32, encode.report(address, serial, at, 0x48, at, elements))
    )


said = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["tcp a", "tcp b"])), max_size=20)


@given(said)
@examples(80)
def test_in_whatever_order_reports_come_and_come_again_each_counts_once(
    order: list[tuple[int, str]],
) -> None:
    one = desk(TelemetryRow(station="S01", address=A, element="39"))
    kept: list[Observation] = []
    for serial, peer in order:
        heard = one.hear(timed(serial, serial / 10), peer, NOW)
        answer = frame(heard.reply)
        assert (answer.down, answer.function, answer.station) == (True, 0x32, A)
        kept += heard.found
        assert {w.reason for w in heard.letters} <= {"address_twice"}
    assert sorted(o.value for o in kept) == [n * 100 for n in sorted({s for s, _ in order})]


@given(st.lists(st.sampled_from(range(6)), max_size=24), st.booleans())
@examples(60)
def test_packets_in_whatever_order_make_one_picture_at_most(order: list[int], whole: bool) -> None:
    found = district((TelemetryRow(station="V01", address=B, element="F3"),))
    pictures: list[bytes] = []

    def keep(picture: object, _: int) -> Rejected:
        pictures.append(getattr(picture, "body", b""))
        return Rejected("bad_frame", "")

    one = Desk(found, Register(found), keep)
    body = encode.report(B, 9, NOW, 0x48, NOW, [b"\xf3\xf3" + bytes(range(250)) * 6])
    packets = [frame(raw) for raw in encode.in_packets(B, 0x36, body)]
    assert len(packets) == 6
    for n in [*order, *(range(6) if whole else ())]:
        one.hear(packets[n], "tcp", NOW)
    assert set(pictures) <= {bytes(range(250)) * 6}
    assert len(pictures) == 1 if whole else len(pictures) <= 1
    late = one.late(NOW + 10 * MINUTE)
    assert all(w.reason == "cut_frame" for h in late for w in h.letters)
    assert not one.late(NOW + 20 * MINUTE)


def test_a_table_says_what_of_a_message_counts() -> None:
    one = desk(TelemetryRow(station="S01", address=A, element="FF12", scale=0.01, offset=2.0))
    raw = encode.report(
        A, 1, NOW, 0x48, NOW, [encode.element(0xFF12, 123, 3, 0), b"\x26\x19\0\0\x40"]
    )
    heard = one.hear(frame(encode.frame(A, 0x32, raw)), "tcp", NOW)
    assert [(o.station, o.value) for o in heard.found] == [("S01", 3230)]
    assert not heard.letters  # named in the table, it is no unknown element


def test_who_waits_for_no_answer_gets_none() -> None:
    one = desk(TelemetryRow(station="S01", address=A, element="39", mode="M1"))
    assert one.hear(timed(1, 1.0), "tcp", NOW).reply == b""


def test_a_finder_and_a_desk_stand_any_pieces() -> None:
    one = desk(TelemetryRow(station="S01", address=A, element="39"))
    raw = b"".join(timed(n, 1.0).raw for n in range(1, 9))
    finder, heard = Finder(), 0
    for n in range(len(raw)):
        for found in finder.feed(raw[n : n + 1]):
            assert isinstance(found, Frame651)
            heard += len(one.hear(found, "tcp", NOW).found)
    assert heard == 8
