"""The command `fengsui`: its options, and the list of its commands (fengsui/cli/table.py)."""

import atexit
import gc
import os
import sys
from pathlib import Path

import click

from config.language import Text, text_of
from config.load import ConfigError
from fengsui.cli.lazy import LazyGroup, in_one_language
from fengsui.cli.options import Shared
from fengsui.cli.table import COMMANDS
from fengsui.run.setup import default_config
from fengsui.run.terminal import echo
from stream.environment import Usage, language, spoken
from stream.log.port import Corrupt, Unavailable


@click.group(
    cls=LazyGroup,
    sections=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=spoken(
        Text(
            "\b\n退出码：0 成功 · 1 失败 · 2 用法或配置有误\n环境变量：FENGSUI_CONFIG "
            "FENGSUI_STATE FENGSUI_BROKER FENGSUI_LOG FENGSUI_HISTORY\nFENGSUI_LANG：zh（中"
            "文）、en（英文）或 both",
            "\b\nexit codes: 0 well · 1 failed · 2 wrong usage or "
            "configuration\nenvironment: FENGSUI_CONFIG FENGSUI_STATE FENGSUI_BROKER "
            "FENGSUI_LOG FENGSUI_HISTORY\nFENGSUI_LANG: zh (Chinese), en (English) or both",
        )
    ),
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_config,
    envvar="FENGSUI_CONFIG",
    help=spoken(
        Text(
            "区县配置目录 [程序自带的 config/yanqing]",
            "the district's folder [default: the package's config/yanqing]",
        )
    ),
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="FENGSUI_STATE",
    help=spoken(Text("运行数据目录 [var]", "where runs keep their data [default: var]")),
)
@click.option(
    "--broker",
    default="",
    help=spoken(
        Text(
            "MQTT 服务器：mqtt://USER:PASSWORD@HOST:PORT、mqtts://…",
            "MQTT broker: mqtt://USER:PASSWORD@HOST:PORT, mqtts://…",
        )
    ),
)
@click.option(
    "--log",
    default="",
    help=spoken(
        Text(
            "日志：sqlite:///FOLDER 或 kafka://HOST:PORT",
            "log: sqlite:///FOLDER or kafka://HOST:PORT",
        )
    ),
)
@click.option(
    "--history",
    default="",
    help=spoken(
        Text(
            "历史库：sqlite:///DIR 或 influx://HOST:PORT/ORG/BUCKET",
            "history: sqlite:///DIR or influx://HOST:PORT/ORG/BUCKET",
        )
    ),
)
@click.version_option(package_name="fengsui")
@click.pass_context
def cli(ctx: click.Context, config: Path, state: Path, broker: str, log: str, history: str) -> None:
    """烽燧：从雨量计到村里的大喇叭。

    先试试：`fengsui run` 放一场延庆山区的暴雨，不用装别的。

    Fengsui: from the rain gauge to the loudspeaker in the village.

    To begin: `fengsui run` plays a mountain storm over Yanqing, with nothing else installed.
    """
    language()  # a wrong FENGSUI_LANG is told before anything else
    ctx.obj = Shared(config, state, broker, log, history)


def _placed(e: click.ClickException) -> click.ClickException:
    """The error of an option of all commands that was written after the command says where it stands."""
    if (
        isinstance(e, click.NoSuchOption)
        and e.ctx is not None
        and e.ctx.parent is not None
        and any(e.option_name in p.opts for p in cli.params)
    ):
        root = e.ctx.find_root().command_path
        command = e.ctx.command_path.removeprefix(root).strip()
        words = Text(
            f"{e.option_name} 写在命令前面：fengsui {e.option_name} … {command}",
            f"{e.option_name} stands before the command: fengsui {e.option_name} … {command}",
        )
        return click.UsageError(spoken(words), e.ctx)
    return e


def main() -> None:
    """Entry point: conventional exit codes, no traceback for what a person did."""
    # before NumPy is loaded: matrices here are narrow, and where a machine is busy the threads of its library
    # wait longer for each other than they save (tune took six times the CPU); who sets it knows better
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # what is left at the end goes with the process: to look through it for garbage takes a fifth of a command
    atexit.register(gc.freeze)
    try:
        in_one_language(cli)
        # outside its standalone mode click gives the code of an Exit back; it does not raise it
        code = cli(standalone_mode=False)
        if isinstance(code, int):
            sys.exit(code)
    except click.ClickException as e:
        _placed(e).show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        echo(Text("已停止", "stopped"), err=True)
        sys.exit(130)
    except ConfigError as e:
        echo(e, err=True)
        sys.exit(2)
    except Usage as e:
        echo("fengsui: " + text_of(e), err=True)
        sys.exit(2)
    except Corrupt as e:
        echo("fengsui: " + text_of(e), err=True)
        sys.exit(2)
    except Unavailable as e:
        echo("fengsui: " + text_of(e), err=True)
        sys.exit(1)
    except (ValueError, OSError) as e:
        if not isinstance(next(iter(e.args), None), Text):
            raise  # a defect; what a person can mend is said in a pair
        echo("fengsui: " + text_of(e), err=True)
        sys.exit(1 if isinstance(e, OSError) else 2)
