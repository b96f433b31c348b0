"""The ways out for `fengsui status`: which work, since when, and which are proven. Pure."""

from collections.abc import Iterator

from config.language import Said, Text
from config.records.district import District
from console.model.view import View
from console.model.ways_out import not_set_up, ways
from dispatch.address.platform_terminals import counted, line_of
from dispatch.words.local_time import local

_UNPROVEN = Text("未经验证", "unproven")


def way_lines(district: District, view: View, live: bool) -> Iterator[Said]:
    """One line a way out: of a live run those of channels.toml, else what an exercise uses."""
    found = list(ways(district, view, live))
    down = [h for h in view.health.values() if not h.up]
    yield Text(f"发送通道：{len(found)}", f"ways out: {len(found)}") + (
        Text(f"，中断：{len(down)}", f", down: {len(down)}") if down else ""
    )
    for channel, name, kind, h, by in found:
        if h is None:
            state = (
                Text("未巡检", "not probed yet")
                if kind != "file"
                else Text("本机文件", "a file here")
            )
        else:
            words = Text("正常", "up") if h.up else Text("中断 ", "DOWN ") + h.detail
            state = words + f" {local(h.checked_at, district.timezone)}"
        proven = Text("已验证：", "proven: ") + by if by else _UNPROVEN
        yield f"  {channel}/{name} ({kind}): " + state + "; " + proven
    for platform in counted(district, view.terminals):
        yield "  " + line_of(platform)
    if live and (missing := not_set_up(found)):
        yield Text(f"  未配置：{', '.join(missing)}", f"  not set up: {', '.join(missing)}")
