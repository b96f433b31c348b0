"""Words by audience and channel, what a district may change of them, and what is refused."""

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from config.load import load
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH, Action, Level
from dispatch.address.stage import Address
from dispatch.cap.publish import Cap
from dispatch.grade import Grade
from dispatch.words.check import SPOKEN_S, word_problems
from dispatch.words.compose import SMS_SEGMENTS, Message, instruction, ways, write
from dispatch.words.sample import sample
from dispatch.words.sms_length import segments
from dispatch.words.spoken import seconds, spoken
from dispatch.words.wording import CATEGORY_ZH
from fengsui.cli.root import cli
from stream.stages.stage import Item

YANQING = Path(__file__).parents[3] / "config" / "yanqing"
GRADES = [Grade(lv, a) for lv in Level for a in Action if lv or a]
WAS = [None, Grade(Level.BLUE), Grade(Level.RED, Action.MOVE)]
# words of the trade: no resident should have to know them. 预警、转移 are what they are told in drills
JARGON = re.compile(
    "阈值|临界|研判|小流域|历时|前期雨量|土壤含水|汇流|洪峰|重现期|频率|QPE|可能性等级|风险区划|避险|处置|"
    "响应|会商|承灾|致灾|隐患|雨强|mm|毫米|threshold|antecedent|catchment|return period|hazard|"
    "evidence|inundation|probability|mitigation"
)


@cache
def yanqing() -> District:
    return load(YANQING)


def public(area: str, hazard: str, grade: Grade, **more: object) -> Message:
    return Message(sample(area, hazard, grade), "public", "zh", **more)  # type: ignore[arg-type]


def longest_and_shortest() -> list[str]:
    """Areas between which all others lie, by the room that their names take."""
    by = sorted(yanqing().areas.values(), key=lambda a: (len(a.name), len(a.name_en)))
    wide = max(by, key=lambda a: len(a.name_en))
    return list(dict.fromkeys((by[0].id, by[-1].id, wide.id)))


@pytest.mark.parametrize("hazard", HAZARD_ZH)
@pytest.mark.parametrize("category", CATEGORY_ZH)
def test_every_text_of_every_audience(hazard: str, category: str) -> None:
    d = yanqing()
    for area in (d.areas[a] for a in longest_and_shortest()):
        for grade in (*GRADES, Grade()):
            for was in WAS:
                m = public(area.id, hazard, grade, was=was, category=category)
                for lang, mark in (("zh", "（演练）"), ("en", "EXERCISE. ")):
                    channels = ["sms", "app", "email", "voice", "cap", "broadcast"]
                    for route in ways(d, m._replace(lang=lang), channels[: 6 if lang == "zh" else 5]):  # type: ignore[arg-type]
                        whole(route.text, route.channel, lang, grade, area)
                        if route.channel != "sms":
                            assert route.title.startswith(mark)


def whole(text: str, channel: str, lang: str, grade: Grade, area) -> None:  # type: ignore[no-untyped-def]
    aloud = channel == "broadcast" or (channel == "voice" and lang == "zh")
    mark = "（演练）" if lang == "zh" or aloud else "EXERCISE. "
    assert mark in text[:20], text
    assert "{" not in text
    assert "None" not in text
    assert "。。" not in text, text
    assert ".." not in text, text
    assert not re.search(r"，[。，]|\. \.|  ", text), text
    assert not JARGON.search(text), text
    if channel == "sms":
        assert segments(text) <= SMS_SEGMENTS[lang], text
        assert area.phone in text
    if aloud:
        assert text.endswith(mark), text
        assert seconds(text) <= SPOKEN_S, text
        assert not re.search(r"[0-9A-Za-z%:.-]", text), text
        assert all(clause <= 22 for clause in map(len, re.split("[，。！]", text))), text
    elif grade:
        assert "04:10" in text
    if grade.action and (not aloud or channel != "broadcast"):
        assert (spoken(area.shelter) in text if aloud else area.shelter[:4] in text) or (
            area.shelter_en in text or "不要返回" in text
        )


@pytest.mark.parametrize("category", CATEGORY_ZH)
@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_a_telephone_preview_shows_hazard_place_and_what_to_do(hazard: str, category: str) -> None:
    """What a locked screen shows of an SMS: the first of its segments. For red and 立即转移 a verb
    comes before how likely it is."""
    for area in yanqing().areas.values():
        for grade in (Grade(Level.RED), Grade(Level.RED, Action.MOVE)):
            m = public(area.id, hazard, grade, category=category)
            text = write(yanqing(), m, "sms").text
            first = text[:70]
            assert area.name in first
            assert HAZARD_ZH[hazard] in first
            assert re.search("立即|马上|疏散", first), first
            assert text.index("可能性") > text.index("安置点") if "可能性" in text else True
            english = write(yanqing(), m._replace(lang="en"), "sms").text[:100]
            assert area.name_en in english
            assert HAZARD_EN[hazard].upper() in english.upper()
            assert re.search("NOW|now|LEAVE CALMLY", english), english


def test_each_category_is_told_its_own() -> None:
    said = {}
    for category in CATEGORY_ZH:
        for grade in (Grade(Level.YELLOW), Grade(Level.RED), Grade(Level.RED, Action.MOVE)):
            m = public("A01", "flash_flood", grade, category=category)
            for channel in ("sms", "app", "voice"):
                said[category, grade, channel] = write(yanqing(), m, channel).text
    assert len(set(said.values())) == len(said)
    move = Grade(Level.RED, Action.MOVE)
    assert "逐班点名" in said["school", move, "sms"]
    assert "逐床核对" in said["care_home", move, "voice"]
    assert "不走沟道" in said["mine", move, "sms"]  # the hazard's own advice stays


def test_a_camp_and_a_road_speak_to_whom_they_find() -> None:
    d = yanqing()
    camp = msgspec.structs.replace(d.areas["A01"], kind="camp")
    d = msgspec.structs.replace(d, areas={**d.areas, "A01": camp})
    text = write(d, public("A01", "flash_flood", Grade(Level.RED, Action.MOVE)), "broadcast").text
    assert "离开营地" in text


def test_a_school_on_the_list_gets_the_words_of_a_school() -> None:
    d = yanqing()
    school = msgspec.structs.replace(d.contacts["C-0002"], category="school")
    d = msgspec.structs.replace(d, contacts={**d.contacts, "C-0002": school})
    stage, alert = Address(d), sample("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    _, writes = stage.step(stage.new(0), [Item(0, 0, "", alert)])
    texts = {w.record.recipient: w.record.routes[0].text for w in writes}  # type: ignore[union-attr]
    assert "逐班点名" in texts["C-0002"]
    assert "逐班点名" not in texts["C-0003"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("18:30前", "十八点三十分前"),
        ("04:05", "凌晨四点零五分"),
        ("52.3mm", "五十二点三毫米"),
        ("雨量120毫米", "雨量一百二十毫米"),
        ("1005人", "一千零五人"),
        ("2000m", "两千米"),
        ("2户", "两户"),
        ("110米", "一百一十米"),
        ("10500人", "一万零五百人"),
        ("80%", "百分之八十"),
        ("0.5%", "百分之零点五"),
        ("3.25m/s", "三点二五米每秒"),
        ("拨119", "拨幺幺九"),
        ("010-69100000", "零幺零，六九幺零零零零零"),
        ("京藏110国道", "京藏幺幺零国道"),
        ("12号楼（3层）", "十二号楼，三层"),
        ("27日", "二十七日"),
    ],
)
def test_figures_are_read_as_a_person_reads_them(written: str, said: str) -> None:
    assert spoken(written) == said


# what a district may put into its folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "yanqing"
    shutil.copytree(YANQING, folder)
    (folder / "words").mkdir()
    return folder


def test_a_district_changes_one_row_and_one_template(own: Path) -> None:
    before = load(own)
    (own / "words" / "advice.toml").write_text('[flash_flood.zh]\nmove = "马上上山"\n')
    ours = Path(__file__).parents[3] / "dispatch" / "words" / "templates" / "zh_broadcast.j2"
    changed = ours.read_text().replace("有效到", "管到")
    (own / "words" / "zh_broadcast.j2").write_text(changed)
    d = load(own)
    assert word_problems(d) == []
    assert d.version != before.version
    m = public("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    assert "马上上山" in write(d, m, "sms").text
    assert (
        "管到今天" in write(d, m, "broadcast").text or "管到明天" in write(d, m, "broadcast").text
    )
    red = public("A01", "flash_flood", Grade(Level.RED))
    assert write(d, red, "app") == write(before, red, "app")


def test_what_changes_before_the_first_warning_speaks_after_the_next_start(
    own: Path, tmp_path: Path
) -> None:
    """A stage judges its district in a copy of itself, and may not warn for weeks: words that somebody is
    changing meanwhile, checked by nobody, go out in no warning."""
    ours = Path(__file__).parents[3] / "dispatch" / "words" / "templates"
    m = public("A01", "flash_flood", Grade(Level.RED, Action.MOVE))
    begins: tuple[Callable[[District], object], ...] = (Address, lambda d: Cap(d, tmp_path / "cap"))
    for n, begin in enumerate(begins):
        (own / "words" / "zh_sms.j2").write_text((ours / "zh_sms.j2").read_text() + str(n))
        d = load(own)
        begin(d)
        for name in ("zh_sms.j2", "zh_app.j2", "en_app.j2"):  # of the district's own, and new ones
            (own / "words" / name).write_text("{{ nobody_gives_this }}")
        (own / "words" / "advice.toml").write_text("half a fi")
        assert str(n) in write(d, m, "sms").text
        assert write(d, m, "app") == write(yanqing(), m, "app")
        assert instruction(d, "flash_flood", Grade(Level.RED), d.areas["A01"], "zh")
        shutil.rmtree(own / "words")
        (own / "words").mkdir()


def test_a_district_adds_what_an_audience_does_in_one_hazard(own: Path) -> None:
    """A row that we have none for; what is not added stays as it was."""
    (own / "words" / "audience.toml").write_text(
        '[school.chemical.zh]\nmove = "师生往上风向撤离，逐班点名"\n'
        '[school.urban_flood.speak]\nmove = "师生上二楼。"\n'
        '[camp.flash_flood.zh]\nprepare = "收营点人，车钥匙交管理员"\n'
    )
    before, d = load(YANQING), load(own)
    areas = {i: msgspec.structs.replace(a, hazards=tuple(HAZARD_ZH)) for i, a in d.areas.items()}
    d = msgspec.structs.replace(d, areas=areas)
    assert word_problems(d) == []

    def said(hazard: str, grade: Grade, category: Any, channel: str, of: District = d) -> str:
        m = Message(sample("A01", hazard, grade), "public", "zh", category=category)
        return str(write(of, m, channel).text)

    move, prepare = Grade(Level.RED, Action.MOVE), Grade(Level.ORANGE, Action.PREPARE)
    assert "师生往上风向撤离，逐班点名" in said("chemical", move, "school", "sms")
    assert "上风向撤离" not in said("chemical", move, "care_home", "sms")
    assert "上风向撤离" not in said("forest_fire", move, "school", "sms")
    assert "师生上二楼。" in said("urban_flood", move, "school", "broadcast")
    assert "车钥匙交管理员" in said("flash_flood", prepare, "camp", "sms")
    assert "车钥匙" not in said("debris_flow", prepare, "camp", "sms")
    for hazard in ("chemical", "flash_flood"):
        for grade in (prepare, Grade(Level.BLUE)):
            same = (
                said(hazard, grade, "school", "app"),
                said(hazard, grade, "school", "app", before),
            )
            assert same[0] == same[1]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("zh_sms.j2", "{{ shelter }}", "{{ shleter }}", "words/zh_sms.j2:8:shleter:"),
        ("zh_sms.j2", "{{ shelter }}", "村委会", "words/zh_sms.j2:12:shelter:"),
        ("zh_sms.j2", "{{ drill }}", "", "words/zh_sms.j2:12:drill:"),
        ("zh_broadcast.j2", "{% endif -%}", "", "words/zh_broadcast.j2:"),
        ("zh_app.j2", "{{ route }}", "{{ route | upside }}", "words/zh_app.j2:5:"),
        ("zh_app.j2", "{{ route }}", "{{ route.first.second }}", "words/zh_app.j2:5:"),
        ("en_app.j2", "{{ head }}", "{% include 'x' %}", "words/en_app.j2:1:"),
        ("zh_call.j2", "{{ duty }}", "", "words/zh_call.j2:6:duty:"),
        ("zh_sms.j2", "{{ issuer_short }}", "{{ issuer_short }}" + "很长" * 100, "words/zh_sms.j2: A"),
        ("zh_sms.j2", "{{ issuer_short }}", "", "words/zh_sms.j2:12:issuer:"),
        ("zh_sms.j2", "{{ sent }}", "", "words/zh_sms.j2:12:sent:"),
        ("zh_sms.j2", "路线：", "路线：" + "很长" * 100, None),
        ("zh_sms.j2", "安置点：", "路线很长" * 50, "words/zh_sms.j2: A"),
        ("zh_broadcast.j2", "有效到", "很长很长的话，" * 9, "words/zh_broadcast.j2: A"),
    ],
)
def test_a_wrong_template_is_named_by_file_line_and_field(
    own: Path, file: str, old: str, new: str, told: str | None
) -> None:
    text = (Path(__file__).parents[3] / "dispatch" / "words" / "templates" / file).read_text()
    assert old in text
    (own / "words" / file).write_text(text.replace(old, new))
    problems = [str(p) for p in word_problems(load(own))]
    assert any(p.startswith(told) for p in problems) if told else not problems, problems
    if told:
        for command in (["check"], ["words", "A01", "flash_flood", "red"], ["run"]):
            done = CliRunner().invoke(cli, ["--config", str(own), *command])
            assert done.exit_code != 0
            assert told in done.output + str(done.exception), done.output


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("advice.toml", '\n[flash_flod.zh]\nred = "走"\n', "advice.toml:2:flash_flod:"),
        ("advice.toml", '[flash_flood.zh]\nrde = "走"\n', "advice.toml:2:flash_flood.zh.rde:"),
        ("advice.toml", '[flash_flood.zh]\nred = " "\n', "advice.toml:2:flash_flood.zh.red:"),
        ("advice.toml", "[flash_flood.zh]\nred = 3\n", "advice.toml:2:flash_flood.zh.red:"),
        ("advice.toml", "[flash_flood\n", "advice.toml: 不是 TOML"),
        ("audience.toml", '[school]\nzh = "走"\n', "audience.toml:2:school.zh:"),
        (
            "audience.toml",
            '[school.zh]\nmove = "走"\n\n[school.chemical.zh]\nmove = ""\n',
            "audience.toml:5:school.chemical.zh.move:",
        ),
        (
            "audience.toml",
            '[school.chemical.en]\nmove = "go"\n[school.chemical.zh]\n\nmvoe = "走"\n',
            "audience.toml:5:school.chemical.zh.mvoe:",
        ),
        (
            "audience.toml",
            '[school.zh]\nmove = "走"\n[school]\nchemical.zh.move = 3\n',
            "audience.toml:4:school.chemical.zh.move:",
        ),
        (
            "audience.toml",
            '[school.chemical]\nzh = { move = "" }\n',
            "audience.toml:2:school.chemical.zh.move:",
        ),
        ("zh_smss.j2", "x", "zh_smss.j2: 没有这个用语文件"),
    ],
)
def test_a_wrong_row_is_named(own: Path, file: str, text: str, told: str) -> None:
    (own / "words" / file).write_text(text)
    problems = [str(p) for p in word_problems(load(own))]
    assert any(p.startswith(f"words/{told}") for p in problems), problems


def test_the_preview_shows_every_audience() -> None:
    done = CliRunner().invoke(cli, ["words", "A01", "flash_flood", "move", "--drill"])
    assert done.exit_code == 0, done.output
    for name in (*CATEGORY_ZH, "responsible", "observer", "organisation"):
        assert f" {name} · sms · zh · " in done.output
        assert f" {name} · sms · en · " in done.output
    assert " segments, " in done.output
    assert " seconds" in done.output
    assert "（演练）" in done.output
    one = CliRunner().invoke(
        cli, ["words", "A01", "flash_flood", "red", "--channel", "broadcast", "--to", "resident"]
    )
    assert one.output.count("── ") == 2  # its head, in both languages
    assert "演练" not in one.output
    assert CliRunner().invoke(cli, ["words", "A99", "flash_flood", "red"]).exit_code != 0


def test_the_preview_of_two_hazards_is_the_one_message_that_is_sent() -> None:
    call = ["words", "A01", "flash_flood", "red", "--to", "resident", "--lang", "zh"]
    both = CliRunner().invoke(cli, [*call, "--channel", "sms", "--beside", "debris_flow=move"])
    assert both.exit_code == 0, both.output
    assert "香屯村泥石流红色、山洪红色预警；转移指令：立即转移。" in both.output
    alone = CliRunner().invoke(cli, [*call, "--channel", "cap", "--beside", "debris_flow=move"])
    assert "泥石流" not in alone.output, "in CAP each hazard has a message of its own"
    for wrong in ("flash_flood=red", "debris_flow", "debris_flow=purple", "mud=red"):
        assert CliRunner().invoke(cli, [*call, "--beside", wrong]).exit_code != 0
