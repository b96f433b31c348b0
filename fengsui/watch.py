"""The commands that look at a line without being a part of it: `audit`, also of a ledger, and `trace`."""

import threading
from pathlib import Path

import click

from console.follow import Follower
from fengsui.audit import audit_once, run_audit
from fengsui.commands import answering, stopping_on_signals
from fengsui.export import moment
from fengsui.ledger_file import export_ledger, verify, verify_log
from fengsui.line import open_run_log
from fengsui.setup import Setup, Usage, now_ms
from fengsui.trace import Ways, lines
from ingest.meters import watchdog


def audit(setup: Setup, heartbeat: str, *, once: bool) -> int:
    """Once, or until a signal."""
    log = open_run_log(setup)
    try:
        if once:
            return audit_once(log, now_ms(), setup.run)
        stop = threading.Event()
        with stopping_on_signals(stop), answering():
            threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
            run_audit(log, now_ms, setup.run, heartbeat, stop)
        return 0
    except ValueError as e:
        raise Usage(str(e)) from e
    finally:
        log.close()


def put_ledger(setup: Setup, folder: Path) -> int:
    """Export the signed ledger."""
    log = open_run_log(setup)
    try:
        tails = export_ledger(setup, log, folder, now_ms())
    except ValueError as e:
        raise Usage(str(e)) from e
    finally:
        log.close()
    counts = ", ".join(f"{t.chain} {t.n}" for t in tails)
    click.echo(f"{folder}: {counts} 条 entries, 已封签 sealed; 核对 verify: fengsui audit {folder}")
    return 0


def check_ledger(folder: Path, keys: list[Path]) -> int:
    """Verify an exported ledger; 1 if anything is wrong."""
    found = verify(folder, keys)
    for words in found.faults:
        click.echo(f"! {words}")
    if found.faults:
        return 1
    counts = ", ".join(f"{t.chain} {t.n}" for t in found.tails)
    click.echo(f"台账完好 the ledger is whole: {found.run}, {counts} 条 entries")
    click.echo(f"封签于 sealed at {moment(found.sealed_at)}; 公钥 keys: {' '.join(found.keys)}")
    p = found.proofs
    click.echo(
        f"人的决定 people's decisions: {p.right} 签名相符 signatures fit"
        + (
            f", {p.none} 无签名 have none (早于签名 from before there were proofs)"
            if p.none
            else ""
        )
    )
    for key, count in sorted(p.keys.items()):
        click.echo(f"  {key} {count}; 是谁的 whose: fengsui signer list")
    if not found.given:
        click.echo(
            "注 note: 公钥取自此文件夹, 请与别处所存核对 the keys are the folder's own: --key FILE"
        )
    return 0


def check_run_ledger(setup: Setup) -> int:
    """Verify the ledger in a run's log, and the log against it; 1 if anything is wrong."""
    log = open_run_log(setup)
    try:
        tails, faults = verify_log(log)
    finally:
        log.close()
    for words in faults:
        click.echo(f"! {words}")
    if not faults:
        counts = ", ".join(f"{t.chain} {t.n}" for t in tails)
        click.echo(f"台账与日志相符 the ledger is whole and fits the log: {counts} 条 entries")
    return 1 if faults else 0


def trace(setup: Setup, what: str, at: int | None) -> int:
    """Print the ways; 1 if there is none."""
    log = open_run_log(setup)
    try:
        ways = Ways(Follower(log).take())
    finally:
        log.close()
    district = setup.district
    if what in district.stations or what in district.nodes:
        found = ways.of_station(what, at)
    elif at is not None:
        raise Usage(f"--at 需要监测站 goes with a station; {what!r} is none")
    else:
        found = ways.find(what)
    for text in lines(ways, found, district.timezone):
        click.echo(text)
    if not found:
        click.echo(f"{what}: 没有检测依据它 nothing was detected that rests on it", err=True)
    return 0 if found else 1
