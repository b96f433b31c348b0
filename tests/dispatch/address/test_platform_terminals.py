"""Terminals of a broadcast platform as what sounds: only what is on, placed and of known range counts, and
the rest is said."""

import msgspec

from config.language import zh
from config.records.channels import Carrier
from config.records.devices.broadcast import Platform
from config.records.district import District
from dispatch.address.coverage import coverage
from dispatch.address.platform_terminals import counted, line_of, sounding
from dispatch.records import Terminal
from tests.support.decide_district import yanqing


def silent(range_m: int) -> tuple[District, str]:
    """One area, and no loudspeaker of our own in it."""
    d = yanqing()
    row = Carrier(
        name="county", channel="broadcast_platform", kind="ebd", url="http://10.0.0.1/",
        platform=Platform(range_m=range_m),
    )  # fmt: skip
    channels = msgspec.structs.replace(d.channels, carrier=(row,))
    areas = {"A01": d.areas["A01"]}
    return msgspec.structs.replace(d, channels=channels, areas=areas, nodes={}), "A01"


def terminal(code: str, d: District, **more: object) -> Terminal:
    a = d.areas["A01"]
    fields = {"kind": "DT", "told_at": 0, "name": "村口", "lon": a.lon, "lat": a.lat, "state": "1"}
    return Terminal(code=code, **{**fields, **more})  # type: ignore[arg-type]


def checks(d: District, *terminals: Terminal) -> dict[str, str]:
    told = {"county": {t.code: t for t in terminals}}
    found = coverage(d, lists=False, terminals=sounding(d, told))
    return {g.check: g.detail for g in found}


def test_a_terminal_that_is_on_sounds_and_hangs_on_its_platform() -> None:
    d, _ = silent(2000)
    assert set(checks(d)) == {"out_of_sound"}
    one = checks(d, terminal("t1", d))
    assert one["one_node"] == "county/t1"
    two = checks(d, terminal("t1", d), terminal("t2", d, state="5"))
    assert "one_node" not in two and two["one_tower"] == "county"


def test_what_is_off_at_fault_unplaced_untold_or_of_unknown_range_does_not_count() -> None:
    d, _ = silent(2000)
    for more in ({"state": "2"}, {"state": "3"}, {"state": ""}, {"lon": None}, {"kind": "PS"},
                 {"lon": 10.0}):  # fmt: skip
        assert "one_node" not in checks(d, terminal("t1", d, **more)), more
    d, _ = silent(0)
    assert "one_node" not in checks(d, terminal("t1", d))


def test_the_line_says_how_many_are_in_which_state_and_how_many_do_not_count() -> None:
    d, _ = silent(500)
    told = [terminal("a", d), terminal("b", d, state="3"), terminal("c", d, state="", lon=None)]
    (found,) = counted(d, {"county": {t.code: t for t in told}})
    assert (found.all, found.placed) == (3, 1)
    line = zh(line_of(found))
    assert line.startswith("应急广播平台 county：终端 3：")
    for words in ("正常 1", "故障 1", "状态未报 1", "2 个不计入覆盖"):
        assert words in line
