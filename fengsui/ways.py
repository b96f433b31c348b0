"""The ways out for `fengsui status`: which work, since when, and which are proven. Pure."""

from collections.abc import Iterator

from config.district import District
from console.view import View
from dispatch.channels.table import PROOFS, proof
from fengsui.screen import local

_UNPROVEN = "未经验证 unproven"


def way_lines(district: District, view: View, live: bool) -> Iterator[str]:
    """One line a way out: of a live run those of channels.toml, else what an exercise uses."""
    rows: list[tuple[str, str, str]] = []
    if live:
        rows += [(c.channel, c.name, c.kind) for c in district.channels.carriers()]
    # what every run has, and no row declares
    rows += [("broadcast", "mqtt", "mqtt"), ("cap", "file", "file"), ("console", "file", "file")]
    down = [h for h in view.health.values() if not h.up]
    yield f"发送通道 ways out: {len(rows)}" + (f"，中断 down: {len(down)}" if down else "")
    for channel, name, kind in rows:
        h = view.health.get(f"{channel}/{name}")
        if h is None:
            state = "未巡检 not probed yet" if kind != "file" else "本机文件 a file here"
        else:
            words = "正常 up" if h.up else f"中断 DOWN {h.detail}"
            state = f"{words} {local(h.checked_at, district.timezone)}"
        by = proof(channel, kind)
        yield f"  {channel}/{name} ({kind}): {state}; {f'已验证 proven: {by}' if by else _UNPROVEN}"
    if live:
        missing = {p.channel for p in PROOFS} - {channel for channel, _, _ in rows}
        if missing:
            yield f"  未配置 not set up: {', '.join(sorted(missing))}"
