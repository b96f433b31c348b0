"""Commands that take out what a run holds and check it: export, and audit, also of a ledger."""

import sys
import threading
from pathlib import Path

import click

from config.language import Text, text_of
from fengsui.cli.options import RUN, Shared
from fengsui.files.export import EXPORTS, moment
from fengsui.files.export import export as exported
from fengsui.files.ledger_export import export_ledger, verify, verify_log
from fengsui.files.photographs import brought_back, photographs
from fengsui.review.slo import Slo, targets
from fengsui.review.targets import read_plan
from fengsui.run.run_log import open_run_log
from fengsui.run.service import working
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from fengsui.status.consistency import audit_once, run_audit
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms


@click.command()
@click.argument("topic", type=click.Choice([*EXPORTS, "ledger"]))
@RUN
@click.option(
    "--times",
    is_flag=True,
    help=spoken(Text("含本程序的处理时间", "with this program's own times")),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("台账存到这个新目录", "the ledger's new folder")),
)
@click.pass_obj
def export(obj: Shared, topic: str, run_name: str, times: bool, out: Path | None) -> None:
    """导出一个主题，一行一条 JSON，同一场暴雨两次运行次序相同；`ledger --out DIR`：签名的台账，供
    `fengsui audit DIR` 核对。

    A topic as JSON lines, in an order that two runs of one storm share; `ledger --out DIR`: the signed
    ledger as a folder for `fengsui audit DIR`.
    """
    if (topic == "ledger") != (out is not None):
        raise Usage(
            Text(
                "`export ledger --out DIR`：--out 与 ledger 同用",
                "export ledger --out DIR: --out and ledger belong together",
            )
        )
    if out is not None:
        sys.exit(_put_ledger(obj.existing(run_name), out))
    sys.exit(_export_topic(obj.existing(run_name), topic, times))


@click.command()
@click.argument("folder", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help=spoken(Text("FILE 签名者的公钥，另存的", "public key of FILE's signer, kept elsewhere")),
)
@click.option(
    "--ledger",
    is_flag=True,
    help=spoken(Text("核对日志内的台账", "the run's ledger in the log itself")),
)
@RUN
@click.option(
    "--once",
    is_flag=True,
    help=spoken(
        Text("只查一遍；有不明之处退出码为 1", "look once; exit code 1 if anything is unexplained")
    ),
)
@click.option(
    "--heartbeat",
    default="",
    envvar="FENGSUI_HEARTBEAT",
    help=spoken(Text("外部心跳：每分钟取一次的 URL", "URL that is fetched every minute")),
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
    """稽核：每个检测是否决定，每个预警是否定向，每个发送是否了结。

    写 FILE 则查导出的台账（文件夹）或查证包（fengsui investigate --out）：有没有改过一个字节，有没有少一条、
    多一条、挪动或截断。只需它和另存的公钥：--key KEY。

    Is every detection decided, every warning addressed, every delivery ended?

    With FILE, the folder of an exported ledger or a pack (fengsui investigate --out): was a byte changed, or
    a record removed, put in, moved or cut off? It needs nothing but that and the public key, kept
    elsewhere: --key KEY.
    """
    if folder is not None and not ledger and not once:
        from fengsui.inquiry.verify import is_pack  # loads all that makes one

        check = _check_pack if is_pack(folder) else _check_ledger
        sys.exit(check(folder, list(keys)))
    if folder is not None or keys:
        raise Usage(
            Text(
                "FILE 单独使用，不与 --ledger、--once 同用；--key 与 FILE 同用",
                "FILE: not together with --ledger or --once; --key goes with FILE",
            )
        )
    if ledger:
        sys.exit(_check_run_ledger(obj.existing(run_name)))
    sys.exit(_audit(obj.existing(run_name), heartbeat, once=once))


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
            found = audit_once(log, now_ms(), setup.run)
            for text in brought_back(photographs(setup, log)):
                echo(text)
            return found
        stop = threading.Event()
        with working(stop):
            slo = Slo(targets(read_plan(None, setup.district.folder)))
            run_audit(log, now_ms, setup.run, heartbeat, stop, slo)
        return 0
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()


def _put_ledger(setup: Setup, folder: Path) -> int:
    """Export the signed ledger."""
    log = open_run_log(setup)
    try:
        tails = export_ledger(setup, log, folder, now_ms())
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    counts = ", ".join(f"{t.chain} {t.n}" for t in tails)
    echo(
        Text(
            f"{folder}: {counts} 条，已封签；核对：fengsui audit {folder}",
            f"{folder}: {counts} entries, sealed; verify: fengsui audit {folder}",
        )
    )
    return 0


def _check_ledger(folder: Path, keys: list[Path]) -> int:
    """Verify an exported ledger; 1 if anything is wrong."""
    found = verify(folder, keys)
    for words in found.faults:
        echo("! " + text_of(words))
    if found.faults:
        return 1
    counts = ", ".join(f"{t.chain} {t.n}" for t in found.tails)
    echo(
        Text(
            f"台账完好：{found.run}，{counts} 条",
            f"the ledger is whole: {found.run}, {counts} entries",
        )
    )
    echo(
        Text(
            f"封签于 {moment(found.sealed_at)}；公钥：{' '.join(found.keys)}",
            f"sealed at {moment(found.sealed_at)}; keys: {' '.join(found.keys)}",
        )
    )
    p = found.proofs
    echo(
        Text(f"人的决定：{p.right} 个签名相符", f"people's decisions: {p.right} signatures fit")
        + (
            Text(
                f"，{p.none} 个无签名（早于签名）",
                f", {p.none} have none (from before there were proofs)",
            )
            if p.none
            else ""
        )
    )
    for key, count in sorted(p.keys.items()):
        echo(
            Text(
                f"  {key} {count}；是谁的：fengsui signer list",
                f"  {key} {count}; whose: fengsui signer list",
            )
        )
    if not found.given:
        echo(
            Text(
                "注：公钥取自此文件夹，请与别处所存核对：--key FILE",
                "note: the keys are the folder's own; compare them with those kept elsewhere: "
                "--key FILE",
            )
        )
    return 0


def _check_pack(place: Path, keys: list[Path]) -> int:
    """Verify an investigation pack; 1 if anything is wrong."""
    from fengsui.inquiry.verdict import verdict
    from fengsui.inquiry.verify import verify as verify_pack

    found = verify_pack(place, keys)
    for words in verdict(found):
        echo(words)
    return 1 if found.faults else 0


def _check_run_ledger(setup: Setup) -> int:
    """Verify the ledger in a run's log, and the log against it; 1 if anything is wrong."""
    log = open_run_log(setup)
    try:
        tails, faults = verify_log(log)
    finally:
        log.close()
    for words in faults:
        echo("! " + text_of(words))
    if not faults:
        counts = ", ".join(f"{t.chain} {t.n}" for t in tails)
        echo(
            Text(
                f"台账与日志相符：{counts} 条",
                f"the ledger is whole and fits the log: {counts} entries",
            )
        )
    return 1 if faults else 0
