"""Commands of the people who hold drills and look back: drill, after-action."""

import sys
from pathlib import Path

import click

from fengsui.cli.options import RUN, Shared
from fengsui.play import drill as drills
from fengsui.review import page
from fengsui.run.setup import stamp
from stream.environment import Usage

_PLAN = click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="目标 targets [default: the district's drill.toml]",
)


@click.command()
@click.argument("scenario", required=False, default="yanqing-storm")
@click.option("--run", "run_name", default="", help="运行名 exercise-NAME [exercise-TIME]")
@click.option("--out", type=click.Path(path_type=Path), help="结果目录 [default: STATE/RUN-report]")
@click.option("--seed", type=int, default=None, help="随机种子 [the scenario's own]")
@click.option(
    "--speed",
    type=float,
    default=None,
    help="情景秒/真实秒; 0: 尽快 as fast as it goes [1 with --people]",
)
@_PLAN
@click.option("--people", is_flag=True, help="由人决定 persons decide, from other terminals")
@click.option("--plain", is_flag=True, help="逐行输出 lines instead of a moving screen")
@click.option("--port", type=int, default=1883, show_default=True, help="内置 MQTT 端口")
@click.pass_obj
def drill(
    obj: Shared,
    scenario: str,
    run_name: str,
    out: Path | None,
    seed: int | None,
    speed: float | None,
    plan: Path | None,
    people: bool,
    plain: bool,
    port: int,
) -> None:
    """演练 play SCENARIO through the whole line, cut off from everything real, and assess it.

    It has a broker, a log and keys of its own; a real red in the live run beside it breaks it off.
    退出码 exit codes: 0 完成 played · 1 失败 failed · 3 因实况中止 a real warning broke it off.
    """
    for name, url in obj.urls.items():
        if url:
            raise Usage(f"演练用自己的服务 a drill has its own services: leave --{name} away")
    name = run_name or f"exercise-{stamp()}"
    wish = drills.DrillWish(
        scenario, name, seed, speed, out or obj.state / f"{name}-report", plan, people, plain, port
    )
    sys.exit(drills.drill(obj.district(), obj.state, wish))


@click.command("after-action")
@RUN
@click.option("--incident", default="", help="事件 [live: the newest; an exercise: all of it]")
@click.option("--out", type=click.Path(path_type=Path), help="结果目录 [default: here]")
@_PLAN
@click.pass_obj
def after_action(
    obj: Shared, run_name: str, incident: str, out: Path | None, plan: Path | None
) -> None:
    """总结评估 what happened, how long each step took, who answered, against the plan; as a page to
    print and as JSON. For drills and for real events."""
    sys.exit(page.after_action(obj.setup(run_name), incident, out, plan))
