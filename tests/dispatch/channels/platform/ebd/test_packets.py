"""Packets of the emergency broadcast: every public message of the facts page is read, what we write is
read again as it was, and nothing that a stranger sends is more than a reason."""

import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.platform.ebd.form import (
    HEARTBEAT,
    NORMAL,
    Form,
    Wrong,
    is_code,
    message_id,
    moment,
    packet_id,
    written,
)
from dispatch.channels.platform.ebd.packet import FILES, REASONS, Packet, pack, unpack
from dispatch.channels.platform.ebd.reader import read_ebd
from dispatch.channels.platform.ebd.records import (
    Attached,
    BroadcastStates,
    ConnectionCheck,
    Ebd,
    EbdResponse,
    Ebm,
    EquipmentList,
    EquipmentStates,
    OmdRequest,
    PlayedBy,
    StateRequest,
    UnknownBody,
)
from dispatch.channels.platform.ebd.signature import (
    Block,
    block_bytes,
    block_of,
    read_signature,
    write_signature,
)
from dispatch.channels.platform.ebd.tree import DEEPEST, read
from dispatch.channels.platform.ebd.writer import write_ebd
from tests.support.examples import examples

# captured in Lishui, 2018-06-19 (CavanOrBxj/Butt_joint_SoftWare_LiShui, HeartBeat)
HEART = b"""<?xml version="1.0" encoding="utf-8"?>
<EBD xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <EBDVersion>1.0</EBDVersion>
  <EBDID>010103331124000000010000000000000000</EBDID>
  <EBDType>ConnectionCheck</EBDType>
  <SRC><EBRID>010333112400000001</EBRID></SRC>
  <DEST><EBRID>010233110000000001</EBRID></DEST>
  <EBDTime>2018-06-19 13:16:53</EBDTime>
  <RelatedEBD />
  <ConnectionCheck><RptTime>2018-06-19 13:16:53</RptTime></ConnectionCheck>
</EBD>
"""
VALUE = "WyiRxQAAAAAzY7fI8BXO0YR5cOGpwBTvPtswXCqpsAyXq0xT8Fkb6WPSA60OBniBtMT/HK/6/J9/4kMnebSJmYLTrqGOnjFIOwU="
SIGNED = f"""<?xml version="1.0" encoding="utf-8"?>
<Signature><Version>1.0</Version>
  <RelatedEBD><EBDID>010103331124000000010000000000000000</EBDID></RelatedEBD>
  <SignatureCert><CertType>1</CertType><IssuerID>000000000075</IssuerID>
  <CertSN>000000003363</CertSN></SignatureCert>
  <SignatureTime>5b2891c5</SignatureTime><DigestAlgorithm>SM3</DigestAlgorithm>
  <SignatureAlgorithm>SM2</SignatureAlgorithm>
  <SignatureValue>{VALUE}</SignatureValue></Signature>""".encode()
CODE18, CODE23 = "010333112400000001", "41101190000000103010101"
T = 1_753_567_800_000


def ebd(body: str, kind: str = "", head: str = "") -> bytes:
    kind = kind or body[1 : body.index(">")]
    return (
        f"<EBD><EBDVersion>1</EBDVersion><EBDID>10{CODE18}0000000000000943</EBDID>"
        f"<EBDType>{kind}</EBDType><SRC><EBEID>{CODE18}</EBEID></SRC>"
        f"<EBDTime>2025-07-27 06:10:00</EBDTime>{head}{body}</EBD>"
    ).encode()


def test_the_captured_heart_beat_is_read_and_so_is_its_signature_file() -> None:
    found = read_ebd(HEART)
    at = moment("2018-06-19 13:16:53")
    assert found == Ebd(
        "010103331124000000010000000000000000",
        CODE18,
        "010233110000000001",
        at,
        ConnectionCheck(at),
        "",
        "1.0",
    )
    assert found.id == packet_id(HEARTBEAT, CODE18, "20180619", 7)
    signed = read_signature(SIGNED)
    assert signed.packet == found.id
    # the first ten bytes are SignatureTime and CertSN of the same file
    assert (f"{signed.block.time:08x}", signed.block.serial) == ("5b2891c5", "000000003363")
    assert len(signed.block.rs) == 64 and block_of(block_bytes(signed.block)) == signed.block
    # the time of the signature is that of the packet, to the second it was made in
    assert at is not None and abs(signed.block.time * 1000 - at) < 3600_000


def test_our_heart_beat_and_signature_file_say_what_the_captured_ones_say() -> None:
    ours = write_ebd(Form(), read_ebd(HEART))
    assert read_ebd(ours) == read_ebd(HEART)
    block = block_bytes(read_signature(SIGNED).block)
    for layout in ("long", "short"):
        again = write_signature(Form(layout=layout), read_ebd(HEART).id, block, "75")  # type: ignore[arg-type]
        assert read_signature(again) == read_signature(SIGNED)
        assert VALUE.encode() in again
    whole = write_signature(Form(), "1", block, "75")
    assert b"<IssuerID>000000000075</IssuerID><CertSN>000000003363</CertSN>" in whole


def test_identifiers_have_the_lengths_of_both_generations() -> None:
    assert [len(packet_id(NORMAL, c, "20250727", 1)) for c in (CODE18, CODE23)] == [36, 41]
    assert [len(message_id(c, "20250727", 1)) for c in (CODE18, CODE23)] == [30, 35]
    assert is_code(CODE18) and is_code(CODE23) and not is_code(CODE23[:20])
    assert written(T) == "2025-07-27 06:10:00"
    for odd in (
        "",
        "2025-02-30 00:00:00",
        "2025-07-27",
        "99999999-1-1 0:00:00",
        "1969-12-31 00:00:00",
    ):
        assert moment(odd) is None


MESSAGE = Ebm(
    message_id(CODE23, "20250727", 12), "1", "延庆防汛", "110119", T, "11A51", "1", T, T + 3_600_000,
    "zho", "山洪红色预警", "香屯村请立即转移 <&>", ("110119100201", "110119100202"),
    (Attached("2", "EBDR_1.mp3", 4096),), related="X1",
)  # fmt: skip


@pytest.mark.parametrize("names", ["EBR", "EBE"])
@pytest.mark.parametrize(
    "body",
    [
        MESSAGE,
        MESSAGE._replace(type="2", attached=(), related=MESSAGE.id),
        EbdResponse("1", "接收正确"),
        StateRequest(MESSAGE.id),
        OmdRequest("EBRDTInfo", T, T + 60_000, "Full"),
        ConnectionCheck(T),
    ],
    ids=lambda b: type(b).__name__,
)
def test_what_is_written_is_read_as_it_was(names: str, body: object) -> None:
    one = Ebd(packet_id(NORMAL, CODE23, "20250727", 1), CODE23, CODE18, T, body, "", "1")  # type: ignore[arg-type]
    raw = write_ebd(Form(version="1", names=names), one)  # type: ignore[arg-type]
    assert not raw.startswith(b"\xef\xbb\xbf") and f"<{names}ID>".encode() in raw
    assert read_ebd(raw) == one


def test_a_cancel_repeats_every_field() -> None:
    """What receivers ask for differs, so nothing is left out."""
    both = [
        write_ebd(Form(), Ebd("1", CODE23, "", T, m))
        for m in (MESSAGE, MESSAGE._replace(type="2", related=MESSAGE.id))
    ]
    for name in (
        "EventType",
        "Severity",
        "StartTime",
        "EndTime",
        "MsgTitle",
        "MsgDesc",
        "AreaCode",
    ):
        assert all(f"<{name}>".encode() in raw for raw in both)


def test_a_state_response_is_read_whole_and_read_poor() -> None:
    whole = ebd(
        "<EBMStateResponse><RptTime>2025-07-27 06:11:00</RptTime><EBM><EBMID>M1</EBMID></EBM>"
        "<BrdStateCode>2</BrdStateCode><BrdStateDesc>播发中</BrdStateDesc>"
        "<Coverage><CoveragePercent>66.7</CoveragePercent><AreaCode>110119100201,110119100202</AreaCode>"
        "<ResBrdStat>1,1,0,2</ResBrdStat></Coverage><ResBrdInfo><ResBrdItem><EBEAS><EBEID>a</EBEID></EBEAS>"
        "<EBEBS><EBEID>t1</EBEID><BrdStateCode>2</BrdStateCode></EBEBS>"
        "<EBEBS><EBEID>t2</EBEID><BrdStateCode>4</BrdStateCode></EBEBS></ResBrdItem></ResBrdInfo>"
        "</EBMStateResponse>"
    )  # fmt: skip
    found = read_ebd(whole).body
    assert isinstance(found, BroadcastStates)
    one = found.states[0]
    assert (one.message, one.code, one.rate, one.counts) == ("M1", "2", "66.7", (1, 1, 0, 2))
    assert one.by == (PlayedBy("t1", "2"), PlayedBy("t2", "4")) and len(one.areas) == 2
    # G leaves Coverage and ResBrdInfo out
    least = "<EBM><EBMID>M1</EBMID></EBM><BrdStateCode>3</BrdStateCode>"
    poor = read_ebd(ebd(f"<EBMStateResponse>{least}</EBMStateResponse>"))
    assert poor.body.states[0].code == "3" and poor.body.states[0].counts == ()  # type: ignore[union-attr]
    log = read_ebd(ebd(
        "<EBMBrdLog><Params/><EBMBrdItem><EBM><EBMID>M1</EBMID></EBM><BrdStateCode>3</BrdStateCode>"
        "</EBMBrdItem><EBMBrdItem><EBM><EBMID>M2</EBMID></EBM><BrdStateCode>4</BrdStateCode></EBMBrdItem></EBMBrdLog>"
    )).body  # fmt: skip
    assert isinstance(log, BroadcastStates) and [s.message for s in log.states] == ["M1", "M2"]
    with pytest.raises(Wrong, match="BrdStateCode"):
        read_ebd(ebd("<EBMStateResponse><EBM><EBMID>M1</EBMID></EBM></EBMStateResponse>"))


def test_a_list_as_real_ones_are_with_codes_of_any_length_and_empty_names() -> None:
    """Of 1930 terminals of a real list 90 have a code of 18 digits; names are blanks, the code of the platform
    stands before the terminal's own, `Params` in each item and once more behind the body (as in the captured
    SrvInfromBeat of Butt_joint_SoftWare_LiShui), coordinates may be 0."""
    items = "".join(
        "<EBRDT><RptTime>2017-05-21 09:23:32</RptTime><RptType>Sync</RptType><RelatedEBRPS>\n"
        f"<EBRID>010232132300000001</EBRID></RelatedEBRPS><EBRID>{'0601321323' + '0' * (n % 4 + 7)}{n}</EBRID>"
        f"<EBRName>\n</EBRName><Longitude>{118.7 if n % 2 else 0}</Longitude><Latitude>33.7</Latitude>"
        "<Params /></EBRDT>"
        for n in range(1930)
    )
    behind = "<Params><RPTStartTime>2017-05-21 09:23:32</RPTStartTime><RptType>\n</RptType></Params>"
    whole = ebd(f"<EBRDTInfo>{items}</EBRDTInfo>").replace(b"</EBD>", f"{behind}</EBD>".encode())
    found = read_ebd(whole).body
    assert isinstance(found, EquipmentList) and len(found.items) == 1930 and found.kind == "DT"
    assert found.items[1].lon == 118.7 and found.items[0].lon is None
    first = found.items[0]
    assert (first.code, first.parent, first.name) == ("060132132300000000", "010232132300000001", "")
    states = "".join(
        f"<EBRDT><EBRID>t{n}</EBRID><StateCode>1</StateCode></EBRDT>" for n in range(1930)
    )
    told = read_ebd(ebd(f"<EBRDTState>{states}<EBRDT/></EBRDTState>")).body
    assert isinstance(told, EquipmentStates) and len(told.items) == 1930
    assert isinstance(read_ebd(ebd("<EBDNotify/>", "EBDNotify")).body, UnknownBody)


DOCTYPE = b'<!DOCTYPE EBD [<!ENTITY a "b">]>'
BAD: dict[str, Callable[[], object]] = {
    "not XML": lambda: read_ebd(b"hello"),
    "nothing": lambda: read_ebd(b""),
    "cut": lambda: read_ebd(HEART[:200]),
    "a document type": lambda: read_ebd(DOCTYPE + HEART.partition(b"\n")[2]),
    "too deep": lambda: read(b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1)),
    "another root": lambda: read_ebd(b"<EBM/>"),
    "no body": lambda: read_ebd(ebd("<EBM/>", "EBDResponse")),
    "no type": lambda: read_ebd(b"<EBD><EBDID>1</EBDID></EBD>"),
    "no id": lambda: read_ebd(b"<EBD><EBDType>EBM</EBDType><EBM/></EBD>"),
    "no message": lambda: read_ebd(ebd("<EBM/>")),
    "an encoding nobody has": lambda: read_ebd(b'<?xml version="1.0" encoding="x-9"?><EBD/>'),
    "signature of another length": lambda: read_signature(SIGNED.replace(b"OwU=", b"")),
    "signature not base64": lambda: read_signature(SIGNED.replace(b"OwU=", b"!!!!")),
    "no signature": lambda: read_signature(b"<Signature/>"),
    "serial no BCD": lambda: block_of(b"\xff" * 74),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_has_a_reason(case: str) -> None:
    with pytest.raises(Wrong) as told:
        BAD[case]()
    assert told.value.reason in REASONS


def tar(*entries: tuple[str, bytes, bytes]) -> bytes:
    """(name, type of the tar format, body)"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, kind, body in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(body), "EBDB_1.xml"
            t.addfile(info, io.BytesIO(body))
    return out.getvalue()


REG = tarfile.REGTYPE
MAIN = ("EBDB_1.xml", REG, b"<EBD/>")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([MAIN, ("../EBDR_1.mp3", REG, b"x")], "odd_entry"),
        ([MAIN, ("EBDR_x/y.mp3", REG, b"x")], "odd_entry"),
        ([MAIN, ("/EBDR_1.mp3", REG, b"x")], "odd_entry"),
        ([MAIN, ("EBDR_1.mp3", tarfile.SYMTYPE, b"")], "odd_entry"),
        ([MAIN, ("EBDR_1.mp3", tarfile.LNKTYPE, b"")], "odd_entry"),
        ([MAIN, ("EBDR_1", tarfile.DIRTYPE, b"")], "odd_entry"),
        ([MAIN, ("EBDR_1", tarfile.FIFOTYPE, b"")], "odd_entry"),
        ([MAIN, ("readme.txt", REG, b"x")], "odd_entry"),
        ([MAIN, *((f"EBDR_{n}", REG, b"x") for n in range(FILES))], "too_much"),
        ([MAIN, MAIN], "bad_tar"),
        ([MAIN, ("EBDB_2.xml", REG, b"x")], "missing"),
        ([("EBDR_1.mp3", REG, b"x")], "missing"),
        ([], "missing"),
    ],
)
def test_a_tar_with_odd_entries_is_refused_whole(
    entries: list[tuple[str, bytes, bytes]], reason: str
) -> None:
    with pytest.raises(Wrong) as told:
        unpack(tar(*entries))
    assert told.value.reason == reason


PACKET = Packet(
    "1", b"<EBD>" + b"x" * 2000 + b"</EBD>", b"<Signature/>", (("EBDR_香屯.mp3", b"\0" * 999),)
)


def test_half_a_tar_is_refused_wherever_it_is_cut_and_the_whole_is_read_as_it_was() -> None:
    raw = pack(PACKET, T)
    assert unpack(raw) == PACKET and pack(PACKET, T) == raw
    for cut in range(0, 6000, 100):
        try:
            found = unpack(raw[:cut])
        except Wrong as e:
            assert e.reason in REASONS
        else:  # it was cut between files: what stands in it is whole
            assert found.main == PACKET.main and found.signature in (b"", PACKET.signature)


def test_one_way_of_saying_it_gzip_is_no_tar() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        t.addfile(tarfile.TarInfo("EBDB_1.xml"), io.BytesIO(b""))
    with pytest.raises(Wrong):
        unpack(out.getvalue())


TEXT = st.text(max_size=40).map(str.strip)
AT = st.integers(0, 4_000_000_000).map(lambda s: s * 1000)


@given(
    st.builds(
        Ebm, st.from_regex(r"\A[0-9]{30}\Z"), st.sampled_from("12345"), TEXT, TEXT, AT, TEXT, TEXT,
        AT, AT, TEXT, TEXT, TEXT, st.lists(st.from_regex(r"\A[0-9]{12}\Z"), max_size=4).map(tuple),
    )
)  # fmt: skip
@examples(100)
def test_any_words_come_back_as_they_were_but_for_what_no_xml_may_hold(message: Ebm) -> None:
    raw = write_ebd(Form(), Ebd("1", CODE23, "", T, message))
    found = read_ebd(raw).body
    assert isinstance(found, Ebm)
    assert found.areas == message.areas and found.sent_at == message.sent_at
    said = [c for c in message.text if c.isprintable()]
    assert [c for c in found.text if c.isprintable()] == said


@given(st.binary(max_size=3000), st.integers(0, 5000))
@examples(200)
def test_no_bytes_are_more_than_a_reason(raw: bytes, at: int) -> None:
    good = pack(PACKET, T)
    for body in (raw, good[:at] + raw[:9] + good[at + 9 :], good[:at] + raw):
        try:
            packet = unpack(body)
            read_signature(packet.signature)
            read_ebd(packet.main)
        except Wrong as e:
            assert e.reason in REASONS


@given(st.binary(max_size=200), st.integers(0, len(HEART)))
@examples(200)
def test_no_xml_is_more_than_a_reason(raw: bytes, at: int) -> None:
    for body in (raw, HEART[:at] + raw + HEART[at:]):
        for reader in (read_ebd, read_signature):
            try:
                reader(body)
            except Wrong as e:
                assert e.reason in REASONS


@given(st.integers(0, 2**32 - 1), st.integers(0, 10**12 - 1), st.binary(min_size=64, max_size=64))
@examples(50)
def test_a_block_is_74_bytes_and_comes_back(time: int, serial: int, rs: bytes) -> None:
    block = Block(time, f"{serial:012d}", rs)
    raw = block_bytes(block)
    assert len(raw) == 74 and block_of(raw) == block


def test_what_is_read_before_anybody_has_proved_to_be_the_platform_is_small() -> None:
    with pytest.raises(Wrong) as e:
        read_signature(b"<Signature>" + b"<a/>" * 5000 + b"</Signature>")
    assert e.value.reason == "too_much"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for n in range(30):
            tar.addfile(tarfile.TarInfo(f"EBDR_{n}" + "x" * 150))
    with pytest.raises(Wrong) as e:
        unpack(out.getvalue())
    assert e.value.reason == "too_much"
