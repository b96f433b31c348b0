"""A colour is the forecast's, an order the county's command: no public text has both in one breath without
naming each. Who released it, and when, is in every public text. The likelihood words are those of the joint
notices."""

import re
from itertools import product

import msgspec
import pytest

from config.records.level import ACTION_EN, HAZARD_ZH, Action, Level, order_en, order_zh
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.compose import Kind, Message, write
from dispatch.words.likelihood import likelihood
from dispatch.words.sample import sample
from dispatch.words.wording import CATEGORY_ZH
from tests.support.districts import yanqing

WAYS: tuple[tuple[Kind, str], ...] = (
    ("public", "sms"), ("public", "app"), ("public", "broadcast"), ("public", "voice"),
    ("public", "email"), ("public", "cap"), ("public", "broadcast_platform"),
    ("organisation", "sms"), ("organisation", "app"), ("organisation", "webhook"),
)  # fmt: skip
GRADES = [Grade(lv, a) for lv, a in product(list(Level)[1:], (Action.PREPARE, Action.MOVE))]
WAS = (None, Grade(Level.BLUE), Grade(Level.RED, Action.MOVE), Grade(Level.YELLOW, Action.PREPARE))


def apart(text: str, hazard: str, action: Action, lang: str) -> bool:
    """Is the order named as one wherever it is said after a colour?"""
    if lang == "zh":
        order = order_zh(hazard, action)
        bare = re.sub(r"指令(：|调整为)" + order, "", text)
        named = bare == text or order not in bare
        return named and not re.search(rf"预警[，、 ]?{order}", text)
    order = order_en(hazard, action).upper()
    return not re.search(rf"(BLUE|YELLOW|ORANGE|RED)[^;.]*{order}", text) and not re.search(
        rf"(blue|yellow|orange|red) warning, {ACTION_EN[action]}", text
    )


@pytest.mark.parametrize("hazard", HAZARD_ZH)
def test_no_public_text_says_colour_and_order_in_one_breath(hazard: str) -> None:
    d = yanqing()
    area = next(a for a in d.areas.values() if a.kind == "village")
    other = next(h for h in HAZARD_ZH if h != hazard)
    for grade, (kind, channel), lang in product(GRADES, WAYS, ("zh", "en")):
        if channel == "broadcast" and lang == "en":
            continue  # a loudspeaker speaks Chinese
        spoken = channel in ("broadcast", "broadcast_platform") or (
            channel == "voice" and lang == "zh" and kind == "public"
        )
        for category in CATEGORY_ZH if channel == "sms" else ("resident",):
            for was in WAS:
                for beside in ((), (sample(area.id, other, Grade(Level.YELLOW)),)):
                    if beside and kind != "public":
                        continue
                    a = sample(area.id, hazard, grade)
                    m = Message(a, kind, lang, was, category=category, beside=beside)  # type: ignore[arg-type]
                    route = write(d, m, channel)
                    language = "zh" if spoken else lang
                    for text in (str(route.text), str(route.title)):
                        assert apart(text, hazard, grade.action, language), text


def test_the_long_texts_say_that_they_are_two_things() -> None:
    d, a = yanqing(), sample("A01", "flash_flood", Grade(Level.YELLOW, Action.MOVE))
    zh = str(write(d, Message(a, "public", "zh"), "app").text)
    en = str(write(d, Message(a, "public", "en"), "app").text)
    assert (
        "山洪黄色预警；转移指令：立即转移。颜色是预警等级，转移指令由本地下达，请按指令行动。" in zh
    )
    assert "warning YELLOW; by order MOVE NOW" in en
    assert "The colour is the warning's level, the order is the district's own" in en
    only = sample("A01", "flash_flood", Grade(action=Action.MOVE))
    assert "颜色" not in str(write(d, Message(only, "public", "zh"), "app").text)


def test_who_released_it_and_when_stay_in_every_sms() -> None:
    d = yanqing()
    for area, hazard in product(d.areas.values(), ("flash_flood", "debris_flow")):
        for grade in (Grade(), Grade(Level.YELLOW), Grade(Level.RED, Action.MOVE)):
            a = sample(area.id, hazard, grade)
            zh = str(write(d, Message(a, "public", "zh", Grade(Level.BLUE)), "sms").text)
            en = str(write(d, Message(a, "public", "en", Grade(Level.BLUE)), "sms").text)
            assert f"{d.issuer}26日22:10发布" in zh
            assert f"{d.issuer_short_en}, 22:10 26 Jul" in en


def jointly(grade: Grade, *offices: str) -> Alert:
    return msgspec.structs.replace(sample("A01", "debris_flow", grade), issuers=offices)


def test_a_joint_release_names_those_who_agreed_and_beside_an_order_whose_that_is() -> None:
    d = yanqing()

    def sms(a: Alert, lang: str = "zh") -> str:
        return str(write(d, Message(a, "public", lang), "sms").text)  # type: ignore[arg-type]

    both = ("resources", "weather")
    assert "规自分局、气象局联合26日22:10发布" in sms(jointly(Grade(Level.YELLOW), *both))
    assert "规自分局26日22:10发布" in sms(jointly(Grade(Level.YELLOW), "resources"))
    ordered = sms(jointly(Grade(Level.YELLOW, Action.MOVE), *both))
    assert f"预警由规自分局、气象局联合、指令由{d.issuer}26日22:10发布" in ordered
    assert "natural resources office and weather office" in sms(
        jointly(Grade(Level.YELLOW), *both), "en"
    )


def test_another_organisation_is_told_who_released_it_too() -> None:
    d, a = yanqing(), jointly(Grade(Level.YELLOW), "resources", "weather")
    for lang, names in (
        ("zh", "规自分局、气象局联合"),
        ("en", "natural resources office and weather office"),
    ):
        for channel in ("sms", "app", "webhook"):
            assert names in str(write(d, Message(a, "organisation", lang), channel).text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hazard", "words"),
    [
        (
            "flash_flood",
            ["可能发生山洪", "发生山洪可能性较大", "发生山洪可能性大", "发生山洪可能性很大"],
        ),
        (
            "debris_flow",
            [
                "发生泥石流有一定风险",
                "发生泥石流风险较高",
                "发生泥石流风险高",
                "发生泥石流风险很高",
            ],
        ),
    ],
)
def test_the_likelihood_words_of_the_joint_notices(hazard: str, words: list[str]) -> None:
    event = f"发生{HAZARD_ZH[hazard]}"
    assert [likelihood(hazard, event, lv, "zh") for lv in list(Level)[1:]] == words
    for level, said in zip(list(Level)[1:], words, strict=True):
        text = str(
            write(
                yanqing(), Message(sample("A01", hazard, Grade(level)), "public", "zh"), "app"
            ).text
        )
        assert said in text


def test_a_districts_names_may_have_the_number_of_the_level() -> None:
    d = yanqing()
    d = msgspec.structs.replace(d, policy=msgspec.structs.replace(d.policy, level_numbers=True))
    a = sample("A01", "flash_flood", Grade(Level.BLUE))
    route = write(d, Message(a, "public", "zh"), "app")
    assert "山洪蓝色（Ⅳ级）预警" in str(route.title)
    assert "山洪蓝色（Ⅳ级）预警" in str(route.text)
    assert "BLUE (level IV)" in str(write(d, Message(a, "public", "en"), "app").text)
    assert "Ⅳ" not in str(write(d, Message(a, "public", "zh"), "broadcast").text)  # read aloud
