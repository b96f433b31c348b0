"""A district's own tests: scenarios/*.toml say which levels a given series must raise, and when."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from config.language import Said, Text, en, text_of, zh
from config.load import ConfigError
from config.read.problem import Problem
from config.records.district import District
from config.records.level import Action, Level
from config.records.quantity import QUANTITIES, unknown


class Expect(NamedTuple):
    """At `at` the area's level and action are these; or, `by`: reached at `at` at the latest. rule: what
    this rule alone asks for, whatever others do."""

    area: str
    hazard: str
    at: int
    level: Level | None
    action: Action | None
    how: Literal["at", "by", "thin"]
    rule: str = ""


class GivenReading(NamedTuple):
    """value: count of the quantity's resolution. picture: of a camera, its JPEG."""

    station: str
    quantity: str
    observed_at: int
    value: int
    picture: bytes = b""


class CheckScenario(NamedTuple):
    """One scenario."""

    name: str
    title: Said
    observations: list[GivenReading]
    expect: list[Expect]


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    station: str
    quantity: str
    start: datetime
    every_s: int
    values: list[float] = []
    pictures: list[str] = []  # of a camera: JPEG files beside the scenario
    repeat: int = 1


class _Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    area: str
    hazard: str
    at: datetime
    level: Literal["none", "blue", "yellow", "orange", "red"] | None = None
    action: Literal["none", "prepare", "move"] | None = None
    how: Literal["at", "by", "thin"] = "at"
    rule: str = ""  # of rules.toml: run, or a [[rule]]'s id


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    title_en: str = ""  # title, where there is none
    given: list[_Given]
    expect: list[_Expected]


def _ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(
            Text(
                f"{moment} 没有时区：写成 2025-07-26T12:00:00+08:00",
                f"{moment} has no time zone: write 2025-07-26T12:00:00+08:00",
            )
        )
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _rows(given: _Given, district: District) -> list[GivenReading]:
    """Raises ValueError in words."""
    if given.station not in district.stations:
        raise ValueError(
            Text(
                f"没有监测站 {given.station}",
                f"{given.station} is no station of stations.csv",
            )
        )
    if given.quantity not in QUANTITIES:
        known = unknown(given.quantity)
        raise ValueError(
            Text(
                f"没有要素 {given.quantity}：{zh(known)}",
                f"{given.quantity} is no quantity: {en(known)}",
            )
        )
    if district.stations[given.station].quantity != given.quantity:
        raise ValueError(
            Text(
                f"{given.station} 不测 {given.quantity}",
                f"{given.station} does not measure {given.quantity}",
            )
        )
    of_camera = given.quantity == "frame"
    if bool(given.pictures) != of_camera or (of_camera and given.values):
        raise ValueError(
            Text(
                f"{given.station}: 摄像机写 `pictures`（文件名），别的站写 `values`",
                f"{given.station}: a camera has `pictures` (file names), any other station `values`",
            )
        )
    many = len(given.pictures) or len(given.values)
    if given.every_s <= 0 or not many or not 0 < given.repeat <= 10_000:
        raise ValueError(
            Text(
                f"{given.station}: every_s、values、repeat 应为正",
                f"{given.station}: every_s、values、repeat must be positive",
            )
        )
    quantity, start, step = QUANTITIES[given.quantity], _ms(given.start), given.every_s * 1000
    times = [start + n * step for n in range(many * given.repeat)]
    if of_camera:
        bodies = [_picture(district.folder / "scenarios", name) for name in given.pictures]
        return [
            GivenReading(given.station, given.quantity, at, len(body), body)
            for at, body in zip(times, bodies * given.repeat, strict=True)
        ]
    return [
        GivenReading(given.station, given.quantity, at, quantity.count(value))
        for at, value in zip(times, given.values * given.repeat, strict=True)
    ]


def _picture(folder: Path, name: str) -> bytes:
    """A file of the scenarios' folder. Raises ValueError in words."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise ValueError(
            Text(f"scenarios 里没有图像 {name}", f"there is no picture {name} in scenarios")
        )
    return path.read_bytes()


def _expected(e: _Expected, district: District) -> Expect:
    """Raises ValueError in words."""
    if e.area not in district.areas:
        raise ValueError(Text(f"没有预警区 {e.area}", f"{e.area} is no area"))
    if e.hazard not in district.areas[e.area].hazards:
        raise ValueError(
            Text(f"{e.area} 没有灾种 {e.hazard}", f"{e.area} has no hazard {e.hazard}")
        )
    if e.level is None and e.action is None and e.how != "thin":
        raise ValueError(
            Text(
                f"{e.area}: 没有写期望的等级或指令",
                f"{e.area}: expects neither a level nor an action",
            )
        )
    rules = (*district.rules.run, *(r.id for r in district.rules.rule))
    if e.rule and e.rule not in rules:
        raise ValueError(
            Text(
                f"没有规则 {e.rule}，有：{', '.join(rules)}",
                f"{e.rule} is no rule; there are: {', '.join(rules)}",
            )
        )
    return Expect(
        e.area,
        e.hazard,
        _ms(e.at),
        Level[e.level.upper()] if e.level else None,
        Action[e.action.upper()] if e.action else None,
        e.how,
        e.rule,
    )


def load_scenario(path: Path, district: District) -> CheckScenario:
    """Raises ConfigError with what to do."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
        rows = [row for given in file.given for row in _rows(given, district)]
        expect = [_expected(e, district) for e in file.expect]
    except (
        ValueError,
        OverflowError,
        OSError,
    ) as e:  # msgspec's and tomllib's errors are ValueErrors
        problem = Problem(
            f"scenarios/{path.name}",
            0,
            "",
            text_of(e),
            Text("见 config/README.md", "see config/README.en.md"),
        )
        raise ConfigError(district.folder, [problem]) from e
    title = Text(file.title, file.title_en or file.title)
    return CheckScenario(path.stem, title, rows, expect)


def scenarios(district: District) -> list[CheckScenario]:
    """Every scenario of the district, by name."""
    folder = district.folder / "scenarios"
    return [load_scenario(p, district) for p in sorted(folder.glob("*.toml"))]
