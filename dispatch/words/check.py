"""Is a district's own wording whole? Checked before anything starts, by file, line and field. Pure
of the clock and the network; it reads the folder `words/`.

First each file by itself: does a template parse, does it ask only for fields that there are, does it
say what it must (`MUST`), does a table have only rows that are used. Then the longest texts: does an
SMS fit, is the loudspeaker done in time, does any text come out empty.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from traceback import extract_tb
from typing import Literal

import msgspec
from jinja2 import TemplateError, TemplateSyntaxError, nodes

from config.language import Text, text_of
from config.read.problem import Problem
from config.records.district import Area, District
from config.records.level import HAZARD_ZH, Action, Level
from dispatch.grade import LEVEL_KEY, Grade
from dispatch.words.compose import (
    SMS_SEGMENTS,
    SPOKEN_S,
    Kind,
    Message,
    field_names,
    template_of,
    ways,
    write,
)
from dispatch.words.issuer import issuer
from dispatch.words.local_time import when
from dispatch.words.sample import sample
from dispatch.words.sms_length import segments
from dispatch.words.spoken import seconds
from dispatch.words.wording import CATEGORY_ZH, OURS, TABLES, environment, places

# what each template may not leave out: (one of these names)
_ALWAYS = (("drill",), ("over",), ("until",))
MUST: dict[str, tuple[tuple[str, ...], ...]] = {
    "sms": (
        *_ALWAYS, ("signature",), ("head", "head_short"), ("advice", "speak"), ("lifted",),
        ("shelter",), ("stay",), ("phone", "hotline"), ("issuer", "issuer_short"), ("sent",),
    ),
    "app": (
        *_ALWAYS, ("head",), ("advice",), ("own",), ("lifted",), ("route",), ("shelter",),
        ("stay",), ("phone", "hotline"), ("issuer",), ("sent",),
    ),
    "broadcast": (
        ("drill",), ("over",), ("until_spoken",), ("head_spoken",), ("speak",), ("speak_lifted",),
        ("shelter_spoken",), ("stay",),
    ),
    "call": (
        ("drill",), ("over",), ("until_spoken",), ("place_spoken",), ("proposed",), ("force",),
        ("duty",), ("answer",), ("hotline_spoken",), ("yours_spoken",),
    ),
    "notice": (
        *_ALWAYS, ("place", "name"), ("hazard",), ("proposed",), ("force",), ("duty",), ("end",),
        ("answer",), ("hotline",), ("signature",), ("evidence",), ("yours",),
    ),
    "organisation": (*_ALWAYS, ("head",), ("signature",), ("hotline",), ("sent",)),
}  # fmt: skip


def word_problems(district: District) -> list[Problem]:
    """Every fault of the folder's words; none: each text of each area comes out whole."""
    folder = district.folder / "words"
    problems: list[Problem] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        file = f"words/{path.name}"
        if path.name in TABLES:
            problems += _table(path, file)
        elif path.suffix == ".j2" and (OURS / path.name).exists():
            problems += _template(path, file, field_names(district))
        elif not path.name.startswith("."):
            there = ", ".join(sorted(p.name for p in OURS.iterdir()))
            problems.append(
                Problem(file, 0, "", Text("没有这个用语文件", "is no file of words"), there)
            )
    return problems or list(_outcomes(district))


def _text(path: Path, file: str) -> tuple[str, list[Problem]]:
    try:
        return path.read_text("utf-8"), []
    except (OSError, UnicodeDecodeError) as e:
        return "", [Problem(file, 0, "", Text("读不出：", "cannot be read: ") + str(e), "UTF-8")]


def _template(path: Path, file: str, known: frozenset[str]) -> list[Problem]:
    text, problems = _text(path, file)
    if problems:
        return problems
    try:
        tree = environment().parse(text)
        environment().compile(text)  # finds filters that do not exist
    except TemplateSyntaxError as e:
        return [
            Problem(file, e.lineno, "", Text("模板写错：", "is no template: ") + f"{e.message}")
        ]
    for outer in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        words = Text("不能引入别的文件", "brings in another file")
        problems.append(Problem(file, outer.lineno, "", words))
    own = {n.name for n in tree.find_all(nodes.Name) if n.ctx != "load"}
    asked = {n.name: n.lineno for n in reversed(list(tree.find_all(nodes.Name))) if n.ctx == "load"}
    for field in sorted(asked.keys() - own - known, key=lambda f: asked[f]):
        problems.append(
            Problem(
                file, asked[field], field, Text("没有这个字段", "there is no such field"),
                Text("可用的：", "there are: ") + ", ".join(sorted(known)),
            )
        )  # fmt: skip
    last = max(1, text.count("\n") + (not text.endswith("\n")))
    for one_of in MUST[path.stem.partition("_")[2]]:
        if not asked.keys() & set(one_of):
            hint = Text("加上 ", "add ") + f"{{{{ {one_of[0]} }}}}"
            lacks = Text("模板缺少这个字段", "the template lacks it")
            problems.append(Problem(file, last, one_of[0], lacks, hint))
    return problems


def _table(path: Path, file: str) -> list[Problem]:
    text, problems = _text(path, file)
    if problems:
        return problems
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        return [Problem(file, 0, "", Text("不是 TOML：", "is no TOML: ") + str(e))]
    return list(_rows(file, text, own, places(path.name), ()))


def _rows(
    file: str, text: str, own: object, ours: object, at: tuple[str, ...]
) -> Iterator[Problem]:
    """What `own` says must stand in `ours`, down to a text that is not empty."""
    column, line = ".".join(at), _line(text, at)
    if isinstance(ours, dict):
        if not isinstance(own, dict):
            yield Problem(file, line, column, Text("应是一节", "should be a table"))
            return
        for key, value in own.items():
            if key in ours:
                yield from _rows(file, text, value, ours[key], (*at, key))
            else:
                line = _line(text, (*at, key))
                place = ".".join((*at, key))
                yield Problem(file, line, place, Text("没有这一项", "is not used"), ", ".join(ours))
    elif not isinstance(own, str) or not own.strip():
        sentence = Text("应是一句话", "should be a sentence")
        yield Problem(file, line, column, sentence, Text("不能空", "not empty"))


def _line(text: str, at: tuple[str, ...]) -> int:
    """Where a row stands: the line of its key in its section, however many names that has (`[school.zh]`,
    `[school.forest_fire.zh]`); of a whole section its head, or the first of those below it."""
    section: tuple[str, ...] = ()
    found, depth = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip().replace(" ", "").replace('"', "")
        head = bare.startswith("[")
        if head:
            section = tuple(bare.strip("[").partition("]")[0].split("."))
        path = section if head else (*section, *bare.partition("=")[0].split("."))
        if path == at:
            return number
        inside = head and path[: len(at)] == at
        above = len(path) if path == at[: len(path)] else len(at) if inside else 0
        if above > depth:
            found, depth = number, above
    return found


_GRADES = (
    Grade(Level.BLUE),
    Grade(Level.RED),
    Grade(Level.ORANGE, Action.PREPARE),
    Grade(Level.RED, Action.MOVE),
)


def _outcomes(district: District) -> Iterator[Problem]:
    """The texts of the areas with the longest names, in every hazard, category and language; each
    other kind of text for one of them."""
    try:
        for hazard in HAZARD_ZH:
            for area in _longest(a for a in district.areas.values() if hazard in a.hazards):
                yield from _of_area(district, area, hazard)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as e:
        frames = [f for f in extract_tb(e.__traceback__) if f.filename.endswith(".j2")]
        where = f"words/{Path(frames[-1].filename).name}" if frames else "words"
        line = frames[-1].lineno or 0 if frames else 0
        yield Problem(where, line, "", Text("模板运行出错：", "the template fails: ") + text_of(e))


def _of_area(district: District, area: Area, hazard: str) -> Iterator[Problem]:
    was = Grade(Level.BLUE)
    for grade in (*_GRADES, Grade()):  # the last: lifted
        alert = sample(area.id, hazard, grade)
        table, key = district.policy.authority, LEVEL_KEY.get(grade.level, "")
        who = table.get(hazard, {}).get(key) or table.get("*", {}).get(key)
        if who is not None and who.joint:  # the longest names of who releases it
            alert = msgspec.structs.replace(alert, issuers=who.by)
        for category in CATEGORY_ZH:
            yield from _fits(district, area, Message(alert, "public", "zh", was, category=category))
        for kind, lang, channel in _OTHERS:
            message = Message(alert, kind, lang, was, "responsible", True)
            if not str(write(district, message, channel).text).strip():
                told = f"{area.id} {hazard}: " + Text("没有字", "comes out empty")
                yield Problem(f"words/{template_of(message, channel)}", 0, "", told)


_OTHERS: tuple[tuple[Kind, Literal["zh", "en"], str], ...] = (
    ("public", "zh", "app"),
    ("public", "en", "app"),
    ("notice", "zh", "sms"),
    ("notice", "en", "sms"),
    ("notice", "zh", "voice"),
    ("organisation", "zh", "sms"),
    ("organisation", "en", "sms"),
)


def _longest(areas: Iterable[Area]) -> list[Area]:
    """Of each kind, the one that takes most room in Chinese, and in English."""
    found: dict[str, Area] = {}
    for a in areas:
        for n in (0, 1):
            best = found.get(f"{a.kind}{n}")
            if best is None or _room(a)[n] > _room(best)[n]:
                found[f"{a.kind}{n}"] = a
    return list({a.id: a for a in found.values()}.values())


def _room(a: Area) -> tuple[int, int]:
    return (
        len(a.township + a.name + a.shelter + a.route),
        len(a.township_en + a.name_en + a.shelter_en + a.route_en),
    )


def _fits(district: District, area: Area, message: Message) -> Iterator[Problem]:
    what = f"{area.id} {message.alert.hazard} {message.category}"
    shorten = Text("缩短安置点、路线或用语", "shorten shelter, route or words")
    zh, aloud = ways(district, message, ("sms", "broadcast"))
    for lang, sms in (("zh", zh), ("en", write(district, message._replace(lang="en"), "sms"))):
        text = str(sms.text)
        given = issuer(district, message.alert, lang, short=True)
        if given not in text and issuer(district, message.alert, lang) not in text:
            told = f"{what}: " + Text("短信里没有发布单位", "the SMS does not say who released it")
            yield Problem(f"words/{lang}_sms.j2", 0, "issuer", told)
        if when(message.alert.sent_at, district.timezone, lang) not in text:
            told = f"{what}: " + Text("短信里没有发布时间", "the SMS does not say when it was released")
            yield Problem(f"words/{lang}_sms.j2", 0, "sent", told)
        if (parts := segments(text)) > (most := SMS_SEGMENTS[lang]):
            told = f"{what}: " + Text(
                f"短信 {parts} 段，最多 {most} 段",
                f"{parts} SMS segments, at most {most}",
            )
            yield Problem(f"words/{lang}_sms.j2", 0, "", told, shorten)
    if (s := seconds(str(aloud.text))) > SPOKEN_S:
        told = f"{what}: " + Text(
            f"播一遍约 {s:.0f} 秒，最多 {SPOKEN_S:.0f} 秒",
            f"{s:.0f} seconds to say, at most {SPOKEN_S:.0f}",
        )
        yield Problem("words/zh_broadcast.j2", 0, "", told, shorten)
