"""`fengsui signer`: whose signatures count for decisions, and an officer's own key (docs/decide.md)."""

import shlex
import sys
from pathlib import Path

import click

from config.language import Text, text_of
from dispatch.signatures.proof import Signer
from dispatch.signatures.signers import (
    FILE,
    begin,
    enrol,
    make_officer_key,
    public_key,
    read,
    retire,
)
from dispatch.words.local_time import local
from fengsui.cli.options import BEFORE_START, RUN, Shared
from fengsui.play.console import noted
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.signing import desk, signers_folder, usual_place
from fengsui.run.terminal import echo
from stream.environment import Usage, secret, spoken
from stream.wall_clock import now_ms

_SHORTEST = 10


@click.group()
def signer() -> None:
    """签名人：谁的签名算数；值班台的钥匙，值班人员本人的钥匙。

    Whose signatures count for decisions: the console's desk, and officers' own keys.
    """


@signer.command()
@click.argument("officer")
@click.option("--out", type=click.Path(path_type=Path), help="[~/.config/fengsui/OFFICER.key]")
def make(officer: str, out: Path | None) -> None:
    """本人的钥匙：给 OFFICER 造一把，用口令封好；在本人的机器上运行，把打印的公钥交给管名单的人。

    A key of OFFICER's own, sealed with a passphrase: run it on the officer's machine, and hand the public
    half that it prints to whoever keeps the list.
    """
    file = out or usual_place(officer)
    words = secret("FENGSUI_OFFICER_PASSPHRASE") or click.prompt(
        spoken(Text("口令", "passphrase")), hide_input=True, confirmation_prompt=True, err=True
    )
    if len(words) < _SHORTEST:
        raise Usage(
            Text(f"口令至少 {_SHORTEST} 个字符", f"a passphrase has {_SHORTEST} characters or more")
        )
    try:
        public = make_officer_key(file, words)
    except (ValueError, OSError) as e:
        raise Usage(text_of(e)) from e
    echo(
        Text(f"{file}: 只有本人可用；待登记：", f"{file}: for its owner alone; to be registered:"),
        err=True,
    )
    echo(shlex.join(["fengsui", "signer", "add", officer, public]))


def _list(setup: Setup) -> Path:
    """The run's list, made where there is none."""
    folder = signers_folder(setup)
    if not (folder / FILE).exists():
        begin(folder, setup.run.name, setup.district.id, handled(setup))
    return folder / FILE


def handled(setup: Setup) -> int:
    """Where decide stands in `cases`."""
    setup.folder.mkdir(parents=True, exist_ok=True)
    log = open_run_log(setup)
    try:
        return log.positions("cases", "decide")[0]
    finally:
        log.close()


@signer.command()
@click.argument("words", nargs=-1, required=True, metavar="[OFFICER] KEY")
@click.option(
    "--desk",
    "is_desk",
    is_flag=True,
    help=spoken(Text("值班台的钥匙，它替所有人签名", "the key of a console, which signs for all")),
)
@click.option(
    "--name",
    default="desk",
    show_default=True,
    help=spoken(Text("值班台的名字", "the desk's name")),
)
@RUN
@BEFORE_START
@click.pass_obj
def add(
    obj: Shared, words: tuple[str, ...], is_desk: bool, name: str, run_name: str, before_start: bool
) -> None:
    """登记：让 KEY（十六进制，或文件）替 OFFICER 签名；加 --desk 则替该值班台放进来的人签名。
    请当面或听熟悉的声音问清是不是本人的钥匙。

    Let KEY (hex, or a file) sign for OFFICER, or with --desk for whoever that desk lets in. Ask the officer
    in person, or by a voice that you know, whether it is theirs.
    """
    setup: Setup = obj.beforehand(run_name, before_start=before_start)
    if len(words) != 2 - is_desk:
        raise Usage(Text("写 OFFICER KEY，或 --desk KEY", "write OFFICER KEY, or --desk KEY"))
    officer, key = ("", words[0]) if is_desk else words
    if officer and officer not in setup.district.officers:
        raise Usage(
            Text(f"{officer}: officers.csv 里没有", f"{officer}: does not stand in officers.csv")
        )
    try:
        found = Signer(key=public_key(key), officer=officer, name=name if is_desk else "")
        enrol(_list(setup), setup.district.id, found)
    except (ValueError, OSError) as e:
        raise Usage(text_of(e)) from e
    noted(setup, "signer add", f"{officer or name} {found.key[:16]}")
    echo(f"✓ {officer or name} {found.key}")


@signer.command()
@click.argument("key")
@RUN
@click.pass_obj
def revoke(obj: Shared, key: str, run_name: str) -> None:
    """撤销以 KEY 开头的钥匙：从现在起不再作数。立即生效，decide 每次都查。

    The key whose hex begins with KEY signs nothing from now on. At once: decide looks it up for each act.
    """
    setup: Setup = obj.existing(run_name)
    file = _list(setup)
    try:
        gone = retire(file, setup.district.id, key, handled(setup), now_ms())
    except (ValueError, OSError) as e:
        raise Usage(text_of(e)) from e
    noted(setup, "signer revoke", f"{gone.officer or gone.name} {gone.key[:16]}")
    echo(f"✓ {gone.officer or gone.name} {gone.key}")


@signer.command("list")
@RUN
@click.pass_obj
def list_(obj: Shared, run_name: str) -> None:
    """列出全部钥匙，含已撤销的，以及从日志何处起须签名。

    All keys, the revoked ones too, and from where in the log on proofs are asked for.
    """
    setup: Setup = obj.existing(run_name)
    file = signers_folder(setup) / FILE
    if not file.exists():
        echo(
            Text(
                f"{file}: 还没有，首次启动时建立",
                f"{file}: there is none yet; it is made at the first start",
            ),
            err=True,
        )
        sys.exit(1)
    try:
        trust = read(file, setup.district.id)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    for era in trust.eras:
        echo(
            Text(
                f"{era.run}: 自 cases/0/{era.since} 起须签名",
                f"{era.run}: must be signed from cases/0/{era.since} on",
            )
        )
        for s in era.signers:
            whose = s.officer or Text(f"值班台 {s.name}", f"desk {s.name}")
            zone = setup.district.timezone
            end = (
                Text(f" 撤销于 {local(s.until_at, zone)}", f" revoked {local(s.until_at, zone)}")
                if s.until_at is not None
                else ""
            )
            echo(f"  {s.key} {whose}{end}")


@signer.command("desk")
@click.option(
    "--new",
    is_flag=True,
    help=spoken(Text("换新钥匙，旧的不再作数", "a new key; the old one counts no more")),
)
@RUN
@BEFORE_START
@click.pass_obj
def desk_(obj: Shared, new: bool, run_name: str, before_start: bool) -> None:
    """值班台的公钥：本机值班台的，没有就造一把。

    The public key of this machine's console, made when there is none.
    """
    setup: Setup = obj.beforehand(run_name, before_start=before_start)
    mine = desk(setup, lambda: handled(setup))
    try:
        public = mine.renew(now_ms()) if new else mine.public()
        if new:
            noted(setup, "signer desk", f"--new {public[:16]}")
        echo(public)
    except ValueError as e:
        raise Usage(text_of(e)) from e
