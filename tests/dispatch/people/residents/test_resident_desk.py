"""A number is proved before it counts; nobody's phone is rung by others; what was chosen is kept."""

from pathlib import Path

import msgspec
import pytest

from config.records.district import District
from dispatch.channels.addresses import address, with_code
from dispatch.people.contact_store import ASKED, ContactStore
from dispatch.people.erase import erase
from dispatch.people.residents.allowance import (
    CODE_MS,
    CODES_DAY,
    HOST_DAY,
    NUMBER_DAY,
    TRIES,
    Allowance,
)
from dispatch.people.residents.desk import Often, ResidentDesk, Wish
from tests.support.choices import resident
from tests.support.decide_district import T0
from tests.support.residents import (
    NUMBER,
    OTHER,
    Clock,
    choices,
    code_of,
    desk,
    sent,
    with_store,
    words,
)

WISH = Wish(("A01",), "zh", "22:00-07:00")


@pytest.fixture
def wall() -> Clock:
    return Clock()


@pytest.fixture
def district(tmp_path: Path) -> District:
    return with_store(tmp_path / "run")


@pytest.fixture
def counter(district: District, wall: Clock) -> ResidentDesk:
    return desk(district, wall)


def people(d: District) -> dict[str, tuple[str, ...]]:
    assert d.vault is not None
    with ContactStore(d.vault) as store:
        return {i: c.areas for i, c in store.load().items()}


def subscribed(
    counter: ResidentDesk, d: District, number: str = NUMBER, text: str = "订阅 香屯村"
) -> str:
    asked = counter.hear(number, text, "")
    assert asked is not None
    outs = counter.hear(number, code_of(d, asked), "")
    assert outs is not None
    (one,) = choices(outs)
    return one.id


def test_a_number_counts_once_its_code_came_back(counter: ResidentDesk, district: District) -> None:
    ident, outs = counter.ask(NUMBER, WISH, "10.0.0.1")
    assert people(district) == {}
    (d,) = sent(outs)
    code = code_of(district, outs)
    # the log has no code and no number; the carrier gets both
    assert code not in str(d)
    assert NUMBER not in str(d)
    assert address(district, d.recipient, "sms") == NUMBER
    assert code in with_code(district, d.recipient, str(d.routes[0].text))
    assert (
        counter.confirm(ident, "000000" if code != "000000" else "1", "10.0.0.1").state == "wrong"
    )
    done = counter.confirm(ident, code, "10.0.0.1")
    assert done.state == "subscribed"
    (one,) = choices([*done.outs])
    assert (one.areas, one.quiet, one.way) == (("A01",), "22:00-07:00", "page")
    counter.finish(ident, done)
    assert people(district) == {one.id: ("A01",)}
    assert counter.confirm(ident, code, "10.0.0.1").state == "wrong"  # a code counts once


def test_a_code_ends_by_time_and_by_tries(
    counter: ResidentDesk, district: District, wall: Clock
) -> None:
    ident, outs = counter.ask(NUMBER, WISH, "h")
    code = code_of(district, outs)
    wrong = "1" * 6 if code != "1" * 6 else "2" * 6
    for _ in range(TRIES):
        assert counter.confirm(ident, wrong, "h").state == "wrong"
    assert counter.confirm(ident, code, "h").state == "wrong"
    ident, outs = counter.ask(NUMBER, WISH, "h")
    code = code_of(district, outs)
    wall.at += CODE_MS + 1
    assert counter.confirm(ident, code, "h").state == "wrong"
    counter.ask(OTHER, WISH, "h")  # and whoever did not answer is forgotten
    assert district.vault is not None
    with ContactStore(district.vault) as store:
        assert store.with_number(NUMBER) == []


def test_nobody_is_rung_by_others(counter: ResidentDesk, district: District, wall: Clock) -> None:
    rung = [bool(counter.ask(NUMBER, WISH, f"10.0.0.{n}")[1]) for n in range(10)]
    assert sum(rung) == CODES_DAY
    # the answer looks the same: whoever asks learns nothing
    assert len(counter.ask(NUMBER, WISH, "10.0.1.1")[0]) == len(
        counter.ask(OTHER, WISH, "10.0.1.2")[0]
    )
    wall.at += 86_400_000
    assert counter.ask(NUMBER, WISH, "10.0.0.1")[1]


def test_one_address_cannot_ask_for_everybody(counter: ResidentDesk, district: District) -> None:
    for n in range(HOST_DAY):
        counter.ask(f"138{n:08}", WISH, "10.0.0.1")
    with pytest.raises(Often):
        counter.ask(OTHER, WISH, "10.0.0.1")
    assert counter.ask(OTHER, WISH, "10.0.0.2")[1]
    assert district.vault is not None
    share = Allowance(district.vault)
    kinds = {t.kind: t for t in share.tallies()}
    share.close()
    assert (kinds["host"].let, kinds["host"].refused) == (HOST_DAY + 1, 1)
    body = (district.vault / "residents.db").read_bytes()
    assert b"10.0.0.1" not in body
    assert b"138000" not in body


def test_the_day_of_all_is_bounded(tmp_path: Path, wall: Clock) -> None:
    d = with_store(tmp_path / "run", residents_sms_day=3)
    counter = desk(d, wall)
    assert [bool(counter.ask(f"138{n:08}", WISH, f"h{n}")[1]) for n in range(5)] == [True] * 3 + [
        False
    ] * 2


def test_to_leave_rings_nobody_who_is_not_there(counter: ResidentDesk, district: District) -> None:
    gone = Wish((), "zh", leave=True)
    assert counter.ask(OTHER, gone, "h")[1] == []
    name = subscribed(counter, district)
    ident, outs = counter.ask(NUMBER, gone, "h")
    done = counter.confirm(ident, code_of(district, outs), "h")
    assert done.gone == (name,)
    assert [(s.id, s.areas) for s in choices([*done.outs])] == [(name, ())]
    assert people(district) == {name: ("A01",)}  # until the log has it
    counter.finish(ident, done)
    assert people(district) == {}


def test_by_short_message(counter: ResidentDesk, district: District) -> None:
    name = subscribed(counter, district)
    assert people(district) == {name: ("A01",)}
    assert subscribed(counter, district, text="订阅 沙门") == name
    assert people(district) == {name: ("A02", "A01")}
    outs = counter.hear(NUMBER, "语言 英语", "")
    assert outs is not None
    assert [s.lang for s in choices(outs)] == ["en"]
    assert words(outs).startswith("【")
    assert "Changed" in words(outs)
    outs = counter.hear(NUMBER, "时段 7-22", "")
    assert outs is not None
    assert [s.quiet for s in choices(outs)] == ["22:00-07:00"]
    assert "07:00-22:00" in words(outs)
    asked = counter.hear(NUMBER, "退订 沙门", "")
    assert asked is not None
    counter.hear(NUMBER, code_of(district, asked), "")
    assert people(district) == {name: ("A01",)}
    asked = counter.hear(NUMBER, "退订", "")
    assert asked is not None
    outs = counter.hear(NUMBER, code_of(district, asked), "")
    assert outs is not None
    assert [s.areas for s in choices(outs)] == [()]
    assert people(district) == {}


def test_helpful_answers(counter: ResidentDesk, district: District) -> None:
    for text, part in (
        ("订阅 香顿村", "香屯村"),
        ("订阅", "请写明村名"),
        ("退订", "没有订阅"),
        ("时段 7-22", "没有订阅"),
        ("怎么订阅", "订阅 村名"),
    ):
        outs = counter.hear(OTHER, text, "")
        assert outs is not None
        assert part in words(outs)
    assert counter.hear(OTHER, "水涨了", "") is None
    assert (
        counter.hear(OTHER, "482913", "") is None
    )  # nothing waits for a code: it is somebody's own word
    assert people(district) == {}


def test_who_is_on_a_list_does_not_leave_by_themselves(tmp_path: Path, wall: Clock) -> None:
    head = resident("C-1", role="responsible", phone=NUMBER)
    school = resident("C-2", category="school", phone=OTHER)
    d = with_store(tmp_path / "run", head, school)
    counter = desk(d, wall)
    for number in (NUMBER, OTHER):
        outs = counter.hear(number, "退订", "")
        assert outs is not None
        assert "责任名单" in words(outs)
    assert set(people(d)) == {"C-1", "C-2"}


def test_a_machine_that_answers_our_answers_is_left_alone(counter: ResidentDesk) -> None:
    said = [counter.hear(OTHER, f"退订 {n}", str(n)) for n in range(30)]
    assert sum(bool(s) for s in said) == NUMBER_DAY
    assert said[-1] == []
    assert counter.hear("10086", "退订", "") is None
    assert counter.hear("106901234567", "退订", "") is None


def test_the_same_message_again_is_answered_once(counter: ResidentDesk, district: District) -> None:
    one, again = (
        counter.hear(NUMBER, "订阅 香屯村", "m1"),
        counter.hear(NUMBER, "订阅 香屯村", "m1"),
    )
    assert one is not None
    assert again is not None
    assert sent(one)[0].id == sent(again)[0].id
    outs = counter.hear(NUMBER, code_of(district, one), "m2")
    assert outs is not None
    assert choices(outs)


def test_a_wrong_code_by_message(counter: ResidentDesk, district: District) -> None:
    asked = counter.hear(NUMBER, "订阅 香屯村", "")
    assert asked is not None
    code = code_of(district, asked)
    outs = counter.hear(NUMBER, "111111" if code != "111111" else "222222", "")
    assert outs is not None
    assert "不对" in words(outs)
    assert counter.hear(OTHER, code, "") is None  # of another number it says nothing
    assert people(district) == {}


def test_a_visitor_is_off_the_list_after_the_last_day(
    counter: ResidentDesk, district: District
) -> None:
    ident, outs = counter.ask(NUMBER, Wish(("A03",), "zh", until="2025-07-25"), "h")
    done = counter.confirm(ident, code_of(district, outs), "h")
    counter.finish(ident, done)
    (name,) = people(district)
    assert [(s.id, s.areas, s.way) for s in choices(counter.ended())] == [(name, (), "time")]
    assert people(district) == {}


def test_whoever_is_erased_is_erased_whole(counter: ResidentDesk, district: District) -> None:
    name = subscribed(counter, district)
    counter.hear(NUMBER, "订阅 沙门", "")  # a code under way
    folder = district.vault
    assert folder is not None
    assert erase(folder, [name], T0) == [name]
    with ContactStore(folder) as store:
        assert store.with_number(NUMBER) == []
    assert subscribed(counter, district) != name  # and may come back, as somebody else


def test_nothing_lies_in_plain(counter: ResidentDesk, district: District) -> None:
    subscribed(counter, district)
    ident, _ = counter.ask(OTHER, WISH, "10.9.8.7")
    folder = district.vault
    assert folder is not None
    for file in folder.rglob("*"):
        if file.is_file():
            body = file.read_bytes()
            assert NUMBER.encode() not in body
            assert OTHER.encode() not in body
            assert b"10.9.8.7" not in body
    with ContactStore(folder) as store:  # whoever is only asked is on no list
        assert ASKED + ident not in store.load()
        assert ASKED + ident not in store.ids()


def test_a_store_of_before_is_looked_through_once(tmp_path: Path) -> None:
    with ContactStore(tmp_path) as store:
        store.put([resident("R-1", phone="+86 138-0013-8000"), resident("R-2", phone="")])
        with store.change():
            store._db.execute("DELETE FROM number")
        assert store.with_number(NUMBER) == ["R-1"]
        assert store.with_number("") == []


def test_a_number_is_kept_as_figures_alone(counter: ResidentDesk, district: District) -> None:
    _, outs = counter.ask("((+86" + "-" * 900 + " 138 0013 8000", WISH, "10.0.0.1")
    (d,) = sent(outs)
    assert address(district, d.recipient, "sms") == NUMBER


def test_what_a_crash_or_an_old_copy_left_is_forgotten(
    counter: ResidentDesk, district: District, wall: Clock
) -> None:
    """Within the hour, and though nobody asks any more."""
    counter.ask(NUMBER, WISH, "10.0.0.1")
    assert district.vault is not None
    with ContactStore(district.vault) as store:
        (row,) = store.asked()
        whole = store.whole(row)
        assert whole is not None
        store.put([msgspec.structs.replace(whole, id=f"{ASKED}of-an-old-copy")])
        counter.ended()
        assert store.asked() == [row], "what waits is kept"
        wall.at += CODE_MS
        counter.ended()
        assert store.asked() == []


def test_the_page_leaves_a_share_of_the_day_to_who_writes(tmp_path: Path, wall: Clock) -> None:
    """Whoever asks for codes to invented numbers shuts nobody out who has a telephone."""
    d = with_store(tmp_path / "run", residents_sms_day=8)
    counter = desk(d, wall)
    asked = [bool(counter.ask(f"138{n:08}", WISH, f"h{n}")[1]) for n in range(12)]
    assert asked.count(True) == 6
    assert sent(counter.hear(OTHER, "订阅 香屯村", "") or [])


def test_a_code_counts_again_until_the_log_has_what_came_of_it(
    counter: ResidentDesk, district: District
) -> None:
    """A crash between the store and the log: the carrier says the message again."""
    code = code_of(district, counter.hear(NUMBER, "订阅 香屯村", "1") or [])
    first = counter.hear(NUMBER, code, "2", later=True) or []
    after = desk(district, Clock())  # what was to be settled is forgotten
    again = after.hear(NUMBER, code, "2", later=True) or []
    (one,), (two,) = choices(first), choices(again)
    assert one.id == two.id
    assert [d.id for d in sent(first)] == [d.id for d in sent(again)], "one message"
    after.settle()
    assert after.hear(NUMBER, code, "3") is None
    code = code_of(district, after.hear(NUMBER, "退订", "4") or [])
    outs = after.hear(NUMBER, code, "5", later=True) or []
    assert people(district) == {one.id: ("A01",)}, "until the log has it"
    after.settle()
    assert people(district) == {}
    (gone,) = sent(outs)
    assert address(district, gone.recipient, "sms") == NUMBER, "the last answer still goes"
