"""What people say: read, judged, counted as evidence, answered, and never written down in words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.district import Contact, District
from config.records.level import Action, Level
from detectors.detection import Detection, Mark
from detectors.memory.observers import PeopleState
from detectors.memory.state import Said
from dispatch.records import Alert, Delivery, Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.stage import Send
from ingest.decode.phrases import meanings, number
from ingest.observation import PersonSays
from ingest.people.kept_words import Keeper, Words
from ingest.people.page import form
from ingest.people.reports import A_MINUTE, ANSWERS_DAY, People
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.mqtt.client import Message
from stream.records import DeadLetter, Rejected
from tests.support.decide_district import MIN, T0, Line, mark, run, seen, yanqing
from tests.support.people import HEAD, OBSERVER, Watch, minute, one, says, sent, sms

PHONE = "13800138000"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("水涨", "report_flood"),
        ("　水　涨", ""),  # words torn apart are not guessed
        ("水涨了，泥石流！", "report_debris_flow report_flood"),
        ("塌方", "report_landslide"),
        ("已转移 12 人", "moved:12"),
        ("已转移　１２　人", "moved:12"),
        ("已转移 十二 人", "moved:12"),
        ("12人已转移", "moved:12"),
        ("还有5人没转移，已转移两百零三人", "moved:203"),
        ("全部转移", "moved"),
        ("部分人已转移", ""),
        ("转移", ""),
        ("正在转移", ""),
        ("未转移", ""),
        ("无法转移", "help"),
        ("求助，3人被困", "help"),
        ("水涨，求助", "help report_flood"),
        ("收到", "received"),
        ("１", "received"),
        ("收到山洪红色预警", "received"),  # a word about the warning reports no flood
        ("收到，水涨", "report_flood"),
        ("没有泥石流", ""),
        ("平安", "safe"),
        ("moved 12", "moved:12"),
        ("", ""),
        ("你好", ""),
        ("<script>alert(1)</script>", ""),
        ("已转移 999999999 人", ""),
        ("水" * 600 + "水涨", ""),
        # as it is really said
        ("村里进水了", "report_flood"),
        ("水进屋了", "report_flood"),
        ("河水暴涨，快漫上来了", "report_flood"),
        ("溃坝了", "report_flood"),
        ("大坝垮了！！", "report_flood"),
        ("上游决堤", "report_flood"),
        ("地里都被淹了", "report_flood"),
        ("有人掉河里了", "help"),
        ("有人掉进河里", "help"),
        ("有3人失联", "help"),
        ("两个孩子被水冲走了", "help"),
        ("有人被埋了", "help"),
        ("3户联系不上", "help"),
        ("我们困在屋顶上", "help"),
        ("水库要垮了", "report_flood"),
        ("河水越来越大", "report_flood"),
        ("孩子不见了", "help"),
        ("收到，无人被困", "received"),
        ("平安，没有人受伤", "safe"),
        ("房子塌了", "damage"),
        ("桥塌了，有人受伤", "help damage"),
        ("这不是演练，水涨了", "report_flood"),
        # denied
        ("无人被困", ""),
        ("没有人员被困", ""),
        ("没人失联", ""),
        ("无人员伤亡", ""),
        ("暂无群众被困", ""),
        ("未发现有人被困", ""),
        ("没有进水", ""),
        ("不会溃坝", ""),
        ("nobody is trapped", ""),
        ("水没有涨", ""),
        ("进水口已检查", ""),
        # over
        ("被困人员已全部救出", ""),
        ("失联的3人都找到了", ""),
        ("3人被困，2人已救出，还有1人", "help"),
        # asked, heard, feared, past
        ("是不是要溃坝了？", ""),
        ("有人被困吗？", ""),
        ("村里进水了没", ""),
        ("听说上游溃坝了", ""),
        ("网上说有泥石流", ""),
        ("可能要发大水", ""),
        ("如果涨水就走", ""),
        ("去年这里发过山洪", ""),
        ("听说有人失联", ""),
        ("能来救我吗？", "help"),
        ("好像有人掉河里了", "help"),
        # a drill
        ("演练：水涨了", ""),
        ("测试 求助", ""),
        ("演习，泥石流", ""),
        ("泥石流隐患点已巡查", ""),
    ],
)
def test_code_words_in_an_sms(text: str, want: str) -> None:
    found = [w.what + (f":{w.people}" if w.people is not None else "") for w in meanings(text)]
    assert " ".join(found) == want


def test_in_an_exercise_a_word_of_the_drill_is_a_word() -> None:
    assert [w.what for w in meanings("演练：水涨了", exercise=True)] == ["report_flood"]


@given(st.integers(1, 9999))
def test_chinese_numerals(n: int) -> None:
    words, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure = n // unit % 10
        if figure:
            words += "零" * zero + "零一二三四五六七八九"[figure] + name
        zero = bool(words) and not figure
    assert number(words) == n
    assert number(words.removeprefix("一") if words.startswith("一十") else words) == n


@given(st.text(max_size=700))
def test_no_text_breaks_the_reader_or_counts_what_cannot_be(text: str) -> None:
    for what, people in meanings(text):
        assert people is None or (what == "moved" and 0 <= people <= 100_000)


def reasons(found: list[PersonSays | Rejected]) -> list[str]:
    return [f.reason if isinstance(f, Rejected) else f.what for f in found]


def with_contact(areas: tuple[str, ...], ident: str = "C-9") -> District:
    d = yanqing()
    contact = Contact(
        id=ident, name="", role="observer", areas=areas, lang="zh", channels=("sms",),
        min_level=Level.BLUE, phone=PHONE,
    )  # fmt: skip
    return msgspec.structs.replace(d, contacts={**d.contacts, ident: contact})


def test_a_stranger_and_an_area_of_somebody_else() -> None:
    people = People(yanqing())
    assert reasons(people.sms("C-9999", sms("水涨"), T0)) == ["unknown_person"]
    body = msgspec.json.encode({"id": "x", "what": "report_flood", "area": "A40"})
    assert reasons(people.report(OBSERVER, body, T0)) == ["not_their_area"]
    # by SMS the sender is told, too
    there = yanqing().areas["A02"].name
    assert reasons(people.sms(OBSERVER, sms(f"{there}水涨"), T0)) == [
        "not_their_area",
        "words",
        "unclear",
    ]


def test_who_has_several_areas_names_one() -> None:
    people = People(with_contact(("A01", "A02")))
    assert reasons(people.sms("C-9", sms("水涨"), T0)) == ["not_their_area", "words", "unclear"]
    assert one(people.sms("C-9", sms("沙门村 水涨"), T0)).area == "A02"
    assert one(people.sms("C-9", sms("a02 水涨"), T0)).area == "A02"
    assert one(People(with_contact(("*",))).sms("C-9", sms("A17 水涨"), T0)).area == "A17"


def test_a_wrong_clock_neither_loses_a_report_nor_makes_an_old_one_new() -> None:
    people = People(yanqing())
    ahead = one(people.sms(OBSERVER, sms("水涨", at=(T0 + 86_400_000) / 1000), T0))
    assert ahead.said_at == T0
    late = one(people.sms(OBSERVER, sms("水涨", at=(T0 - 30 * MIN) / 1000), T0))
    assert late.said_at == T0 - 30 * MIN
    assert reasons(people.sms(OBSERVER, sms("水涨", at=(T0 - 180 * MIN) / 1000), T0)) == ["too_old"]
    assert reasons(people.sms(OBSERVER, sms("水涨", at="昨天"), T0)) == ["bad_time"]


def test_a_thousand_a_minute_from_one_person_hold_up_nobody_else() -> None:
    people = People(yanqing())
    found = [people.sms(OBSERVER, sms("水涨", id=f"m{n}"), T0)[0] for n in range(1000)]
    assert sum(isinstance(f, PersonSays) for f in found) == A_MINUTE
    assert reasons(found[-1:]) == ["too_many"]
    assert one(people.sms(HEAD, sms("求助"), T0)).what == "help"
    assert one(people.sms(OBSERVER, sms("收到"), T0 + MIN)).what == "received"


def test_who_forges_a_number_and_writes_without_end_keeps_no_cry_for_help_from_being_heard() -> None:
    people = People(yanqing())
    flood = [people.sms(OBSERVER, sms("收到", id=f"m{n}"), T0)[0] for n in range(1000)]
    assert reasons(flood[-1:]) == ["too_many"]
    assert one(people.sms(OBSERVER, sms("求助"), T0)).what == "help"
    assert one(people.sms(OBSERVER, sms("水涨"), T0)).what == "report_flood"
    helps = [people.sms(OBSERVER, sms("求助", id=f"h{n}"), T0)[0] for n in range(1000)]
    assert sum(isinstance(f, PersonSays) for f in helps) == A_MINUTE - 1, "each is bounded"


def test_what_nobody_can_read_reaches_the_duty_room_as_it_is(tmp_path: Any) -> None:
    kept = Words(tmp_path)
    people = People(yanqing(), keep=kept.put)
    text = "桥头那边味道不对，我是张三"
    why, words, unclear = people.sms(OBSERVER, sms(text, id="m1"), T0)
    assert isinstance(why, Rejected)
    assert (words.what, unclear.what) == ("words", "unclear")  # type: ignore[union-attr]
    people.sms(OBSERVER, sms(text, id="m1"), T0)
    (one,) = kept.read(T0)
    assert isinstance(words, PersonSays)
    assert (one.id, one.person, one.area, one.text) == (words.id, OBSERVER, "A01", text)
    # as often as they write, though they are answered once in ten minutes
    watch = Watch()
    for n in range(3):
        again = msgspec.structs.replace(words, id=f"w{n}", received_at=T0 + n)
        assert [r.what for r in watch.feed(again) if isinstance(r, PersonSays)] == ["words"]
    (notice,) = [r for r in sent(words) if isinstance(r, Delivery)]
    assert notice.routes[0].channel == "console"
    assert words.id in notice.routes[0].text
    assert "张三" not in msgspec.json.encode(notice).decode()
    # what is understood is not kept, and a question is
    people.sms(OBSERVER, sms("水涨了", id="m2"), T0)
    people.sms(OBSERVER, sms("是不是要溃坝了？", id="m3"), T0 + 1)
    assert [k.text for k in kept.read(T0)] == ["是不是要溃坝了？", text]
    kept.close()


def test_kept_words_are_encrypted_and_erased(tmp_path: Any) -> None:
    kept = Words(tmp_path)
    kept.put("a", OBSERVER, "A01", "悄悄话 secret words", T0)
    kept.put("b", HEAD, "A01", "另一句", T0 + 1000)
    again = Words(tmp_path)
    assert [k.text for k in again.read(T0)] == ["另一句", "悄悄话 secret words"]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            body = file.read_bytes()
            assert b"secret words" not in body
            assert "另一句".encode() not in body
            assert file.stat().st_mode & 0o077 == 0
    again.erase([HEAD])
    assert [k.id for k in kept.read(T0)] == ["a"]
    keeper = Keeper(tmp_path)
    keeper.look(T0 + 72 * 3_600_000)
    assert kept.read(0) == []
    for store in (kept, again):
        store.close()
    (tmp_path / "keys" / "people-words.key").chmod(0o644)
    Keeper(tmp_path).put("c", HEAD, "A01", "x", T0)  # told, and nothing is lost but the words
    Keeper(None).put("c", HEAD, "A01", "x", T0)


def message(suffix: str, payload: bytes) -> Message:
    return Message(f"fengsui/live/yanqing/{suffix}", payload, 1, 1)


def test_neither_words_nor_numbers_of_a_person_reach_the_log(tmp_path: Any) -> None:
    intake = Intake(yanqing(), run("live"), FrameStore(tmp_path))
    secret = f"我是张三，电话{PHONE}"
    outs = intake.records(
        [
            message(f"person/{OBSERVER}/sms", sms(secret)),
            message(f"person/{OBSERVER}/sms", sms(f"水涨 {secret}", id="m1")),
            message(f"person/{PHONE}/sms", sms("水涨")),
            message(f"person/{PHONE}/what", b"x"),
            message(f"person/{OBSERVER}/report", secret.encode()),
            message(f"person/{OBSERVER}/report", b"x" * 17_000),
        ]
    )
    written = b"".join(o.value + o.key.encode() for o in outs)
    assert "张三".encode() not in written
    assert PHONE.encode() not in written
    letters = [msgspec.json.decode(o.value, type=DeadLetter) for o in outs if o.topic[0] == "d"]
    assert [x.reason for x in letters] == [
        "unclear", "unknown_person", "unknown_topic", "bad_payload", "oversize",
    ]  # fmt: skip
    assert all(not x.payload for x in letters)


# --- as evidence


def grades(found: list[Detection]) -> list[tuple[str, int, int, bool]]:
    return [(d.hazard, int(d.level), int(d.action), d.suspect) for d in found]


def test_one_observer_is_a_suspect_sign_and_two_are_not() -> None:
    watch = Watch()
    assert grades(watch.reports(says(1))) == [("flash_flood", 2, 1, True)]
    assert watch.reports(says(2)) == [], "the same person again is still one person"
    two = watch.reports(says(3, person=HEAD, role="responsible"))
    assert grades(two) == [("flash_flood", 3, 2, False)]
    assert {e.station for e in two[0].evidence} == {OBSERVER, HEAD}
    assert {e.quantity for e in two[0].evidence} == {"report_flood"}


def test_where_numbers_may_be_forged_two_sms_are_one_suspect_sign() -> None:
    d = yanqing()
    careful = msgspec.structs.replace(d.rules.observer, sms_confirms=False)
    d = msgspec.structs.replace(d, rules=msgspec.structs.replace(d.rules, observer=careful))
    watch = Watch(d)
    assert grades(watch.reports(says(1))) == [("flash_flood", 2, 1, True)]
    two = watch.reports(says(2, person=HEAD, role="responsible"))
    assert grades(two) == [("flash_flood", 2, 1, True)], "准备转移 and no more"
    own = watch.reports(says(3, person=HEAD, role="responsible", way="form"))
    assert grades(own) == [("flash_flood", 3, 2, False)]
    assert watch.reports(says(4, person=HEAD, role="responsible")) == [], (
        "an SMS takes nothing back"
    )
    watch = Watch(d)
    watch.reports(says(1), says(2, person=HEAD))
    watch.state.said["rain_threshold|A01|flash_flood"] = Said(level=2)
    assert grades(watch.reports(minute(3))) == [("flash_flood", 3, 2, False)]


def test_an_instrument_confirms_one_observer_also_when_it_comes_later() -> None:
    watch = Watch()
    assert grades(watch.reports(says(1))) == [("flash_flood", 2, 1, True)]
    watch.state.said["rain_threshold|A01|flash_flood"] = Said(level=2, suspect=True)
    assert watch.reports(minute(2)) == [], "what is doubted confirms nothing"
    watch.state.said["rain_threshold|A01|flash_flood"] = Said(level=2)
    assert grades(watch.reports(minute(3))) == [("flash_flood", 3, 2, False)]
    watch.state.said["rain_threshold|A01|flash_flood"] = Said()
    assert grades(watch.reports(minute(4))) == [("flash_flood", 2, 1, True)]


def test_a_report_ends_by_its_age_and_by_nothing_that_is_said() -> None:
    watch = Watch()
    watch.reports(says(1))
    assert watch.reports(says(2, "safe"), says(3, "received"), minute(60)) == []
    assert grades(watch.reports(minute(61))) == [("flash_flood", 0, 0, False)]
    assert watch.state.people.signs == {}
    assert watch.reports(minute(62)) == []


def test_a_photograph_comes_behind_its_words_as_evidence_of_the_same() -> None:
    watch = Watch()
    (first,) = watch.reports(says(1))
    assert [e.frames for e in first.evidence] == [()]
    (again,) = watch.reports(says(1, photo="ab"))
    assert grades([again]) == grades([first])
    assert [e.frames for e in again.evidence] == [("ab",)]
    assert again.since_at == first.since_at
    assert watch.feed(says(1, photo="ab"), says(1)) == [], "once"
    watch.state = watch.stage.load(watch.partition, watch.stage.dump(watch.state))
    assert watch.feed(says(1, photo="ab")) == []
    watch.reports(minute(61))
    assert watch.feed(says(1, photo="cd")) == [], "what is over is not raised again by a picture"


def test_a_residents_word_and_damage_are_no_evidence() -> None:
    watch = Watch()
    assert watch.reports(says(1, role="residents"), says(2, "damage")) == []


def test_a_repetition_is_passed_on_once_also_after_a_restart() -> None:
    watch = Watch()
    first = watch.feed(says(1, "moved", people=12))
    assert [r.what for r in first if isinstance(r, PersonSays)] == ["moved"]
    assert watch.feed(says(1, "moved", people=12)) == []
    watch.state = watch.stage.load(watch.partition, watch.stage.dump(watch.state))
    assert watch.feed(says(1, "moved", people=12)) == []
    watch.feed(minute(60 * 24 + 2))
    assert watch.state.people == PeopleState(), "nothing is kept for ever"


def test_who_is_not_understood_is_answered_once_in_ten_minutes() -> None:
    watch = Watch()
    passed = [len(watch.feed(says(m, "unclear"))) for m in (1, 2, 10.5, 11.5)]
    assert passed == [1, 0, 0, 1]


def test_batches_never_show() -> None:
    records = [
        says(1), says(2, "report_debris_flow"), minute(3), says(3.5, person=HEAD), says(1),
        minute(30), says(31, "moved", people=3), minute(64), minute(95),
    ]  # fmt: skip
    alone, together = Watch(), Watch()
    assert [r for x in records for r in alone.feed(x)] == together.feed(*records)


# --- decided and sent


def test_one_observer_orders_to_prepare_and_no_colour() -> None:
    line = Line(kind="live")
    found = Watch().reports(says(1))
    (alert,) = line.feed(*found)
    assert (alert.level, alert.action) == (Level.NONE, Action.PREPARE)
    assert alert.proposed_level == Level.YELLOW
    assert alert.suspect
    assert "现场人员报告" in alert.reason


def test_two_observers_order_to_move() -> None:
    line, watch = Line(kind="live"), Watch()
    line.feed(*watch.reports(says(1)))
    (alert,) = line.feed(*watch.reports(says(2, person=HEAD)))
    assert alert.action == Action.MOVE


def test_a_report_that_ends_takes_nothing_from_the_gauges() -> None:
    line, watch = Line(kind="live"), Watch()
    line.feed(seen(0, Level.YELLOW, Action.PREPARE))
    line.feed(*watch.reports(says(1)))
    line.feed(*watch.reports(minute(61)))
    line.quiet(61, 200)
    assert line.alerts[-1].action == Action.PREPARE


@pytest.mark.parametrize(("kind", "drill"), [("live", False), ("exercise", True)])
def test_a_cry_for_help_is_told_to_the_duty_room_at_once(kind: str, drill: bool) -> None:
    found = sent(says(1, "help"), kind=kind)
    (notice,) = [r for r in found if isinstance(r, Delivery)]
    assert notice.routes[0].channel == "console"
    assert notice.level == Level.RED
    text = notice.routes[0].text
    assert "求助" in text
    assert OBSERVER in text
    assert "香屯村" in text
    assert ("演练" in text) is drill
    assert notice.status == ("exercise" if drill else "actual")
    assert isinstance(found[-1], PersonSays), "and the word goes on to the roll"


def test_a_report_that_no_rule_takes_is_told_too() -> None:
    told = sent(says(1), says(2, "damage"), says(3, role="residents"))
    assert len([r for r in told if isinstance(r, Delivery)]) == 2


def test_the_answer_to_what_nobody_could_read_is_an_sms_to_the_sender() -> None:
    (answer,) = [r for r in sent(says(1, "unclear")) if isinstance(r, Delivery)]
    assert answer.recipient == OBSERVER
    assert [r.channel for r in answer.routes] == ["sms"]
    assert answer.routes[0].segments == 1
    assert "求助" in answer.routes[0].text
    assert not [r for r in sent(says(1, "unclear", way="app")) if isinstance(r, Delivery)]


def test_whoever_answers_has_heard_what_was_sent_before_and_nothing_after() -> None:
    line = Line(kind="live")
    first = line.feed(seen(0, Level.ORANGE, Action.MOVE))
    calls = [
        r for r in sent(*first) if isinstance(r, Delivery) and r.recipient == HEAD and r.must_answer
    ]
    assert calls
    calls = [msgspec.structs.replace(c, code="") for c in calls]  # where no code is asked for
    stage = Send(yanqing(), live=True)
    box = stage.new(0)
    for r in (run("live"), *calls):
        apply(stage.rules, box, r)
    early = apply(stage.rules, box, says(0.5, "moved", HEAD, people=3))
    assert early == [], "nothing had been sent yet"
    begun = Receipt(delivery=calls[0].id, route=0, state="accepted", receipt_at=T0 + MIN)
    apply(stage.rules, box, begun)
    assert apply(stage.rules, box, says(2, "moved", OBSERVER)) == [], "somebody else's word"
    (made,) = apply(stage.rules, box, says(2, "moved", HEAD, people=3))
    assert isinstance(made, Receipt)
    assert made.state == "answered"
    assert box.entries[calls[0].id].done
    assert apply(stage.rules, box, made) == [], "its own word read back changes nothing"


def test_decide_passes_a_word_on_once_and_makes_no_warning_of_it() -> None:
    line = Line(kind="live")
    assert line.feed(says(1, "help"), mark(2)) == []
    assert [w.record.what for w in line.writes if isinstance(w.record, PersonSays)] == ["help"]
    assert not [w for w in line.writes if isinstance(w.record, Alert)]
    assert [w for w in line.writes if isinstance(w.record, Mark)]


def test_who_has_several_areas_must_choose_one_on_the_page() -> None:
    areas = [yanqing().areas["A01"], yanqing().areas["A02"]]
    evil = msgspec.structs.replace(areas[1], name="<script>alert(1)</script>")
    page = form([areas[0], evil], '"><b>', drill=False, hotline="1")
    assert '<select name="area" required><option value="">' in page
    assert "<script" not in page
    assert '"><b>' not in page
    assert "演练" not in page
    assert "<select" not in form(areas[:1], "x", drill=True, hotline="1")


def test_a_machine_that_answers_our_answers_is_answered_no_more() -> None:
    """Its words are read as before; two machines do not go on for ever."""
    people, kept = People(yanqing()), []
    for n in range(3 * ANSWERS_DAY):
        found = people.text(HEAD, f"自动回复：我正在开车 {n}", "", None, T0 + n * MIN)
        kept += [x.what for x in found if isinstance(x, PersonSays)]
    assert kept.count("unclear") == ANSWERS_DAY
    assert kept.count("words") == 3 * ANSWERS_DAY
