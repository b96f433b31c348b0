"""The command upgrade-check."""

import contextlib
import sys
import tempfile
from pathlib import Path

import click

from config.language import Text, text_of
from fengsui.cli.options import Shared
from fengsui.run.setup import Setup, make_setup
from stream.environment import Usage, spoken


@click.command("upgrade-check")
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.option("--scenario", "name", default="cloudburst", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=spoken(Text("运行和日志留在这里", "keep the run and the journals here")),
)
@click.option(
    "--old-config",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help=spoken(
        Text(
            "旧版用的区县目录 [同 --config]",
            "the district as the older version reads it [as --config]",
        )
    ),
)
@click.pass_obj
def upgrade_check(
    obj: Shared, old: Path, name: str, out: Path | None, old_config: Path | None
) -> None:
    """升级前试：旧版 → 本版 → 旧版 → 本版，一场暴雨中逐个环节更换，查有没有丢、有没有发两次。

    OLD：旧版的源码目录，或装了旧版的环境里的 python。

    Before an upgrade: old → this → old → this version, stage by stage in a storm; was anything lost or sent
    twice?

    OLD: the older version's source tree, or the python of its environment."""
    from fengsui.upgrade.builds import older_build, this_build
    from fengsui.upgrade.check import RUN
    from fengsui.upgrade.check import upgrade_check as check

    builds = older_build(old, old_config or obj.config), this_build(obj.config)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise Usage(Text(f"{out}：须为空目录", f"{out}: an empty folder is wanted"))
    with contextlib.ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="fengsui-upgrade-")
        state = out or Path(stack.enter_context(made))
        try:
            district, broker, log = obj.district(), obj.urls["broker"], obj.urls["log"]

            def setup_of(at: int) -> Setup:
                return make_setup(district, RUN, state, broker=broker, log=log, start_at=at)

            sys.exit(check(setup_of, *builds, state, name))
        except ValueError as e:
            raise Usage(text_of(e)) from e
