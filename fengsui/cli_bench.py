"""The command `fengsui bench`: figures that anyone can measure, each beside a baseline of its run."""

import os
import sys
from pathlib import Path

import click

from fengsui.bench_channels import bench_channels
from fengsui.bench_console import bench_console
from fengsui.bench_door import bench_door
from fengsui.bench_ledger import bench_ledger
from fengsui.bench_nodes import bench_nodes
from fengsui.bench_poison import bench_poison
from fengsui.bench_target import bench_target

_PARTS = ("rule", "line", "latency", "cost", "kafka")


@click.group(invoke_without_command=True)
@click.option(
    "--workload", type=click.Path(exists=True, path_type=Path), help="读这些 JSON lines to read"
)
@click.option("--seconds", type=float, default=10.0, show_default=True, help="每项时长 each part")
@click.option("--only", type=click.Choice(_PARTS), multiple=True)
@click.pass_context
def bench(ctx: click.Context, workload: Path | None, seconds: float, only: tuple[str, ...]) -> None:
    """测速 measure the rule in memory, the embedded line and its latency, beside a baseline; with
    --only kafka the detectors on the Kafka that FENGSUI_LOG names; --only cost: by stations."""
    from fengsui.bench import run_bench

    if ctx.invoked_subcommand is not None:
        return
    log = ctx.obj.urls["log"] or os.environ.get("FENGSUI_LOG", "")
    chosen = only or ("rule", "line", "latency")
    sys.exit(run_bench(ctx.obj.district(), log, workload, seconds, chosen))


@bench.command("detect")
@click.option("--quick", is_flag=True, help="少而快 small and soon, not exact")
@click.option(
    "--workload", type=click.Path(exists=True, path_type=Path), help="读这些 JSON lines to read"
)
def bench_detect(quick: bool, workload: Path | None) -> None:
    """每条规则、每秒读数 each rule by stations, beside a plain loop; a year hindcast."""
    from fengsui.bench import run_bench

    sys.exit(run_bench(None, "", workload, 0.0, ("detect",), quick=quick))


@bench.command("camera")
def bench_camera() -> None:
    """每帧毫秒 ms for a 720p frame, rule by rule, beside the plain way."""
    from fengsui.bench_camera import lines

    for text in lines():
        click.echo(text)


bench.add_command(bench_nodes)
bench.add_command(bench_ledger)
bench.add_command(bench_channels)
bench.add_command(bench_target)
bench.add_command(bench_console)
bench.add_command(bench_door)
bench.add_command(bench_poison)

COMMANDS = (bench,)
