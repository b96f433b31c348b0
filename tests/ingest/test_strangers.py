"""A short message from a number that nobody on the list has: to the duty room at once, kept apart and
encrypted, bounded, and evidence of nothing."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.records.district import District
from detectors.detection import Detection
from dispatch.channels import CarrierWord
from dispatch.people.evacuation_roll import Roll
from dispatch.records import Alert, Delivery
from dispatch.send.inbound_sms import Inbound
from ingest.observation import PersonSays
from ingest.people.kept_words import KEPT_MS, STRANGER, Keeper, Words
from ingest.people.strangers import ALL, ONE, Strangers
from stream.log.port import Out
from stream.records import DeadLetter, Rejected
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, unproved, yanqing
from tests.support.people import Watch, sent

NUMBER = "+86 13900001234"
TEXT = "香屯村村里进水了，快来人"


@pytest.fixture
def district(tmp_path: Path) -> District:
    """With a place of its own, and nobody in its store."""
    return msgspec.structs.replace(yanqing(), vault=tmp_path, contacts={})


def heard(text: str = TEXT, sender: str = NUMBER, ref: str = "") -> CarrierWord:
    return CarrierWord(
        "sms", "one", "", (f"sms|{ref}",) if ref else (), "", sender=sender, text=text
    )


def said(outs: list[Out]) -> list[PersonSays]:
    return [
        msgspec.json.decode(o.value, type=PersonSays) for o in outs if o.topic == "observations"
    ]


def reasons(outs: list[Out]) -> list[str]:
    letters = [o for o in outs if o.topic == "dead-letters"]
    return [msgspec.json.decode(o.value, type=DeadLetter).reason for o in letters]


@pytest.mark.parametrize(
    ("text", "area"),
    [
        (TEXT, "A01"),
        ("村里进水了", ""),
        ("救命", ""),
        ("香屯村和沙门村都进水了", ""),
        ("天气真好", ""),
    ],
)
def test_it_is_kept_apart_and_told_by_an_id(district: District, text: str, area: str) -> None:
    outs = Inbound(district).outs(heard(text), T0)
    (one,) = said(outs)
    assert (one.what, one.role, one.area, one.way) == ("words", "stranger", area, "sms")
    assert one.person.startswith(STRANGER)
    assert reasons(outs) == ["unknown_person"], "and it is counted as before"
    whole = b"".join(o.value + o.key.encode() for o in outs)
    for secret in ("13900001234", text):
        assert secret.encode() not in whole
    assert district.vault is not None
    stored = (district.vault / "people-words.db").read_bytes()
    assert b"13900001234" not in stored
    assert text.encode() not in stored
    store = Words(district.vault)
    (kept,) = store.read(T0)
    assert (kept.id, kept.person, kept.area) == (one.id, one.person, area)
    assert kept.text == f"{NUMBER}: {text}", "with the number, so that somebody can call back"
    assert store.read(T0 + KEPT_MS) == [], "and after three days it is gone"
    store.close()


def test_one_number_has_one_name_and_another_store_another(
    district: District, tmp_path: Path
) -> None:
    inbound = Inbound(district)
    (one,), (two,), (other,) = (
        said(inbound.outs(heard(text, number), T0 + n))
        for n, (text, number) in enumerate(
            ((TEXT, NUMBER), ("水又涨了", "13900001234"), (TEXT, "13900009999"))
        )
    )
    assert one.person == two.person != other.person
    (again,) = said(Inbound(district).outs(heard("第三次"), T0 + 10))
    assert again.person == one.person, "after a restart too"
    assert Keeper(tmp_path / "elsewhere").alias("13900001234") != one.person
    assert Keeper(None).alias("1") != Keeper(None).alias("1")


def test_without_a_place_for_the_words_the_duty_room_is_told_all_the_same(
    district: District, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("no folder")
    inbound = Inbound(msgspec.structs.replace(district, vault=None))
    assert [s.role for s in said(inbound.outs(heard(), T0))] == ["stranger"]
    assert Keeper(tmp_path).alias("1").startswith(STRANGER)
    Keeper(tmp_path).put("w", "X-1", "", "words", T0)


def test_a_carriers_services_are_no_persons(district: District) -> None:
    for sender in ("10086", "CMCC", "", "  "):
        outs = Inbound(district).outs(heard("您的话费余额", sender), T0)
        assert (said(outs), reasons(outs)) == ([], ["unknown_person"])


def tell(strangers: Strangers, n: int, alias: str, at: int = T0) -> list[PersonSays | Rejected]:
    return strangers.text(alias, "1", f"第{n}条", "", at)


def test_one_number_and_all_of_them_are_bounded_by_the_hour() -> None:
    kept: list[Any] = []
    strangers = Strangers(yanqing(), lambda *x: kept.append(x))
    for n in range(ONE):
        assert isinstance(tell(strangers, n, "X-1")[1], PersonSays)
    refused = tell(strangers, ONE, "X-1")[1]
    assert isinstance(refused, Rejected)
    assert refused.reason == "too_many"
    assert isinstance(tell(strangers, 0, "X-2")[1], PersonSays), "another is heard"
    for n in range(2 * ALL):
        tell(strangers, n, f"X-{n + 3}")
    assert len(kept) == ALL
    assert isinstance(tell(strangers, 9, "X-1", T0 + 60 * MIN)[1], PersonSays), "an hour later"


def test_what_the_carrier_says_again_is_one_message() -> None:
    kept: list[Any] = []
    strangers = Strangers(yanqing(), lambda *x: kept.append(x))
    one, two = (strangers.text("X-1", "1", TEXT, "m1", T0 + n)[1] for n in range(2))
    assert one == two
    assert len(kept) == 1
    assert strangers.text("X-1", "1", TEXT, "m2", T0)[1] != one


@pytest.mark.parametrize("text", [TEXT, "村里进水了"])
def test_it_reaches_the_duty_room_through_the_line_and_moves_nothing(
    district: District, text: str
) -> None:
    (one,) = said(Inbound(district).outs(heard(text), T0))
    watch = Watch()
    found = watch.feed(one, one)
    assert found == [one], "once, and no detection with it"
    for n in range(4):  # a whole village that writes is still no evidence
        other = msgspec.structs.replace(one, id=f"s{n}", person=f"X-{n}", what="report_flood")
        assert not [r for r in watch.feed(other) if isinstance(r, Detection)]
    decide = unproved(yanqing())
    _, writes = decide.step(decide.new(0), [Item(0, 0, "", run("live")), Item(0, 1, "", one)])
    assert one in [w.record for w in writes]
    assert not [w for w in writes if isinstance(w.record, Alert)]
    (notice,) = [r for r in sent(one) if isinstance(r, Delivery)]
    route = notice.routes[0]
    assert route.channel == "console"
    assert "未核实" in route.text
    assert one.id in route.text
    assert ("香屯村" in route.text) == (one.area == "A01")
    assert ("没写明地点" in route.text) == (one.area == "")
    roll = Roll()
    roll.take(one)
    assert roll.rows(yanqing(), T0) == []
