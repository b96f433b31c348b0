"""`fengsui residents`: the public page where people subscribe, the sheets for village doors, what was asked."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from config.language import Text
from dispatch.people.residents.allowance import Allowance
from dispatch.people.residents.door import run_door
from dispatch.people.residents.sheet import sheets
from fengsui.cli.options import RUN, Shared
from fengsui.run import named_area
from fengsui.run.processes import calm_collector, log_of
from fengsui.run.recipients import place, with_people
from fengsui.run.service import working
from fengsui.run.setup import Setup, refuse_live_keys, shown
from fengsui.run.terminal import echo
from stream.clock import last_tick
from stream.environment import Usage, spoken
from stream.log.port import Log
from stream.wall_clock import now_ms

NAME = "residents"
_WHAT = {
    "all": Text("发出的短信", "messages sent out"),
    "code": Text("网页要的验证码", "codes that the page asked for"),
    "host": Text("来问的网络地址", "network addresses that asked"),
    "number": Text("收到短信的号码", "numbers that got messages"),
    "page": Text("其中网页发出的", "messages that the page sent of them"),
    "tries": Text("试码的网络地址", "network addresses that entered codes"),
}


@click.group()
def residents() -> None:
    """居民自己订阅：serve 公开网页，sheets 村口张贴的二维码，counts 每天的次数。

    Residents subscribe by themselves: serve the public page, sheets for the village doors, counts of a day.
    """


@residents.command("serve")
@RUN
@click.option(
    "--listen",
    default="",
    metavar="HOST:PORT",
    help=spoken(
        Text(
            "端口 [channels.toml 的 residents_listen]", "where [residents_listen of channels.toml]"
        )
    ),
)
@click.pass_obj
def serve_(obj: Shared, run_name: str, listen: str) -> None:
    """公开网页：单独一个进程、一个端口，与值班台无关；见 docs/residents.md。

    The public page, a process and a port of its own, apart from the duty room: docs/en/residents.md.
    """
    setup = obj.reader(run_name)
    refuse_live_keys(setup)
    ours = setup.district.channels.residents_listen if setup.live else "127.0.0.1:0"
    at = listen or ours
    if not at:
        raise Usage(
            Text(
                "channels.toml 没有 residents_listen；或用 --listen 127.0.0.1:8089",
                "channels.toml has no residents_listen; or --listen 127.0.0.1:8089",
            )
        )
    calm_collector()

    def ready(url: str) -> None:
        (setup.folder / "residents.url").write_text(url + "\n")
        d, where = setup.district, shown(setup.log)
        echo(
            Text(
                f"fengsui residents: {d.name} {setup.run.name} {url}，日志 {where}",
                f"fengsui residents: {d.name_en} {setup.run.name} {url}, log {where}",
            ),
            err=True,
        )

    stop = threading.Event()
    with working(stop):
        try:
            _serve(setup, at, stop, ready)
        except OSError as e:
            if isinstance(next(iter(e.args), None), Text):
                raise
            raise Usage(
                Text(f"{at} 开不了：{e.strerror}", f"{at} cannot be opened: {e.strerror}")
            ) from e


def _serve(setup: Setup, at: str, stop: threading.Event, ready: Callable[[str], None]) -> None:
    with log_of(setup, NAME, stop) as log:
        if log is None:
            return
        district = with_people(setup, NAME)
        run_door(district, setup.live, log, at, _clock(setup, log), now_ms, stop, ready)


def _clock(setup: Setup, log: Log) -> Callable[[], int]:
    """The run's: of an exercise as far as its line has come."""
    if setup.live:
        return now_ms
    return lambda: last_tick(log) or setup.run.start_at


@residents.command("sheets")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--area",
    "areas",
    multiple=True,
    help=spoken(Text("只要这些区，可写几次", "these areas alone, may stand several times")),
)
@click.option(
    "--url",
    default="",
    help=spoken(
        Text(
            "公开网址 [channels.toml 的 residents_url]", "the page [residents_url of channels.toml]"
        )
    ),
)
@click.pass_obj
def sheets_(obj: Shared, file: Path, areas: tuple[str, ...], url: str) -> None:
    """张贴页：每村一张 A4，村名、二维码、短信怎么写；写成 FILE.html，用浏览器打印。

    The sheets for the village doors, A4, one a village: name, code, the words of the message; FILE.html is
    printed from a browser.
    """
    setup = obj.reader("live")
    district, ways = setup.district, setup.district.channels
    address = url or ways.residents_url
    if not address.startswith(("http://", "https://")):
        raise Usage(
            Text(
                "二维码要公开网址：channels.toml 的 residents_url，或 --url https://warn.example",
                "the code needs the public address: residents_url of channels.toml, or --url "
                "https://warn.example",
            )
        )
    for area in areas:
        named_area.place(setup, area)
    wanted = [district.areas[a] for a in areas or district.areas]
    file.write_text(sheets(district, wanted, address, ways.residents_number), encoding="utf-8")
    echo(Text(f"{file}: {len(wanted)} 张", f"{file}: {len(wanted)} sheets"))
    if not ways.residents_number:
        echo(
            Text(
                "! 没有写发到哪个号码：channels.toml 的 residents_number",
                "! the number for short messages is missing: residents_number of channels.toml",
            ),
            err=True,
        )


@residents.command("counts")
@RUN
@click.pass_obj
def counts(obj: Shared, run_name: str) -> None:
    """每天次数：放行、因上限拒绝、来自多少个号码或地址；不含号码和地址。

    Of each day: how many were let, how many the limits refused, of how many numbers or addresses; none is
    named.
    """
    folder = place(obj.reader(run_name))
    if not (folder / "residents.db").exists():
        echo(Text("还没有人订阅过", "nobody has asked yet"))
        return
    share = Allowance(folder)
    try:
        rows = share.tallies()
    finally:
        share.close()
    for t in rows:
        date = datetime.fromtimestamp(t.day * 86_400, UTC).date()
        what = _WHAT.get(t.kind, Text(t.kind, t.kind))
        echo(
            Text(
                f"{date} {what.zh}：{t.let}，拒绝 {t.refused}，来自 {t.who}",
                f"{date} {what.en}: {t.let}, refused {t.refused}, of {t.who}",
            )
        )
