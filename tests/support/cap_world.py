"""Other authorities for the tests of CAP: their keys, their messages, and a district that hears them."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization

from config.records.district import District
from config.records.sources import Downstream, Neighbour, Source, Sources
from dispatch.cap.signing import CapKey, cap_key
from tests.support.decide_district import T0, small, yanqing

NS = "urn:oasis:names:tc:emergency:cap:1.2"
MIN = 60_000
WEATHER, HUAILAI = "weather", "huailai"


@cache
def key_of(who: str) -> CapKey:
    """A key pair each; RSA takes its time, so it is made once."""
    with TemporaryDirectory(prefix=f"cap-{who}-") as folder:
        return cap_key(Path(folder), yanqing(), live=False)


def pem_of(who: str) -> str:
    return key_of(who).certificate.public_bytes(serialization.Encoding.PEM).decode()


def sources(**changes: Any) -> Sources:
    """A weather office that signs, and a neighbouring county."""
    weather = Source(
        id=WEATHER,
        name="区气象局",
        name_en="weather office",
        senders=("cma@weather.example",),
        certificates=("weather.pem",),
        hazards={"暴雨": ("flash_flood", "debris_flow"), "11B03": ("flash_flood",)},
    )
    huailai = Source(
        id=HUAILAI,
        name="怀来县防汛抗旱指挥部",
        name_en="Huailai County",
        senders=("fengsui@huailai.example",),
        certificates=("huailai.pem",),
        downstream=(Downstream(divisions=("130730",), areas=("A01",)),),
    )
    found = Sources(
        "",
        {WEATHER: weather, HUAILAI: huailai},
        {HUAILAI: Neighbour(id=HUAILAI, exercise_url="http://127.0.0.1:9/cap", basins=("B01",))},
        {"weather.pem": pem_of(WEATHER), "huailai.pem": pem_of(HUAILAI)},
    )
    return found._replace(**changes)


def hearing(district: District | None = None, **changes: Any) -> District:
    return msgspec.structs.replace(district or yanqing(), sources=sources(**changes))


def small_hearing() -> District:
    return hearing(small())


def stamp(at: int) -> str:
    from datetime import UTC, datetime, timedelta, timezone

    there = timezone(timedelta(hours=8))
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(there).isoformat(timespec="seconds")


def code_xml(code: str) -> str:
    """An area by its division code."""
    return (
        f"<area><areaDesc>{code}</areaDesc><geocode><valueName>行政区划代码</valueName>"
        f"<value>{code}</value></geocode></area>"
    )


def area_xml(district: District, *areas: str) -> str:
    return "".join(code_xml(district.areas[a].division) for a in areas)


def message(
    identifier: str = "W1",
    *,
    sender: str = "cma@weather.example",
    sent_at: int = T0,
    status: str = "Actual",
    kind: str = "Alert",
    references: str = "",
    note: str = "",
    event: str = "暴雨",
    severity: str = "Extreme",
    expires_at: int | None = T0 + 6 * 60 * MIN,
    areas: str | None = None,
    extra: str = "",
    info: bool = True,
) -> bytes:
    """A CAP message, unsigned. areas: XML; None: the whole of Yanqing by its code."""
    whole = (
        "<area><areaDesc>延庆区</areaDesc><geocode><valueName>c</valueName>"
        "<value>110119</value></geocode></area>"
    )
    expires = f"<expires>{stamp(expires_at)}</expires>" if expires_at is not None else ""
    block = (
        f"<info><language>zh-CN</language><category>Met</category><event>{event}</event>"
        f"<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Likely</certainty>"
        f"{expires}<headline>{event}预警</headline>{extra}"
        f"{whole if areas is None else areas}</info>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><alert xmlns="{NS}">'
        f"<identifier>{identifier}</identifier><sender>{sender}</sender>"
        f"<sent>{stamp(sent_at)}</sent><status>{status}</status><msgType>{kind}</msgType>"
        f"<scope>Public</scope>"
        + (f"<note>{note}</note>" if note else "")
        + (f"<references>{references}</references>" if references else "")
        + (block if info else "")
        + "</alert>"
    ).encode()


def reference(identifier: str, sent_at: int = T0, sender: str = "cma@weather.example") -> str:
    return f"{sender},{identifier},{stamp(sent_at)}"


def signed(body: bytes, who: str = WEATHER) -> bytes:
    return key_of(who).sign(body)
