"""The command `fengsui`: its options, and the list of its commands (fengsui/cli/table.py)."""

import sys
from pathlib import Path

import click

from config.language import Text, text_of
from config.load import ConfigError
from fengsui.cli.lazy import LazyGroup
from fengsui.cli.options import Shared
from fengsui.cli.table import COMMANDS
from fengsui.run.setup import default_config
from fengsui.run.terminal import echo
from stream.environment import Usage
from stream.log.port import Corrupt, Unavailable


@click.group(
    cls=LazyGroup,
    sections=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
退出码 exit codes: 0 成功 well · 1 失败 failed · 2 用法或配置有误 wrong usage or configuration
环境变量 environment: FENGSUI_CONFIG FENGSUI_STATE FENGSUI_BROKER FENGSUI_LOG FENGSUI_HISTORY""",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_config,
    envvar="FENGSUI_CONFIG",
    help="区县配置目录 the district's folder [default: the package's config/yanqing]",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="FENGSUI_STATE",
    help="运行数据目录 where runs keep their data [default: var]",
)
@click.option("--broker", default="", help="MQTT 服务器 mqtt://USER:PASSWORD@HOST:PORT, mqtts://…")
@click.option("--log", default="", help="日志 sqlite:///FOLDER or kafka://HOST:PORT")
@click.option("--history", default="", help="历史库 sqlite:///DIR or influx://HOST:PORT/ORG/BUCKET")
@click.version_option(package_name="fengsui")
@click.pass_context
def cli(ctx: click.Context, config: Path, state: Path, broker: str, log: str, history: str) -> None:
    """烽燧 Fengsui: 从雨量计到村里的大喇叭 from the rain gauge to the loudspeaker in the village.

    先试试 to begin: `fengsui run` plays a mountain storm over Yanqing, with nothing else installed.
    """
    ctx.obj = Shared(config, state, broker, log, history)


def main() -> None:
    """Entry point: conventional exit codes, no traceback for what a person did."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
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
