"""What message centres really send, read as far as it can be: lengths that are off, NULs too many and
too few, receipts of every spelling, people's words in every coding."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.message_id import index, named
from dispatch.channels.smpp.pdu import DATA_SM, DELIVER_SM, read
from dispatch.channels.smpp.receipt import receipt
from dispatch.channels.smpp.text import decodings
from dispatch.channels.status_words import CARRIER, SMPP_MESSAGE_STATE, meaning_of
from ingest.decode.phrases import meanings
from tests.support.examples import examples
from tests.support.smpp_pdu import BOOK, deliver, head


def tlv(tag: int, value: bytes, size: int | None = None) -> bytes:
    return struct.pack(">HH", tag, len(value) if size is None else size) + value


# --- PDUs


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("tail", [b"", tlv(0x0427, b"\2") + tlv(0x001E, b"0A1b\0")])
def test_a_length_that_is_a_little_off_loses_nothing(off: int, tail: bytes) -> None:
    words = BOOK.format("0A1b").encode()
    found = receipt(read(deliver(words, tail, length=len(words) + off)))
    assert found is not None
    assert (found.ids[0], found.status) == ("0A1b", "DELIVRD")


@pytest.mark.parametrize("nuls", range(6))
def test_nuls_after_a_text_are_no_part_of_it(nuls: int) -> None:
    pdu = read(deliver("水涨".encode("utf-16-be"), b"\0" * nuls, coding=8))
    assert not pdu.fault
    assert decodings(pdu.text, pdu.data_coding)[0] == "水涨"


@pytest.mark.parametrize(
    "tail",
    [
        tlv(0x001E, b"6a11c07a\0") + tlv(0x0427, b"\5"),
        tlv(0x001E, b"6a11c07a") + tlv(0x0427, b"\5"),
        tlv(0x001E, b"6a11c07a\0", 8) + tlv(0x0427, b"\5"),
        tlv(0x001E, b"6a11c07a", 9) + tlv(0x0427, b"\5"),
        tlv(0x001E, b"6a11c07a", 7) + tlv(0x0427, b"\5"),
        tlv(0x0427, b"\5", 4) + tlv(0x001E, b"6a11c07a\0"),
        tlv(0x0427, b"\5", 0) + tlv(0x001E, b"6a11c07a\0"),
        tlv(0x0427, b"\0\0\0\5") + tlv(0x001E, b"6a11c07a\0"),
        tlv(0x1401, b"vendor") + tlv(0x0427, b"5") + tlv(0x001E, b"6a11c07a\0"),
        tlv(0x0424, b"id:6a11c07a stat:UNDELIV"),
        tlv(0x0424, b"id:6a11c07a stat:UNDELIV", 99),
        tlv(0x0424, b"id:6a11c07a stat:UNDELIV", 3),
        tlv(0x0424, b"id:6a11c07a stat:UNDELIV\0"),
        tlv(0x0424, "id:6a11c07a stat:UNDELIV".encode("utf-16-be")),
    ],
)
@pytest.mark.parametrize("command", [DELIVER_SM, DATA_SM])
def test_a_receipt_by_its_tlvs_alone_whatever_their_lengths(tail: bytes, command: int) -> None:
    data = head(DATA_SM, b"\0\1\1" + b"8619900000004\0" + b"\1\1" + b"1069\0\0\0\0" + tail)
    found = receipt(read(deliver(b"", tail) if command == DELIVER_SM else data))
    assert found == (("6a11c07a",), "UNDELIV", "")


@pytest.mark.parametrize(
    ("body", "ident"),
    [
        (b"6a11c07a\0", "6a11c07a"),
        (b"6a11c07a", "6a11c07a"),
        (b"6a11c07a\0\0", "6a11c07a"),
        (b"6a11c07a" + tlv(0x0428, b"P"), "6a11c07a"),
        (b"6a11c07a\0" + tlv(0x0428, b"P"), "6a11c07a"),
        (b"", ""),
        (b"\0", ""),
    ],
)
def test_the_id_of_a_response_with_or_without_its_nul(body: bytes, ident: str) -> None:
    assert read(head(0x80000004, body)).message_id == ident


def test_a_text_may_come_as_payload_and_behind_a_header() -> None:
    words = BOOK.format("77").encode()
    assert read(deliver(b"", tlv(0x0424, words))).text == words
    long = read(deliver(bytes([5, 0, 3, 7, 2, 1]) + "水涨".encode("utf-16-be"), esm=0x40, coding=8))
    assert (long.source, decodings(long.text, 8)) == ("8619900000004", ["水涨"])


def test_a_pdu_that_is_cut_off_has_a_fault_and_is_nobodys_word() -> None:
    whole = deliver("水涨".encode("utf-16-be"), coding=8)
    for size in range(16, len(whole) - 4):
        pdu = read(struct.pack(">L", size) + whole[4:size])
        assert pdu.sequence == 7
        assert pdu.fault, size
        assert receipt(pdu) is None


def test_what_can_be_read_of_a_torn_receipt_counts() -> None:
    found = receipt(read(head(DELIVER_SM, b"\0\1\1861990000 " + BOOK.format("77").encode())))
    assert found is not None
    assert (found.ids, found.status) == (("77",), "DELIVRD")


@examples(400)
@given(
    st.sampled_from([DELIVER_SM, DATA_SM, 0x80000004, 0x80000103, 0x21, 0x80000000]),
    st.binary(max_size=300),
    st.integers(0, 60),
)
def test_any_octets_are_read(command: int, octets: bytes, skip: int) -> None:
    whole = deliver(octets)
    for body in (octets, whole[16:], whole[16 + skip :]):
        pdu = read(head(command, body))
        assert pdu.command == command
        receipt(pdu)
        assert decodings(pdu.text, pdu.data_coding)


# --- receipts


@pytest.mark.parametrize("esm", [0x00, 0x04, 0x20, 0x24, 0x44, 0x03])
def test_a_receipt_is_known_by_its_form(esm: int) -> None:
    found = receipt(read(deliver(BOOK.format("77").encode(), esm=esm & ~0x40)))
    assert found is not None
    assert (found.ids, found.status, found.detail) == (("77",), "DELIVRD", "err 000")


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        BOOK.upper().replace("ID:{}", "ID:{}"),
        BOOK.title().replace("Id:{}", "Id:{}"),
        BOOK.replace(":", ": "),
        BOOK.replace(":", " : "),
        BOOK.replace(" ", ","),
        BOOK.replace(" sub", ", sub").replace(" stat", ";stat"),
        "stat:DELIVRD err:000 id:{}",
        "id:{}\r\nstat:DELIVRD\r\n",
        'id:"{}" stat:"DELIVRD"',
        "text:【延庆防汛】id:9 stat:REJECTD id:{} stat:DELIVRD",
        "id:{} status:DELIVRD error:000",
        "message_id:{} state:DELIVRD.",
        "Msg Id: {}|Stat: DELIVRD|Err: 0",
        "id={}&stat=DELIVRD",
        '{"id": "{}", "sub": "001", "stat": "DELIVRD"}',
        "<r><id>{}</id><stat>DELIVRD</stat></r>",
    ],
)
@pytest.mark.parametrize(
    ("charset", "coding"),
    [
        ("ascii", 0),
        ("ascii", 8),
        ("ascii", 15),
        ("utf-16-be", 8),
        ("utf-16-be", 0),
        ("utf-16-le", 8),
    ],
)
def test_keys_blanks_commas_and_codings(text: str, charset: str, coding: int) -> None:
    if "延庆" in text and charset == "ascii":
        charset = "gb18030"
    words = text.replace("{}", "0a1b").encode(charset)
    found = receipt(read(deliver(words, coding=coding)))
    assert found is not None
    if not text.startswith("text:"):
        assert (found.ids, found.status.upper()) == (("0a1b",), "DELIVRD")


def test_a_field_may_be_empty_and_takes_nothing_of_the_next() -> None:
    found = [
        receipt(read(deliver(text.encode())))
        for text in ("id:77 stat: err:000 text:", "id: sub:001 stat:DELIVRD", "id:7 dlvrd: stat:x")
    ]
    assert [(f.ids, f.status) for f in found if f] == [
        (("77",), "no status"),
        ((), "DELIVRD"),
        (("7",), "x"),
    ]


def test_a_receipt_may_have_the_colons_of_another_keyboard() -> None:
    found = receipt(read(deliver("id：77，stat：DELIVRD".encode("utf-16-be"), coding=8)))
    assert found is not None
    assert (found.ids, found.status) == (("77",), "DELIVRD")


def test_what_a_receipt_quotes_says_nothing() -> None:
    quoted = BOOK.format("77") + "stat:REJECTD id:9 水涨"
    found = receipt(read(deliver(quoted.encode("utf-16-be"), coding=8)))
    assert found is not None
    assert (found.ids, found.status) == (("77",), "DELIVRD")


def test_the_tlv_says_it_better_than_the_text() -> None:
    words = BOOK.format("77").encode()
    found = receipt(read(deliver(words, tlv(0x0427, b"\5") + tlv(0x001E, b"4d\0"))))
    assert found is not None
    assert (found.ids, found.status) == (("4d", "77"), "UNDELIV")
    vague = receipt(read(deliver(words, tlv(0x0427, b"\7"))))
    assert vague is not None
    assert vague.status == "DELIVRD"


@pytest.mark.parametrize("text", ["水涨", "id: 3 号院被困", "stat", "id 5, help", "收到"])
def test_what_a_person_writes_is_no_receipt(text: str) -> None:
    assert receipt(read(deliver(text.encode("utf-16-be"), coding=8))) is None


@pytest.mark.parametrize(
    ("words", "state", "permanent"),
    [
        (
            "DELIVRD delivrd Delivered DELIVERED DELIVERD delivery_success DeliveredToTerminal",
            "delivered",
            False,
        ),
        ("ACCEPTD accepted ENROUTE PENDING buffered DeliveredToNetwork", "accepted", False),
        (
            """UNDELIV UNDELIVERED undeliverable FAILED Fail DELIVERY_FAILED NOT_DELIVERED REJECTD
            REJECTED DeliveryImpossible Blocked EXPIRED Timeout DELETED CANCELLED UNKNOWN MK:0012 db:0141""",
            "failed",
            True,
        ),
    ],
)
def test_words_by_their_synonyms(words: str, state: str, permanent: bool) -> None:
    for word in words.split():
        found = meaning_of("sms", word)
        assert found is not None, word
        assert (found.state, found.permanent) == (state, permanent), word


def test_a_word_that_nobody_knows_is_not_guessed() -> None:
    for word in ("", "no status", "DELIVERED?NO", "UNDELIVRED_BUT_WHO_KNOWS", "0", "好"):
        assert meaning_of("sms", word) is None, word
    # of a call a machine may have "answered" or "delivered" it
    assert meaning_of("voice", "DELIVERED") is None
    assert {meaning_of("sms", w) for w in SMPP_MESSAGE_STATE.values()} <= set(CARRIER.values())


# --- ids


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("39F99DD5", "39f99dd5"),
        ("00B8BE19", "B8BE19"),
        ("b8be19", "000000B8BE19"),
        ("0e999f21-7c11-4c0e-9d4e-2f0a64ddc1b7", "0E999F21-7C11-4C0E-9D4E-2F0A64DDC1B7"),
        ("277088512", "10840900"),
        ("10840900", "277088512"),
        ("0000029095", "29095"),
        ("0x7A41C0D9", "7A41C0D9"),
        ("7a41c0d9", "0X7A41C0D9"),
        ("22e8afd8", "0585674712"),
        ("0585674712", "22E8AFD8"),
        ("0x22e8afd8", "585674712"),
    ],
)
def test_one_number_in_every_spelling(response: str, said: str) -> None:
    known = {f"one|{response}": 1, "one|5f878c79": 2}
    assert named([f"one|{said}"], known, index(known)) == [f"one|{response}"]
    assert named([f"two|{said}"], known, index(known)) == []


def test_the_spelling_of_the_response_comes_first_and_others_are_all_told() -> None:
    known = dict.fromkeys(["one|aB3", "one|Ab3", "one|16", "one|10"])
    assert named(["one|Ab3"], known, index(known))[0] == "one|Ab3"
    assert len(named(["one|AB3"], known, index(known))) == 2  # which of them: not by this alone
    assert named(["one|16"], known, index(known)) == ["one|16", "one|10"]


# --- people's words


@pytest.mark.parametrize(
    "text", ["水涨", "收到", "已转移12人", "求助！村东有人被困", "help", "SOS", "1"]
)
@pytest.mark.parametrize(
    ("charset", "coding"),
    [
        ("utf-16-be", 8), ("utf-16-be", 0x18), ("utf-16-le", 8), ("utf-16", 8), ("utf-8", 0),
        ("utf-8", 8), ("utf-8", 4), ("gb18030", 15), ("gb18030", 0), ("gb18030", 8), ("gb18030", 3),
        ("utf-16-be", 0), ("utf-16-be", 0xF5),
    ],
)  # fmt: skip
def test_what_people_write_in_any_coding(text: str, charset: str, coding: int) -> None:
    found = decodings(text.encode(charset), coding)
    understood = next((t for t in found if meanings(t)), "")
    assert meanings(understood) == meanings(text), found


def test_a_text_that_nobody_can_read_is_a_text() -> None:
    assert decodings(b"", 8) == [""]
    assert decodings(b"\xff\xfe\xfd", 8)
