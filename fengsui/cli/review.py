"""Commands of the people who hold drills and look back: drill, after-action."""

import sys
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.options import RUN, Shared
from fengsui.play import drill as drills
from fengsui.review import page
from fengsui.run.setup import stamp
from stream.environment import Usage, spoken

_PLAN = click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=spoken(Text("目标 [区县的 drill.toml]", "targets [default: the district's drill.toml]")),
)


@click.command()
@click.argument("scenario", required=False, default="yanqing-storm")
@click.option(
    "--run",
    "run_name",
    default="",
    help=spoken(
        Text(
            "运行名 exercise-NAME [exercise-TIME]", "the run's name, exercise-NAME [exercise-TIME]"
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("结果目录 [STATE/RUN-report]", "folder of the results [STATE/RUN-report]")),
)
@click.option(
    "--seed",
    type=int,
    default=None,
    help=spoken(Text("随机种子 [情景自己的]", "random seed [the scenario's own]")),
)
@click.option(
    "--speed",
    type=float,
    default=None,
    help=spoken(
        Text(
            "一秒放几秒情景；0: 尽快 [--people 时为 1]",
            "scenario seconds a second; 0: as fast as it goes [1 with --people]",
        )
    ),
)
@_PLAN
@click.option(
    "--people",
    is_flag=True,
    help=spoken(Text("由人在别的终端决定", "persons decide, from other terminals")),
)
@click.option(
    "--plain",
    is_flag=True,
    help=spoken(Text("逐行输出，不用活动屏幕", "lines instead of a moving screen")),
)
@click.option(
    "--port",
    type=int,
    default=1883,
    show_default=True,
    help=spoken(Text("内置 MQTT 服务器的端口", "port of the embedded MQTT broker")),
)
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
    """演练：SCENARIO 走完全线，与一切真实的东西断开，并评估。

    它有自己的 MQTT 服务器、日志和密钥；旁边的实况出现红色预警时中止。退出码：0 完成 · 1 失败 · 3 因实况中止。

    Play SCENARIO through the whole line, cut off from everything real, and assess it.

    It has a broker, a log and keys of its own; a real red in the live run beside it breaks it off. Exit
    codes: 0 played · 1 failed · 3 a real warning broke it off.
    """
    for name, url in obj.urls.items():
        if url:
            raise Usage(
                Text(
                    f"演练用自己的服务，不写 --{name}",
                    f"a drill has its own services: leave --{name} away",
                )
            )
    name = run_name or f"exercise-{stamp()}"
    wish = drills.DrillWish(
        scenario, name, seed, speed, out or obj.state / f"{name}-report", plan, people, plain, port
    )
    sys.exit(drills.drill(obj.district(), obj.state, wish))


@click.command("after-action")
@RUN
@click.option(
    "--incident",
    default="",
    help=spoken(
        Text(
            "事件 [实况：最新的；演练：全部]", "incident [live: the newest; an exercise: all of it]"
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("结果目录 [当前目录]", "folder of the results [here]")),
)
@_PLAN
@click.pass_obj
def after_action(
    obj: Shared, run_name: str, incident: str, out: Path | None, plan: Path | None
) -> None:
    """总结评估：发生了什么、每步多久、谁应答，对照预案；可打印的网页和 JSON。演练和实况都可以。

    What happened, how long each step took, who answered, against the plan; as a page to print and as JSON.
    For drills and for real events.
    """
    sys.exit(page.after_action(obj.existing_judged(run_name), incident, out, plan))
