"""Every text that can go out: complete, marked, within its length."""

from functools import cache
from pathlib import Path

import msgspec
import pytest

from config.load import load
from config.records.district import District
from config.records.level import ACTION_ZH, HAZARD_ZH, LEVEL_ZH, Action, Level, order_zh
from detectors.detection import Coverage, Evidence
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.arrival import arrival
from dispatch.words.check import SPOKEN_S
from dispatch.words.compose import NOTICE_SEGMENTS, SMS_SEGMENTS, Message, ways, write
from dispatch.words.evidence import begins_at, evidence, left_min
from dispatch.words.sms_length import segments
from dispatch.words.spoken import moment, number, seconds, spoken

T = 1_753_539_000_000  # 2025-07-26 22:10 in Beijing
GRADES = [Grade(lv, a) for lv in Level for a in Action if lv or a]
WAS = [None, Grade(Level.BLUE), Grade(Level.RED, Action.MOVE)]


@cache
def yanqing() -> District:
    return load(Path(__file__).parents[3] / "config" / "yanqing")


def alert(area: str, hazard: str, grade: Grade, **other: object) -> Alert:
    made = Alert(
        id="yanqing-x",
        version=1,
        area=area,
        hazard=hazard,
        status="exercise",
        msg_type="alert",
        level=grade.level,
        action=grade.action,
        proposed_level=grade.level,
        proposed_action=grade.action,
        public=True,
        state="released",
        incident="i",
        sent_at=T,
        onset_at=T,
        expires_at=T + 6 * 3_600_000,
        reason="",
    )
    return msgspec.structs.replace(made, **other)


def say(a: Alert, channel: str, lang: str = "zh", was: Grade | None = None) -> str:
    return write(yanqing(), Message(a, "public", lang, was), channel).text  # type: ignore[arg-type]


@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_every_public_text_of_every_area(hazard: str) -> None:
    """In every area, at every level and action, from nothing, from lower and from higher."""
    d = yanqing()
    for area in d.areas.values():
        for grade in GRADES:
            for was in WAS:
                a = alert(area.id, hazard, grade)
                zh, en = (Message(a, "public", lang, was) for lang in ("zh", "en"))  # type: ignore[arg-type]
                told, spoken_once = ways(d, zh, ("sms", "broadcast"))
                for lang, sms in (("zh", told), ("en", write(d, en, "sms"))):
                    assert sms.segments == segments(sms.text) <= SMS_SEGMENTS[lang], sms.text
                    mark = "（演练）" if lang == "zh" else "EXERCISE. "
                    assert sms.text.startswith(f"【{d.signature}】{mark}"), sms.text
                    assert area.phone in sms.text
                    assert (area.name if lang == "zh" else area.name_en) in sms.text
                    if grade.action:
                        assert (area.shelter if lang == "zh" else area.shelter_en) in sms.text
                loud = spoken_once.text
                assert loud.startswith("（演练）")
                assert seconds(loud) <= SPOKEN_S, loud
                assert not any(c.isdigit() for c in loud), loud
        app = say(alert(area.id, hazard, Grade(Level.RED, Action.MOVE)), "app")
        order = order_zh(hazard, Action.MOVE)
        for part in (area.shelter, area.route, area.phone, "27日04:10", d.issuer, order):
            assert part in app


@pytest.mark.parametrize("grade", GRADES)
def test_level_and_order_are_in_the_words(grade: Grade) -> None:
    for channel in ("sms", "app", "broadcast"):
        text = say(alert("A01", "flash_flood", grade), channel)
        assert (LEVEL_ZH[grade.level] in text) == bool(grade.level)
        assert (ACTION_ZH[grade.action] in text) == bool(grade.action), text
        assert "山洪" in text


def test_real_warnings_carry_no_mark() -> None:
    for lang in ("zh", "en"):
        text = say(alert("A01", "flash_flood", Grade(Level.RED), status="actual"), "sms", lang)
        assert "演练" not in text
        assert "EXERCISE" not in text


def test_likelihood_words() -> None:
    words = {
        Level.BLUE: "可能发生山洪",
        Level.YELLOW: "发生山洪可能性较大",
        Level.ORANGE: "发生山洪可能性大",
        Level.RED: "发生山洪可能性很大",
    }
    for level, word in words.items():
        assert word in say(alert("A01", "flash_flood", Grade(level)), "app")


def test_updates_say_what_changed() -> None:
    yellow, red = Grade(Level.YELLOW), Grade(Level.RED, Action.MOVE)
    up = say(alert("A01", "flash_flood", red, msg_type="update"), "sms", was=yellow)
    assert "预警升级：红色；转移指令：立即转移" in up
    down = say(alert("A01", "flash_flood", yellow, msg_type="update"), "sms", was=red)
    assert "预警降级：黄色" in down
    assert "转移指令解除" in down
    assert "未接通知不得返回" in down
    part = Grade(Level.RED, Action.PREPARE)
    down = say(alert("A01", "flash_flood", part, msg_type="update"), "app", was=red)
    assert "红色预警继续有效；转移指令调整为准备转移" in down
    again = say(alert("A01", "flash_flood", red, msg_type="update"), "app", was=red)
    assert "红色预警继续有效；转移指令：立即转移" in again


@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_the_all_clear_asks_for_nothing(hazard: str) -> None:
    over = alert("A01", hazard, Grade(), msg_type="cancel", state="cancelled")
    for channel in ("sms", "app", "broadcast"):
        text = say(over, channel, was=Grade(Level.RED, Action.MOVE))
        assert "解除" in text
        assert "立即" not in text
        assert "路线" not in text
    lapsed = alert("A01", hazard, Grade(), msg_type="cancel", state="expired")
    assert "到期失效" in say(lapsed, "sms", was=Grade(Level.RED))


def notice(a: Alert, channel: str = "sms", lang: str = "zh") -> str:
    message = Message(a, "notice", lang, None, "responsible", True)  # type: ignore[arg-type]
    return write(yanqing(), message, channel).text


def test_an_internal_notice_carries_the_evidence() -> None:
    rain = Evidence(
        station="R01", quantity="rain", value=52.3, threshold=52, window_min=60, observed_at=T
    )
    a = alert(
        "A01",
        "flash_flood",
        Grade(Level.YELLOW, Action.MOVE),
        proposed_level=Level.ORANGE,
        deadline_at=T + 600_000,
        authority="市防汛指挥部",
        evidence=(rain,),
        coverage=Coverage(live=3, expected=4, silent=("R02",)),
        thin=True,
        suspect=True,
    )
    text = notice(a)
    for part in (
        "内部预警",
        "研判橙色、立即转移",
        "已发布黄色、立即转移",
        "待市防汛指挥部于22:20前决定",
        "香屯雨量站60分钟降雨量52.3mm（阈值52mm，22:10）",
        "3/4",
        "数据不足",
        "可疑",
        "收到请回复",
    ):
        assert part in text, text
    assert "补报" not in text
    english = notice(a, "app", "en")
    for part in ("Xiangtun rain gauge", "52.3 mm in 60 min", "city flood headquarters decides by"):
        assert part in english, english
    late = msgspec.structs.replace(a, sent_at=T + 3_600_000)
    assert "（补报）" in notice(late)
    hidden = msgspec.structs.replace(a, level=Level.NONE, action=Action.NONE, public=False)
    assert "尚未对外发布" in notice(hidden)


@pytest.mark.parametrize(
    ("kind", "quantity", "zh", "en"),
    [
        (
            "cumulative_rain",
            "rain",
            "累计雨量3.2mm（阈值3mm",
            " cumulative rain 3.2 mm (limit 3 mm",
        ),
        ("rise_rate", "stage", "水位涨率3.2m/h", " rate of rise 3.2 m/h"),
        ("travel_time", "discharge", "上游来水3.2m³/s", " water on its way from upstream 3.2 m³/s"),
        ("quantity_above", "soil_moisture", "土壤含水率3.2%", " soil moisture 3.2 %"),
        ("quantity_below", "battery", "电量偏低3.2%", " battery, low, 3.2 %"),
        ("quantity_rise", "gas", "气体浓度上升速率3.2ppm/h", " gas rising 3.2 ppm/h"),
        ("quantity_fall", "self_test", "自检下降速率3.21/h", " self test falling 3.2 1/h"),
        # what counts sigmas or says 0 … 1 has no unit of the quantity
        ("ewma", "stage", "水位持续偏移3.2σ", " stage, lasting shift, 3.2 σ"),
        (
            "mann_kendall",
            "stage",
            "水位趋势显著性3.2（",
            " stage, significance of its trend, 3.2 (",
        ),
        (
            "sta_lta",
            "ground_velocity",
            "地声短长时比3.2（",
            " ground motion, short over long mean 3.2",
        ),
        # a chance is told in per cent; what its table was fitted to decides which of the two this is
        ("storm_score", "rain", "场次雨情概率320%（", " chance from the storm so far 320 % ("),
        ("flood_score", "stage", "雨水情综合评分3.2（", " level and rain as one score 3.2 ("),
        (
            "flood_chance",
            "stage",
            "受淹的可能性320%（阈值300%，",
            " chance of flooding 320 % (limit",
        ),
    ],
)
def test_a_rule_is_named_and_counted_in_its_own_unit(
    kind: str, quantity: str, zh: str, en: str
) -> None:
    seen = Evidence(
        station="R01", quantity=quantity, kind=kind, value=3.2, threshold=3, observed_at=T
    )
    assert "香屯雨量站" + zh in evidence(yanqing(), seen, "zh")
    assert en in evidence(yanqing(), seen, "en")


def test_notices_fit_an_sms_with_much_evidence() -> None:
    d = yanqing()
    many = tuple(
        Evidence(
            station=s, quantity="rain", value=152.3, threshold=100, window_min=180, observed_at=T
        )
        for s in list(d.stations)[:8]
    )
    for area in d.areas:
        for grade in GRADES:
            a = alert(
                area,
                "debris_flow",
                grade,
                proposed_level=Level.RED,
                proposed_action=Action.MOVE,
                evidence=many,
                suspect=True,
                thin=True,
                deadline_at=T,
                authority="市防汛指挥部",
                coverage=Coverage(live=1, expected=9, silent=("R02",)),
                next_at=T,
            )
            assert segments(notice(a)) <= NOTICE_SEGMENTS, notice(a)


def test_no_name_or_number_of_a_contact_in_any_text() -> None:
    d = yanqing()
    a = alert("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    texts = [notice(a), notice(a, "console"), say(a, "sms"), say(a, "app"), say(a, "broadcast")]
    for c in d.contacts.values():
        if c.role == "organisation":
            continue
        for text in texts:
            assert c.name not in text
            assert not c.phone or c.phone not in text


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "零"), (5, "五"), (10, "十"), (18, "十八"), (20, "二十"), (59, "五十九"), (99, "九十九")],
)
def test_numbers_are_spoken(n: int, words: str) -> None:
    assert number(n) == words


def test_places_and_times_are_spoken() -> None:
    assert spoken("香屯村委会广场（1号安置点）") == "香屯村委会广场，一号安置点"
    assert spoken("京藏110国道") == "京藏幺幺零国道"
    zone = "Asia/Shanghai"
    at_18_30 = T - 220 * 60_000
    assert moment(at_18_30, at_18_30, zone) == "今天十八点三十分"
    assert moment(T + 110 * 60_000, T, zone) == "明天零点整"
    assert moment(T + 115 * 60_000, T, zone) == "明天零点零五分"
    assert moment(T + 72 * 3_600_000, T, zone) == "七月二十九日二十二点十分"


def test_an_event_begins_when_the_wave_may_be_here_or_as_somebody_told() -> None:
    measured = alert("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    assert begins_at(measured) == measured.onset_at
    told = msgspec.structs.replace(measured, happened_at=T - 7)
    assert begins_at(told) == T - 7
    assert begins_at(msgspec.structs.replace(told, earliest_at=T + 9, latest_at=T + 99)) == T + 9


def test_how_long_people_may_wait_is_the_time_to_come_less_what_their_place_needs() -> None:
    d, minute = yanqing(), 60_000
    plain = alert("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    assert left_min(d, plain) is None and arrival(d, plain, "zh") == ""
    wave = msgspec.structs.replace(plain, earliest_at=T + 45 * minute, latest_at=T + 60 * minute)
    assert left_min(d, wave) == 45 - 32  # it needs 31.4 min at night
    assert left_min(d, msgspec.structs.replace(wave, earliest_at=T + 31 * minute)) == 0
    assert left_min(d, msgspec.structs.replace(wave, happened_at=T - minute)) == 0

    def foretold(chance: float, window_min: int, at: int) -> Evidence:
        return Evidence(
            station="S01", quantity="stage", kind="flood_chance", value=chance, threshold=0.1,
            window_min=window_min, observed_at=at,
        )  # fmt: skip

    said = msgspec.structs.replace(
        plain, evidence=(foretold(0.1, 180, T), foretold(0.3, 60, T - 4 * minute))
    )
    # of the likeliest, which may come before its end: what it leaves takes no urgency from a red
    assert left_min(d, said) is None
    short = msgspec.structs.replace(plain, evidence=(foretold(0.3, 30, T),))
    assert left_min(d, short) == 0  # over before people could have moved
    assert arrival(d, said, "zh") == "可能在23:06前成灾"
    assert arrival(d, said, "en") == "It may come by 23:06"
    gone = msgspec.structs.replace(plain, evidence=(foretold(0.3, 60, T - 60 * minute),))
    assert left_min(d, gone) is None and arrival(d, gone, "zh") == ""  # of a time that is over
    lifted = msgspec.structs.replace(said, msg_type="cancel")
    assert arrival(d, lifted, "zh") == ""
    there = Evidence(station="p", quantity="report_flood", kind="report", value=1, observed_at=T)
    seen = msgspec.structs.replace(said, evidence=(*said.evidence, there))
    assert left_min(d, seen) is None and arrival(d, seen, "zh") == "", "it does not come, it is here"
