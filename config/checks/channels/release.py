"""What must be true of `[release]` and `[wis2]` of channels.toml, the ways to a release platform 12379 and to
WMO's information system. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.language import Said, Text
from config.read.problem import Problem, no_hazard
from config.records.channels import COLOURS, Channels, Release, Wis2
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


def wis2_problems(channels: Channels) -> list[Problem]:
    """What is wrong with `[wis2]`, by key."""
    return [Problem(_FILE, 0, key, *words) for key, *words in _of_wis2(channels)]


def _of_wis2(channels: Channels) -> Iterator[tuple[str, Said, Said]]:
    w = channels.wis2
    if w == Wis2():
        return
    if not re.fullmatch(r"[a-z]{2,}(-[a-z0-9-]+)+", w.centre_id):
        yield "wis2.centre_id", Text("不是中心代号", "is no centre id"), "cn-yanqing"
    if not w.metadata_id.startswith("urn:wmo:md:"):
        words = Text("不是数据集的元数据编号", "is no id of a dataset's discovery record")
        yield "wis2.metadata_id", words, "urn:wmo:md:CENTRE:cap"
    if not re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)*", w.topic):
        yield "wis2.topic", Text("不是主题", "is no topic"), "weather/advisories-warnings"
    if not channels.cap_url.startswith(("http://", "https://")):
        words = Text("通知要指明消息在哪里", "a notification says where the message lies")
        yield "cap_url", words, "https://warn.example/cap"
