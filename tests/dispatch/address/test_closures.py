"""While a gully is closed the warnings of its place say so, and those who subscribed there hear once that it is
closed and once that it is over."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from config.load import load
from config.records.district import District
from config.records.level import HAZARD_ZH, Action, Level
from detectors.detection import Mark
from dispatch.grade import Grade
from dispatch.records import Delivery
from dispatch.words.closed_place import closed_words
from dispatch.words.compose import SMS_SEGMENTS, SPOKEN_S, Message, instruction, write
from dispatch.words.sample import sample
from dispatch.words.sms_length import segments
from dispatch.words.spoken import seconds
from ingest.observation import PersonSays
from tests.support.choices import resident
from tests.support.decide_district import MIN, T0
from tests.support.joining import HOUR, Room, alert, joins

GRADES = [Grade(lv, a) for lv in Level for a in Action if lv or a]
Lang = Literal["zh", "en"]


@cache
def yanqing() -> District:
    return load(Path(__file__).parents[3] / "config" / "yanqing")


def says(what: Any, at: int = T0, **more: Any) -> PersonSays:
    return PersonSays(
        id=f"W-{what}-{at}", person="C-9", role="responsible", area="A01", what=what,
        said_at=at, received_at=at, way="sms",
        **{"until_at": at + 24 * HOUR if what == "closed" else 0, **more},
    )  # fmt: skip


def words(found: list[Delivery]) -> list[str]:
    return [str(d.routes[0].text) for d in found]


@pytest.mark.parametrize("hazard", HAZARD_ZH)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_text_of_a_closed_place_says_so_and_fits(hazard: str, lang: Lang) -> None:
    d = yanqing()
    by = sorted(d.areas.values(), key=lambda a: len(a.name_en))
    for area in (by[0], by[-1]):
        for grade in (*GRADES, Grade()):
            for category in ("resident", "tourist", "school"):
                m = Message(sample(area.id, hazard, grade), "public", lang, category=category,
                            moved=True, closed=True)  # type: ignore[arg-type]  # fmt: skip
                said = closed_words(area, lang, over=not grade)
                sms, app = write(d, m, "sms").text, write(d, m, "app").text
                assert str(sms).count(said) == str(app).count(said) == 1, sms
                assert segments(str(sms)) <= SMS_SEGMENTS[lang], sms
                assert closed_words(area, lang) not in str(write(d, m._replace(closed=False), "sms").text)
                loud = str(write(d, m._replace(lang="zh"), "broadcast").text)
                assert seconds(loud) <= SPOKEN_S, loud
                assert "演练" in sms if lang == "zh" else "EXERCISE" in str(sms)
            told = instruction(d, hazard, grade, area, lang, closed=True)
            assert closed_words(area, lang, over=not grade) in told


def test_a_loudspeaker_says_it_too() -> None:
    d, found = yanqing(), []
    for grade in GRADES:
        m = Message(sample("A01", "flash_flood", grade), "public", "zh", closed=True)
        found.append(closed_words(d.areas["A01"], "zh") in str(write(d, m, "broadcast").text))
    assert all(found), found


def test_warnings_say_it_while_it_lasts() -> None:
    room = Room(resident("S-1"))
    room.feed(says("closed"))
    (d,) = room.feed(alert())
    assert d.closed and "已封沟，不要进沟" in words([d])[0] and "演练" in words([d])[0]
    room.feed(says("opened", T0 + MIN))
    later = msgspec.structs.replace(
        alert(Level.RED), version=2, msg_type="update", sent_at=T0 + 2 * MIN
    )
    (d,) = room.feed(later)
    assert not d.closed and "封沟" not in words([d])[0]


def test_it_is_told_once_and_so_is_its_end() -> None:
    room = Room(resident("S-1"), resident("S-2", areas=("A02",)), resident("S-3", lang="en"))
    found = room.feed(says("closed"), says("closed"), says("closed", T0 + HOUR))
    assert [(d.recipient, d.version) for d in found] == [("S-1", 1), ("S-3", 1)]
    assert "已封沟" in words(found)[0] and "Gully closed" in words(found)[1]
    assert words(found)[1].isascii() or "【" in words(found)[1]
    room.restart(*room.district.contacts.values())
    assert room.feed(says("closed", T0 + 2 * HOUR)) == []
    found = room.feed(says("opened", T0 + 3 * HOUR), says("opened", T0 + 4 * HOUR))
    assert [(d.recipient, d.version) for d in found] == [("S-1", 2), ("S-3", 2)]
    assert found[0].alert.startswith("resident:")  # nobody to call by hand


def test_it_ends_by_itself_and_does_not_say_that_it_is_safe() -> None:
    room = Room(resident("S-1"))
    room.feed(says("closed", until_at=T0 + HOUR))
    group = next(g for g, areas in room.district.groups.items() if "A01" in areas)

    def tick(at: int) -> Mark:
        return Mark(group=group, clock_at=at, complete_at=at)

    assert room.feed(tick(T0 + 59 * MIN)) == []
    (d,) = room.feed(tick(T0 + HOUR))
    assert "先打电话问" in words([d])[0]
    assert room.feed(tick(T0 + 2 * HOUR), says("opened", T0 + 2 * HOUR)) == []


def test_the_end_during_a_warning_does_not_invite_anybody_in() -> None:
    room = Room(resident("S-1"))
    room.feed(says("closed"), alert())
    (d,) = room.feed(says("opened", T0 + HOUR))
    assert "预警仍然有效" in words([d])[0]


def test_to_and_fro_is_bounded_and_every_beginning_has_its_end() -> None:
    room, found = Room(resident("S-1")), []
    for n in range(20):
        at = T0 + n * 10 * MIN
        found += room.feed(says("closed", at), says("opened", at + MIN))
    assert [d.version for d in found] == [1, 2] * 3
    assert len({d.id for d in found}) == 6


def test_a_late_word_changes_nothing() -> None:
    room = Room(resident("S-1"))
    room.feed(says("closed", T0 + HOUR))
    assert room.feed(says("opened", T0)) == []
    assert room.feed(says("closed", T0 + 2 * HOUR, until_at=T0)) == []


def test_a_closure_that_came_after_the_wish_to_open_holds_and_the_keeper_hears_of_it() -> None:
    """The code of an opening may come back when somebody else has seen the water and closed."""
    keeper = msgspec.structs.replace(resident("S-9"), role="responsible", areas=("A01",))
    room = Room(resident("S-1"), keeper)
    room.feed(says("closed"))
    room.feed(msgspec.structs.replace(says("closed", T0 + 5 * MIN), person="C-8"))
    wish = msgspec.structs.replace(says("opened", T0 + MIN), person="S-9", received_at=T0 + 6 * MIN)
    (d,) = room.feed(wish)
    assert d.recipient == "S-9"
    assert "没有开" in words([d])[0] and "仍然封着" in words([d])[0]
    (d,) = [d for d in room.feed(alert()) if d.recipient == "S-1"]
    assert d.closed
    assert [d.version for d in room.feed(says("opened", T0 + 9 * MIN))] == [2]


def test_who_joins_hears_that_it_is_closed_and_quiet_hours_hold() -> None:
    room = Room()
    room.feed(says("closed"))
    (d,) = room.feed(joins(quiet="00:00-23:59", lang="en"))
    assert d.not_before > d.queued_at and "Gully closed" in words([d])[0]
    assert room.feed(joins(T0 + 2 * MIN, lang="zh")) == []
    assert room.feed(joins(T0 + 3 * MIN, areas=())) == []
    assert room.feed(says("opened", T0 + HOUR)) == []  # they left


def test_a_visitor_whose_days_are_over_hears_nothing() -> None:
    room = Room(resident("S-1", until="2020-01-01"))
    assert room.feed(says("closed")) == []
