"""The command verify-wheel."""

from pathlib import Path

import click

from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify-wheel")
@click.argument("file", type=_FILE)
@click.option(
    "--key",
    required=True,
    type=_FILE,
    help=spoken(Text("制作者的公钥，PEM，另外得来", "the makers' public key, PEM, got another way")),
)
@click.option(
    "--provenance",
    type=_FILE,
    help=spoken(
        Text("来源说明 [旁边的 provenance.intoto.json]", "[default: provenance.intoto.json beside it]")
    ),
)
def verify_wheel(file: Path, key: Path, provenance: Path | None) -> None:
    """安装前查：FILE 是不是这把钥匙的主人由那个提交构建的，一个字节也没有改。

    Before installing: was FILE built from that commit by whoever has the key, with no byte changed?

    FILE：wheel、sdist 或 sbom.cdx.json。不对则退出码 1。

    FILE: the wheel, the sdist or sbom.cdx.json. Exit code 1 if it is not."""
    from fengsui.files.provenance import Wrong, check, commit_of, opened

    beside = provenance or file.with_name("provenance.intoto.json")
    if not beside.is_file():
        raise Usage(Text(f"没有 {beside}：--provenance FILE", f"no {beside}: --provenance FILE"))
    try:
        statement = opened(beside.read_bytes(), key.read_bytes())
        check(statement, file.name, file.read_bytes())
    except Wrong as e:
        echo("✗ " + text_of(e))
        raise click.exceptions.Exit(1) from e
    commit = commit_of(statement)
    echo(Text(f"✓ {file.name}：由提交 {commit} 构建", f"✓ {file.name}: built from commit {commit}"))
