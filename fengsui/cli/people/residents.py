"""`fengsui residents`: the public page where people subscribe, the sheets for village doors, what was asked."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from config.language import Text
from dispatch.people.residents.allowance import Allowance
from dispatch.people.residents.door import run_door, run_page
from dispatch.people.residents.keeper import run_keeper
from dispatch.people.residents.sheet import sheets
from fengsui.cli.options import RUN, Shared
from fengsui.run import named_area
from fengsui.run.processes import log_of
from fengsui.run.recipients import place, with_people
from fengsui.run.service import calm_collector, working
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
    """居民自己订阅：serve 公开网页，keep 网页背后的保管进程，sheets 村口张贴的二维码，counts 每天的次数。

    Residents subscribe by themselves: serve the public page, keep what it is told, sheets, counts of a day.
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
@click.option(
    "--keeper",
    type=click.Path(path_type=Path),
    help=spoken(
        Text(
            "只开网页，联系人和日志由这个套接字后的 keep 保管",
            "the page alone: `keep` behind this socket has contacts and log",
        )
    ),
)
@click.pass_obj
def serve_(obj: Shared, run_name: str, listen: str, keeper: Path | None) -> None:
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
        d, where = setup.district, shown(setup.log) if keeper is None else f"{keeper}"
        if keeper is None:
            (setup.folder / "residents.url").write_text(url + "\n")
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
            if keeper is None:
                _serve(setup, at, stop, ready)
            else:
                alone = msgspec.structs.replace(setup.district, contacts={})
                run_page(alone, setup.live, keeper, at, now_ms, stop, ready)
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


@residents.command("keep")
@RUN
@click.option("--socket", "path", type=click.Path(path_type=Path), help="PATH")
@click.option(
    "--systemd",
    is_flag=True,
    help=spoken(Text("用 systemd 交来的套接字", "the socket that systemd hands over")),
)
@click.pass_obj
def keep(obj: Shared, run_name: str, path: Path | None, systemd: bool) -> None:
    """保管进程：有联系人库和日志；serve --keeper 的网页经套接字问它，自己什么也读不到。

    The keeper has the contact store and the log: the page of serve --keeper asks it by a socket and reads
    neither.
    """
    if (path is None) != systemd:
        raise Usage(Text("写 --socket PATH 或 --systemd", "say --socket PATH or --systemd"))
    setup = obj.reader(run_name)
    refuse_live_keys(setup)
    calm_collector()
    stop = threading.Event()

    def ready() -> None:
        echo(
            Text(
                f"fengsui residents keep: {path or 'systemd'}",
                f"fengsui residents keep: {path or 'systemd'}",
            ),
            err=True,
        )

    with working(stop), log_of(setup, NAME, stop) as log:
        if log is not None:
            district, clock = with_people(setup, NAME), _clock(setup, log)
            try:
                run_keeper(district, setup.live, log, path, clock, now_ms, stop, ready)
            except OSError as e:
                words = next(iter(e.args), None)
                where, why = path or "systemd", e.strerror
                unopened = Text(f"{where} 开不了：{why}", f"{where} cannot be opened: {why}")
                raise Usage(words if isinstance(words, Text) else unopened) from e


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
    folder = place(obj.existing(run_name))
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
