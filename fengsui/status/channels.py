"""The ways out for `fengsui status`: which work, since when, and which are proven. Pure."""

from collections.abc import Iterator

from config.records.district import District
from console.model.view import View
from console.model.ways_out import not_set_up, ways
from dispatch.words.local_time import local

_UNPROVEN = "未经验证 unproven"


def way_lines(district: District, view: View, live: bool) -> Iterator[str]:
    """One line a way out: of a live run those of channels.toml, else what an exercise uses."""
    found = list(ways(district, view, live))
    down = [h for h in view.health.values() if not h.up]
    yield f"发送通道 ways out: {len(found)}" + (f"，中断 down: {len(down)}" if down else "")
    for channel, name, kind, h, by in found:
        if h is None:
            state = "未巡检 not probed yet" if kind != "file" else "本机文件 a file here"
        else:
            words = "正常 up" if h.up else f"中断 DOWN {h.detail}"
            state = f"{words} {local(h.checked_at, district.timezone)}"
        yield f"  {channel}/{name} ({kind}): {state}; {f'已验证 proven: {by}' if by else _UNPROVEN}"
    if live and (missing := not_set_up(found)):
        yield f"  未配置 not set up: {', '.join(missing)}"
