"""What must be true of `[release]` of channels.toml, the way to a release platform 12379. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.language import Said, Text
from config.read.problem import Problem, no_hazard
from config.records.channels import COLOURS, Release
from config.records.level import HAZARD_ZH

_FILE = "channels.toml"


def release_problems(release: Release) -> list[Problem]:
    """What is wrong with it, by key."""
    return [Problem(_FILE, 0, f"release.{key}", *words) for key, *words in _faults(release)]


def _faults(r: Release) -> Iterator[tuple[str, Said, Said]]:
    given = r != Release()
    if given and not re.fullmatch(r"\d{14}", r.sender_code):
        words = Text("不是平台分配的 14 位代码", "is not the 14 digits that the platform assigns")
        yield "sender_code", words, "11011941600000"
    for hazard, code in r.event_types.items():
        if hazard not in HAZARD_ZH:
            yield f"event_types.{hazard}", no_hazard(hazard), ", ".join(HAZARD_ZH)
        if not re.fullmatch(r"[0-9A-Z]{5}", code):
            words = Text("不是 5 位事件代码", "is no event code of five characters")
            yield f"event_types.{hazard}", words, "11A51"
    for order, colour in r.orders.items():
        if order not in ("move", "prepare") or colour not in COLOURS.values():
            words = Text("不是指令或颜色", "is no order or no colour")
            yield f"orders.{order}", words, 'orders = { move = "Red", prepare = "Orange" }'
    if r.secret and not r.secret.startswith(("env:", "file:/")):
        words = Text("密钥不写在配置里", "a secret does not stand here")
        yield "secret", words, Text("env:NAME 或 file:/PATH", "env:NAME or file:/PATH")
    yield from _place(r)


def _place(r: Release) -> Iterator[tuple[str, Said, Said]]:
    parts = urlsplit(r.url)
    ftp = parts.scheme in ("ftp", "ftps") and bool(parts.hostname)
    if r.url and not ftp and not (parts.scheme == "file" and parts.path.startswith("/")):
        words = Text("不是文件夹或 FTP 地址", "is no folder and no FTP address")
        yield "url", words, "file:///srv/12379/out, ftp://USER@HOST/in"
    if parts.password:
        words = Text("口令不写在配置里", "a password does not stand here")
        yield "url", words, "secret"
    if r.answers and not r.answers.startswith("/"):
        yield "answers", Text("不是文件夹", "is no folder"), "/srv/12379/answers"
