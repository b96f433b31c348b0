"""`fengsui doctor` of a broadcast platform: which way is down, what it has not said, what to do."""

from pathlib import Path

import msgspec

from config.language import zh
from config.records.channels import Carrier
from config.records.devices.broadcast import Platform
from config.records.district import District
from config.records.level import Action, Level
from dispatch.records import Delivery, Receipt, Route, RouteHealth, Terminal, Terminals
from fengsui.doctor.examine import examine
from fengsui.doctor.wrong.platforms import of_platform, platform_lines, platforms
from fengsui.status.channels import way_lines
from stream.log.port import Out
from stream.records import Record, encode
from tests.support.districts import yanqing
from tests.support.doctor import T0, Played


def district() -> District:
    d = yanqing()
    row = Carrier(
        name="county", channel="broadcast_platform", kind="ebd", url="http://10.0.0.1/",
        contact="C-EBM", platform=Platform(listen="10.0.0.5:8700"),
    )  # fmt: skip
    return msgspec.structs.replace(d, channels=msgspec.structs.replace(d.channels, carrier=(row,)))


def health(carrier: str, up: bool, detail: str = "") -> RouteHealth:
    return RouteHealth(
        channel="broadcast_platform",
        carrier=carrier,
        up=up,
        checked_at=T0,
        by="probe",
        detail=detail,
    )


MESSAGE = Delivery(
    id="d1", alert="a1", version=1, area="A01", hazard="flash_flood", level=Level.RED,
    action=Action.MOVE, msg_type="alert", status="actual", recipient="C-EBM", audience="public",
    routes=(Route(channel="broadcast_platform", text="t"),), queued_at=T0, deadline_at=T0 + 180_000,
    expires_at=T0 + 3_600_000,
)  # fmt: skip
TAKEN = Receipt(delivery="d1", route=0, state="accepted", receipt_at=T0)


def looked(folder: Path, *records: Record, minutes: int = 10) -> tuple[list[str], str]:
    """Codes of findings, and what is printed."""
    played = Played(folder, district())
    played.log.append([Out("deliveries", "k", encode(r)) for r in records])
    played.at += minutes * 60_000
    played.tick(0)
    case, _ = examine(played.setup, played.log, played.at, None)
    played.log.close()
    assert list(platforms(case)) == ["county"]
    lines = [*platform_lines(case, "county"), *way_lines(case.district, case.view, True)]
    return [f.code for f in of_platform(case, "county")], "\n".join(zh(x) for x in lines)


def test_well_and_with_terminals_there_is_nothing_to_say(tmp_path: Path) -> None:
    told = Terminals(
        platform="county",
        heard_at=T0,
        items=(Terminal(code="t1", kind="DT", told_at=T0, state="1"),),
    )
    codes, text = looked(tmp_path, health("county", True), health("county-back", True), told)
    assert codes == []
    assert "我们发、平台收：正常" in text and "终端 1：正常 1" in text
    assert "broadcast_platform/county-back (ebd): 正常" in text


def test_each_way_that_is_down_says_what_to_do(tmp_path: Path) -> None:
    codes, text = looked(
        tmp_path,
        health("county", False, "签名不对"),
        health("county-back", False, "300 秒没有心跳"),
    )
    assert codes == ["platform_down", "platform_silent", "no_terminals"]
    assert "中断 签名不对" in text


def test_a_message_of_which_nothing_was_heard_is_told_and_one_that_played_is_not(
    tmp_path: Path,
) -> None:
    bad = Terminals(
        platform="county",
        heard_at=T0,
        items=(Terminal(code="t1", kind="DT", told_at=T0, state="3"),),
    )
    codes, _ = looked(tmp_path / "a", MESSAGE, TAKEN, bad)
    assert codes == ["not_played", "terminals_bad"]
    over = msgspec.structs.replace(TAKEN, state="played")
    codes, _ = looked(tmp_path / "b", MESSAGE, TAKEN, over, bad)
    assert codes == ["terminals_bad"]
    codes, _ = looked(tmp_path / "c", MESSAGE, TAKEN, bad, minutes=1)
    assert codes == ["terminals_bad"], "it has its time"
