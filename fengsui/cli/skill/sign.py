"""The command by which somebody answers for thresholds."""

from datetime import UTC, datetime
from pathlib import Path

import click

from config.language import Text
from config.load import load
from config.proof import Proof, add
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken


@click.command()
@click.argument("folder", metavar="CONFIG", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--by", required=True, help=spoken(Text("签字人代号", "opaque id of who answers for it"))
)
@click.option(
    "--reason", required=True, help=spoken(Text("为何不经回放评分", "why without a hindcast"))
)
def sign(folder: Path, by: str, reason: str) -> None:
    """签字：为 CONFIG 改过而没有资料评分的阈值和规则负责。

    Answer for changed thresholds and rules of CONFIG that no record has scored.
    """
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by or not reason:
        raise Usage(Text("--by 和 --reason 不能为空", "--by and --reason cannot be empty"))
    district = load(folder)
    today = datetime.now(UTC).date().isoformat()
    entry = Proof(rules=district.rules_version, how="signed", by=by, on=today, reason=reason)
    path = add(folder, entry)
    echo(Text(f"已写：{path} {entry.rules}", f"written: {path} {entry.rules}"))
