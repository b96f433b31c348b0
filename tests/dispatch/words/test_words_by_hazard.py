"""Every hazard speaks its own words: to each audience, on each channel, at each level, in both languages,
and never those of another hazard. A loudspeaker in a tunnel does not speak of gullies."""

import re
from functools import cache
from pathlib import Path

import msgspec
import pytest

from config.load import load
from config.records.district import District
from config.records.level import (
    BY_PERSON,
    HAZARD_ZH,
    MOUNTAIN,
    Action,
    Level,
    occurrence_en,
    occurrence_zh,
)
from detectors.detection import Evidence
from dispatch.cap.message import build
from dispatch.decide.policy import at_once, authority
from dispatch.grade import Grade
from dispatch.records import Delivery, Route
from dispatch.words.compose import Kind, Message, Role, instruction, ways, write
from dispatch.words.evidence import evidence, foreseen
from dispatch.words.sample import sample
from dispatch.words.wording import CATEGORY_ZH
from ingest.cap.decode import NAMESPACE, parse_cap

ROOT = Path(__file__).parents[3]
GRADES = [Grade(lv, a) for lv in Level for a in Action if lv or a]

# what belongs to one kind of danger; a place's own names and way are made neutral below
WATER = "沟|河|漫水|山洪|涉水|高处|扎营|尾矿|gull|stream|river|bank|wade|flood|bridge|high ground|uphill"
SLOPE = "坡|泥石流|slope|debris"
FIRE = "火种|林|余火|woods|embers|upwind to open"
GAS = "捂住|门窗|侧上风|wet cloth|across the wind|across and up"
ROAD = "驶离|绕行|拥堵|diversion"
CROWD = "推挤|不挤|逆行|push"
# hazard -> what none of its words may say
FOREIGN = {
    "urban_flood": f"沟|河|漫水桥|扎营|尾矿|gull|stream|river|{SLOPE}|{FIRE}|{GAS}|{CROWD}",
    "forest_fire": f"沟口|河|漫水|涉水|高处|尾矿|stream|river|bank|flood|{GAS}|{ROAD}|{CROWD}",
    "chemical": f"{WATER}|{SLOPE}|{FIRE}|{ROAD}|{CROWD}|进山",
    "traffic": f"沟|河|漫水|涉水|高处|gull|stream|river|bank|flood|{FIRE}|{GAS}|{CROWD}",
    "crowd": f"{WATER}|{SLOPE}|{FIRE}|{GAS}|驶离|进山",
    "flash_flood": f"{FIRE}|{GAS}|{CROWD}|驶离|拥堵",
    "debris_flow": f"{FIRE}|{GAS}|{CROWD}|驶离|拥堵",
    "river_flood": f"{FIRE}|{GAS}|{CROWD}|驶离|拥堵",
    "dam_break": f"{FIRE}|{GAS}|{CROWD}|驶离|拥堵|水库|reservoir|雨|rain",
    "reservoir_release": f"{FIRE}|{GAS}|{CROWD}|驶离|拥堵|堰塞湖|barrier lake|雨|rain",
}
# hazard -> what a text that orders people away must say somewhere: the verb, and where to
OWN = {
    "flash_flood": "沟|高处|转移|gull|Leave|away|out|evacuation",
    "debris_flow": "沟|高处|转移|uphill|Leave|away|out|evacuation",
    "river_flood": "高处|河|转移|high ground|Leave|away|out|evacuation",
    "dam_break": "高处|转移|high ground|Leave|away|out|evacuation",
    "reservoir_release": "高处|转移|high ground|Leave|away|out|evacuation",
    "urban_flood": "高处|楼上|弃车|转移|high ground|stalled|evacuation|safety",
    "forest_fire": "上风|转移|upwind|evacuation|safety",
    "chemical": "侧上风|上风|转移|wind|evacuation",
    "traffic": "撤离|驶离|road|Drive|safety",
    "crowd": "出口|疏散|calm|exits|Walk|safety",
}


@cache
def neutral(kind: str = "village") -> District:
    """A district whose places say nothing of any danger."""
    d = load(ROOT / "config" / "examples" / "hazards")
    areas = {
        name: msgspec.structs.replace(
            a, name="甲村", name_en="A", township="乙镇", township_en="B", kind=kind,
            shelter="丙处", shelter_en="C", route="听从现场指引", route_en="as directed",
        )
        for name, a in d.areas.items()
    }  # fmt: skip
    return msgspec.structs.replace(d, areas=areas, signature="丁", issuer="戊", issuer_en="E")


def texts(d: District, hazard: str, grade: Grade, was: Grade | None) -> list[tuple[str, str]]:
    """(who and how, the words), for everybody who gets any."""
    a = sample("K01", hazard, grade)
    out = []
    for category in CATEGORY_ZH:
        for lang in ("zh", "en"):
            channels = ["sms", "app", "email", "voice", "cap", *(["broadcast"] if lang == "zh" else [])]
            m = Message(a, "public", lang, was, category=category)  # type: ignore[arg-type]
            out += [(f"{category} {r.channel} {lang}", r.text) for r in ways(d, m, channels)]
    inner: list[tuple[Kind, Role]] = [
        ("notice", "responsible"), ("notice", "observer"), ("notice", "duty"), ("organisation", "duty"),
    ]  # fmt: skip
    for kind, role in inner:
        for lang in ("zh", "en"):
            m = Message(a, kind, lang, was, role)  # type: ignore[arg-type]
            said = ways(d, m, ("sms", "app", "voice"))
            out += [(f"{kind} {role} {r.channel} {lang}", r.text) for r in said]
    for lang in ("zh", "en"):
        told = instruction(d, hazard, grade, d.areas["K01"], lang)  # type: ignore[arg-type]
        out.append((f"instruction {lang}", told))
    return out


def delivery(hazard: str, grade: Grade, **more: object) -> Delivery:
    made = Delivery(
        id="x", alert="a", version=1, area="K01", hazard=hazard, level=grade.level,
        action=grade.action, msg_type="alert", status="exercise", recipient="feed",
        audience="public", routes=(Route(channel="cap", text="（演练）甲"),), queued_at=1,
        deadline_at=2, expires_at=3_600_000,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


@pytest.mark.parametrize("hazard", HAZARD_ZH)
@pytest.mark.parametrize("kind", ["village", "road", "camp"])
def test_nobody_is_told_the_words_of_another_hazard(hazard: str, kind: str) -> None:
    d = neutral(kind)
    named = re.compile(
        r"(?i)河道洪水|river flood(ing)?|flash flood(ing)?|urban flood(ing)?|debris flow"
    )
    clean: set[str] = set()  # many are told the same
    for grade in (*GRADES, Grade()):
        for was in (None, Grade(Level.BLUE), Grade(Level.RED, Action.MOVE)):
            for who, text in texts(d, hazard, grade, was):
                if text in clean:
                    continue
                clean.add(text)
                bare = text.replace(HAZARD_ZH[hazard], "")
                if hazard in MOUNTAIN or hazard == "urban_flood":
                    bare = named.sub("", bare)
                found = re.search(FOREIGN[hazard], bare, re.IGNORECASE)
                assert found is None, f"{hazard} {grade} {who}: {found and found[0]} in {text}"


@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_who_must_leave_is_told_to_and_where(hazard: str) -> None:
    for level in (Level.ORANGE, Level.RED):
        for who, text in texts(neutral(), hazard, Grade(level, Action.MOVE), None):
            if who.startswith(("organisation", "notice duty", "notice observer")):
                continue  # they are told of it, and move nobody
            assert re.search(OWN[hazard], text), f"{hazard} {who}: {text}"


@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_an_english_sms_always_says_what_to_do(hazard: str) -> None:
    """However long its names: the words of the district whose names are longest."""
    d = load(ROOT / "config" / "yanqing")
    area = max(d.areas.values(), key=lambda a: len(a.name_en + a.shelter_en))
    brief = {"flash_flood": "gull|stream|low ground|Pack", "debris_flow": "gull|slope|Pack|uphill",
             "river_flood": "river|bank|ground|Pack", "dam_break": "river|bank|ground|Pack",
             "reservoir_release": "river|bank|ground|Pack",
             "urban_flood": "underpass|street|basement|ground|power",
             "forest_fire": "woods|fire|upwind|Pack", "chemical": "window|wind|wet cloth|mouth",
             "traffic": "road|Slow|enter", "crowd": "push|exit|come now|run"}  # fmt: skip
    for grade in GRADES:
        for category in CATEGORY_ZH:
            m = Message(sample(area.id, hazard, grade), "public", "en", None, category=category)
            text = write(d, m, "sms").text
            assert re.search(brief[hazard], text), f"{grade} {category}: {text}"


@pytest.mark.parametrize("hazard", ["dam_break", "reservoir_release"])
def test_a_wave_from_above_sends_people_up_and_keeps_them_there(hazard: str) -> None:
    """Away from the river, up, not across, and not back between waves: on every way that an order goes."""
    for lang, up, back in (
        ("zh", "往高处走", "不返回"),
        ("en", "(?i)high ground", "do not return"),
    ):
        for channel in ("app", "cap"):
            m = Message(sample("K01", hazard, Grade(Level.RED, Action.MOVE)), "public", lang)  # type: ignore[arg-type]
            text = write(neutral(), m, channel).text
            assert re.search(up, text), text
            assert back in text, text
            assert re.search("不过河|do not cross", text), text
    m = Message(sample("K01", hazard, Grade(Level.RED, Action.MOVE)), "public", "zh")
    assert "往高处走，不过河，不返回" in write(neutral(), m, "broadcast").text


def test_a_crowd_is_never_told_to_run_and_never_by_a_machine_alone() -> None:
    for grade in GRADES:
        for who, text in texts(neutral(), "crowd", grade, None):
            told = text.replace("不奔跑", "").replace("不跑", "").replace("防止奔跑推挤", "")
            told = told.replace("do not run", "").replace("let nobody run", "")
            assert not re.search("跑|立即转移|马上转移|\\brun\\b", told), f"{who}: {text}"
    d = load(ROOT / "config" / "examples" / "hazards")
    assert "crowd" in BY_PERSON
    top = at_once(d.policy, False, "crowd", Grade(Level.RED, Action.MOVE))
    assert top == Grade(Level.ORANGE)
    for what in ("red", "prepare", "move"):
        who_may = authority(d.policy, "crowd", what)
        assert who_may.deadline_s > 0
        assert who_may.default != "release"
    assert at_once(d.policy, False, "chemical", Grade(Level.RED, Action.MOVE)).action == Action.MOVE


SEEN = {
    "chemical": ("gas", "quantity_above"),
    "crowd": ("crowd_density", "quantity_above"),
    "forest_fire": ("fire", "quantity_above"),
    "urban_flood": ("depth", "quantity_above"),
    "traffic": ("traffic_flow", "quantity_below"),
    "flash_flood": ("report_flood", ""),
    "debris_flow": ("report_debris_flow", ""),
}


@pytest.mark.parametrize("hazard", SEEN)
def test_what_is_measured_is_not_likely(hazard: str) -> None:
    quantity, kind = SEEN[hazard]
    d = neutral()
    seen = Evidence(station="G01", quantity=quantity, value=3.0, threshold=2.0, kind=kind)
    a = msgspec.structs.replace(sample("K01", hazard, Grade(Level.RED)), evidence=(seen,))
    for lang, likely in (("zh", "可能性|风险"), ("en", "likely|almost certain|possible|risk")):
        text = write(d, Message(a, "public", lang), "app").text  # type: ignore[arg-type]
        assert not re.search(likely, text), text
        assert re.search("监测到|detected|measured|seen|blocked|over its limit", text), text
        forecast = write(d, Message(msgspec.structs.replace(a, evidence=()), "public", lang), "app")  # type: ignore[arg-type]
        assert re.search(likely, forecast.text), forecast.text
    doubtful = msgspec.structs.replace(a, suspect=True)
    assert re.search("可能性|风险", write(d, Message(doubtful, "public", "zh"), "app").text)
    ahead = msgspec.structs.replace(
        a, evidence=(msgspec.structs.replace(seen, kind="quantity_rise"),)
    )
    assert re.search("可能性|风险", write(d, Message(ahead, "public", "zh"), "app").text)


def test_a_forecast_is_worded_by_its_chance_and_never_as_more() -> None:
    d = neutral()
    of = {"kind": "level_forecast", "window_min": 60, "reach": 3.2}
    for chance, zh, en, certainty in (
        (0.7, "可能性较大", "likely", "Likely"),
        (0.5, "可能", "possible", "Possible"),
    ):
        e = Evidence(station="S9", quantity="stage", value=chance * 100, chance=chance, **of)  # type: ignore[arg-type]
        a = sample("K01", "flash_flood", Grade(Level.RED, Action.MOVE))
        a = msgspec.structs.replace(a, evidence=(e,))
        said = write(d, Message(a, "public", "zh"), "app").text
        assert zh in said
        assert not re.search("可能性大|可能性很大", said), said
        told = write(d, Message(a, "public", "en"), "app").text
        assert en in told
        assert not re.search("very likely|almost certain", told), told
        percent = f"{chance * 100:.0f}%"
        assert f"未来60分钟水位达到3.2m的可能性{percent}" in evidence(d, e, "zh")
        assert f"chance of stage 3.2 m within 60 min {chance * 100:.0f} %" in evidence(d, e, "en")
        cap = delivery("flash_flood", Grade(Level.RED, Action.MOVE), chance=foreseen(a))
        found = parse_cap(build(d, cap, cap.routes[0])).findtext(f".//{{{NAMESPACE}}}certainty")
        assert found == certainty
        rain = Evidence(station="R9", quantity="rain", value=60.0, threshold=50.0)
        assert foreseen(msgspec.structs.replace(a, evidence=(e, rain))) is None


def test_cap_says_the_words_of_the_templates_and_of_the_district() -> None:
    d = neutral()
    for hazard in HAZARD_ZH:
        for grade in (Grade(Level.YELLOW), Grade(Level.RED, Action.MOVE)):
            made = delivery(hazard, grade)
            message = parse_cap(build(d, made, made.routes[0]))
            for number, lang in enumerate(("zh", "en"), 1):
                info = message.findall(f"{{{NAMESPACE}}}info")[number - 1]
                said = info.findtext(f"{{{NAMESPACE}}}instruction") or ""
                assert said == instruction(d, hazard, grade, d.areas["K01"], lang)  # type: ignore[arg-type]
                assert not re.search(FOREIGN[hazard], said, re.IGNORECASE), said
    seen = parse_cap(
        build(d, delivery("chemical", Grade(Level.RED), observed=True), made.routes[0])
    )
    assert seen.findtext(f".//{{{NAMESPACE}}}certainty") == "Observed"


def test_reports_are_called_by_their_hazard() -> None:
    assert occurrence_zh({"flash_flood", "debris_flow"}) == "汛情、泥石流险情"
    assert occurrence_zh({"debris_flow"}) == "泥石流险情", "slopes are no 汛情"
    assert occurrence_zh({"river_flood", "dam_break"}) == occurrence_zh(()) == "汛情"
    assert occurrence_en({"flash_flood", "debris_flow"}) == "flood and debris flow"
    assert occurrence_zh({"urban_flood"}) == "汛情"
    assert occurrence_zh({"chemical"}) == "危险化学品泄漏事件"
    assert occurrence_zh({"chemical", "traffic"}) == "突发事件"
    assert (occurrence_en({"crowd"}), occurrence_en({"crowd", "chemical"})) == (
        "crowding",
        "emergency",
    )
