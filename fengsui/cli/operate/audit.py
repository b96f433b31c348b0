"""Commands that take out what a run holds and check it: export, and audit, also of a ledger."""

import sys
import threading
from pathlib import Path

import click

from fengsui.cli.options import RUN, Shared
from fengsui.files.export import EXPORTS, moment
from fengsui.files.export import export as exported
from fengsui.files.ledger_export import export_ledger, verify, verify_log
from fengsui.run.run_log import open_run_log
from fengsui.run.service import answering, stopping_on_signals
from fengsui.run.setup import Setup
from fengsui.status.consistency import audit_once, run_audit
from stream.environment import Usage
from stream.metrics import watchdog
from stream.wall_clock import now_ms


@click.command()
@click.argument("topic", type=click.Choice([*EXPORTS, "ledger"]))
@RUN
@click.option("--times", is_flag=True, help="含处理时间 with this program's own times")
@click.option("--out", type=click.Path(path_type=Path), help="台账存于 the ledger's new folder")
@click.pass_obj
def export(obj: Shared, topic: str, run_name: str, times: bool, out: Path | None) -> None:
    """导出 a topic as JSON lines, in an order that two runs of one storm share; `ledger --out DIR`:
    台账 the signed ledger as a folder for `fengsui audit DIR`."""
    if (topic == "ledger") != (out is not None):
        raise Usage("export ledger --out DIR: --out 与 ledger 同用 belong together")
    if out is not None:
        sys.exit(_put_ledger(obj.reader(run_name), out))
    sys.exit(_export_topic(obj.reader(run_name), topic, times))


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), help="公钥 of DIR's signer"
)
@click.option("--ledger", is_flag=True, help="核对日志内的台账 the run's ledger in the log itself")
@RUN
@click.option(
    "--once", is_flag=True, help="查一遍 look once; exit code 1 if anything is unexplained"
)
@click.option(
    "--heartbeat", default="", envvar="FENGSUI_HEARTBEAT", help="外部心跳 URL fetched every minute"
)
@click.pass_obj
def audit(
    obj: Shared,
    folder: Path | None,
    keys: tuple[Path, ...],
    ledger: bool,
    run_name: str,
    once: bool,
    heartbeat: str,
) -> None:
    """稽核 is every detection decided, every warning addressed, every delivery ended?

    With DIR 查台账: was a byte of an exported ledger changed, or an entry removed, put in, moved or
    cut off? It needs nothing but the folder and the public key: --key FILE, kept elsewhere.
    """
    if folder is not None and not ledger and not once:
        sys.exit(_check_ledger(folder, list(keys)))
    if folder is not None or keys:
        raise Usage("DIR --key: 单独使用 not together with --ledger or --once; --key goes with DIR")
    if ledger:
        sys.exit(_check_run_ledger(obj.reader(run_name)))
    sys.exit(_audit(obj.reader(run_name), heartbeat, once=once))


def _export_topic(setup: Setup, topic: str, times: bool) -> int:
    """Lines of JSON on standard output."""
    log = open_run_log(setup)
    for row in exported(log, topic, times):
        sys.stdout.buffer.write(row)
    sys.stdout.buffer.flush()
    log.close()
    return 0


def _audit(setup: Setup, heartbeat: str, *, once: bool) -> int:
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


def _put_ledger(setup: Setup, folder: Path) -> int:
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


def _check_ledger(folder: Path, keys: list[Path]) -> int:
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


def _check_run_ledger(setup: Setup) -> int:
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
