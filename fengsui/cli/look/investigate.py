"""The command `investigate`: what was known at a moment, and the sealed account of an incident."""

import sys
from pathlib import Path
from typing import Literal

import click
import msgspec

from config.language import Text
from dispatch.ledger.custody import note
from dispatch.records import Custody
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.files.retention import lock as set_lock
from fengsui.files.retention import release as let_go
from fengsui.inquiry.known import known
from fengsui.inquiry.left_out import PERSONAL
from fengsui.inquiry.moment import as_of
from fengsui.inquiry.moment_words import lines
from fengsui.inquiry.pack import make, people_of
from fengsui.inquiry.seal import PackWish, groups
from fengsui.inquiry.span import ended, incidents, moment_of
from fengsui.run.moments import parse_moment
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.signing import vouch
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms


@click.command()
@click.argument("incident", required=False, default="")
@click.option(
    "--at",
    "at",
    default="",
    help=spoken(
        Text(
            "那一刻值班台所知：2025-07-26T20:11:00+08:00；写了 INCIDENT 时也可只写 20:11",
            "what the duty room knew then: 2025-07-26T20:11:00+08:00, or 20:11 with INCIDENT",
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help=spoken(Text("查证包 FILE.zip", "the sealed pack, FILE.zip")),
)
@click.option(
    "--lock",
    "until",
    default="",
    help=spoken(
        Text(
            "保留锁：到这个时刻以前不清日志、不删这些人（须写 --by 和 --reason，记入台账）",
            "retention lock: until then the log drops nothing and these people are not erased (needs --by and "
            "--reason; the ledger has it)",
        )
    ),
)
@click.option(
    "--release",
    is_flag=True,
    help=spoken(
        Text("解除保留锁（须写 --by 和 --reason）", "let the lock go (needs --by and --reason)")
    ),
)
@click.option("--by", default="", help=spoken(Text("谁要的", "who asks for it")))
@click.option("--reason", default="", help=spoken(Text("为什么", "why")))
@click.option(
    "--with",
    "named",
    multiple=True,
    type=click.Choice(PERSONAL),
    help=spoken(
        Text(
            "附上个人信息（可写几次，须写 --by 和 --reason，记录在案）：words 原话、carriers 运营商答复、"
            "names 人名、pictures 画面",
            "personal data to be put in (several times; needs --by and --reason, and is recorded): words that "
            "people typed, what carriers said, names, pictures",
        )
    ),
)
@click.option("--json", "as_json", is_flag=True, help=spoken(Text("JSON", "as JSON")))
@KEY
@RUN
@click.pass_obj
def investigate(
    obj: Shared,
    incident: str,
    at: str,
    out: Path | None,
    by: str,
    reason: str,
    named: tuple[str, ...],
    until: str,
    release: bool,
    as_json: bool,
    key: Path | None,
    run_name: str,
) -> None:
    """事后查证：--out 把一次事件封成一包，--at 是那一刻值班台所知；不写选项就列出各次事件。

    --lock 让这次事件的记录到时为止不被删除：日志不按保留期清理，其中的人不可 `contacts erase`，来信原话不过期。

    包里是：所知、提请、决定、发出、回音和看不见的，逐分钟、逐村；当时的配置和阈值；台账；软件清单。
    用 `fengsui audit FILE` 核对，什么别的都不需要。个人信息不附，除非用 --with 写明。

    --out seals an incident as one pack, --at is what the duty room knew then; without an option the
    incidents are listed. --lock keeps its records from being deleted until then: the log drops nothing by
    age, people who stand in it are not erased, and what people wrote does not run out.

    In the pack: what was known, asked, decided, sent, answered and blind, by the minute and by the village;
    configuration and thresholds in force; the ledger; what the software is made of. `fengsui audit FILE`
    verifies it and needs nothing else. Personal data is left out unless --with names it.
    """
    setup = obj.existing(run_name)
    if until or release:
        if not (incident and by.strip() and reason.strip()) or at or out or (until and release):
            raise Usage(
                Text(
                    "--lock 或 --release 要写 INCIDENT、--by 和 --reason，单独使用",
                    "--lock or --release needs INCIDENT, --by and --reason, and stands alone",
                )
            )
        vouch(setup, by, key)
        sys.exit(_lock(setup, incident, by, reason, parse_moment(until) if until else 0))
    if named and not (out is not None and by.strip() and reason.strip()):
        raise Usage(
            Text(
                "--with 与 --out 同用，须写 --by 和 --reason",
                "--with goes with --out and needs --by and --reason",
            )
        )
    if out is not None:
        if not incident or at:
            raise Usage(
                Text(
                    "--out 要写 INCIDENT，不与 --at 同用",
                    "--out needs INCIDENT, and goes without --at",
                )
            )
        if by:
            vouch(setup, by, key)
        sys.exit(_pack(setup, obj.config, incident, out, PackWish(by, reason, named)))
    if at:
        sys.exit(_then(setup, incident, at, as_json=as_json))
    sys.exit(_list(setup, as_json=as_json))


def _list(setup: Setup, *, as_json: bool) -> int:
    """The incidents of a run, oldest first."""
    zone = setup.district.timezone
    log = open_run_log(setup)
    try:
        found = incidents(log)
    finally:
        log.close()
    if as_json:
        rows = [(i.id, i.begin_at, i.end_at, sorted(i.alerts)) for i in found.values()]
        keys = ("incident", "begin_at", "end_at", "alerts")
        echo(msgspec.json.encode([dict(zip(keys, row, strict=True)) for row in rows]).decode())
        return 0 if found else 1
    for one in found.values():
        span = f"{local(one.begin_at, zone, '%Y-%m-%d %H:%M')} – {local(one.end_at, zone)}"
        echo(
            f"{one.id}: {span}, " + Text(f"{len(one.alerts)} 个预警", f"{len(one.alerts)} warnings")
        )
    if not found:
        echo(Text("没有事件", "there is no incident"), err=True)
    return 0 if found else 1


def _lock(setup: Setup, incident: str, by: str, reason: str, until: int) -> int:
    """Set a lock, or with `until` 0 let it go."""
    now, zone = now_ms(), setup.district.timezone
    if until and until <= now:
        raise Usage(Text("--lock：已过去", "--lock: is past"))
    log = open_run_log(setup)
    act: Literal["lock", "release"] = "lock" if until else "release"
    said = Custody(act=act, incident=incident, by=by, said_at=now, reason=reason, until_at=until)
    try:
        if until:
            people = people_of(setup, log, incident)
            more = list(set_lock(setup, log, said, people))
            if not ended(log, incident):
                echo(_GOES_ON)
            when = local(until, zone, "%Y-%m-%d %H:%M")
            told = Text(
                f"{incident}: 已锁到 {when}；{len(people)} 人不可删除，日志不按保留期清理",
                f"{incident}: locked until {when}; {len(people)} people may not be erased, the log drops "
                "nothing by age",
            )
        else:
            many, more = let_go(setup, log, said)
            told = Text(f"{incident}: 解除 {many} 把锁", f"{incident}: {many} locks let go")
            if not many:
                told = Text(f"{incident}: 没有锁", f"{incident}: is not locked")
    finally:
        log.close()
    echo(told)
    for line in more:
        echo(line, err=True)
    return 1 if more or not (until or many) else 0


_GOES_ON = Text(
    "注：事件还没有终报；以后进入记录的人，值班台要等终报后再锁一次才不删（命令行现在就不删）",
    "note: the incident has no final report yet; whoever comes into its records from now on is held by the "
    "command line at once, and by the duty room's pages when you lock it again after that report",
)


def _pack(setup: Setup, config: Path, incident: str, out: Path, wish: PackWish) -> int:
    """Make a pack."""
    log = open_run_log(setup)
    try:
        now = now_ms()
        made = make(setup, config, log, incident, out, wish, now)
        done = Custody(
            act="pack", incident=incident, by=wish.by, said_at=now, reason=wish.reason,
            named=wish.named, sha256=made.sha256,
        )  # fmt: skip
        note(log, done)
    finally:
        log.close()
    m = made.manifest
    echo(
        Text(
            f"{out}: {m.records} 条记录，{m.statements} 条陈述；SHA-256 {made.sha256}",
            f"{out}: {m.records} records, {m.statements} statements; SHA-256 {made.sha256}",
        )
    )
    echo(
        Text(
            f"签名公钥（另存一份，或读给收件人）：{groups(made.key)}",
            f"signed with (keep it elsewhere, or read it out to whoever gets the pack): {groups(made.key)}",
        )
    )
    if m.configs != (m.config,):
        names = ", ".join(m.configs)
        echo(
            Text(
                f"! 当时的配置是 {names}，目录现在是 {m.config}：包里的表不是当时的",
                f"! the configuration in force was {names}, the folder is {m.config} now: the tables in the "
                "pack are not those",
            ),
            err=True,
        )
    if m.unentered:
        echo(
            Text(
                f"! {m.unentered} 条记录台账还没有：archive 停着，或刚刚写入",
                f"! {m.unentered} records are not in the ledger yet: archive is down, or they are new",
            ),
            err=True,
        )
    echo(Text(f"核对：fengsui audit {out}", f"verify: fengsui audit {out}"))
    return 0


def _then(setup: Setup, incident: str, text: str, *, as_json: bool) -> int:
    """The picture of a moment."""
    district = setup.district
    log = open_run_log(setup)
    try:
        found = incidents(log) if incident else {}
        if incident and incident not in found:
            raise Usage(_no_such(incident, list(found)))
        at = moment_of(text, found.get(incident), district.timezone)
        picture = as_of(district, known(log), at)
    finally:
        log.close()
    if as_json:
        echo(msgspec.json.encode(picture).decode())
        return 0
    for line in lines(picture, lambda ms: local(ms, district.timezone, "%m-%d %H:%M")):
        echo(line)
    return 0


def _no_such(incident: str, there: list[str]) -> Text:
    names = ", ".join(there) or "-"
    return Text(
        f"没有事件 {incident!r}，有 {names}",
        f"there is no incident {incident!r}; there are {names}",
    )
