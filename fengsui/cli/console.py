"""Commands of the duty room: console, console user, and console token."""

import ipaddress
import sys
from pathlib import Path

import click

from console.auth.accounts import ROLES
from console.serve import Listen
from fengsui.cli.options import RUN, Shared
from fengsui.play import console as duty_room


@click.group(invoke_without_command=True)
@RUN
@click.option(
    "--listen",
    default="127.0.0.1:8470",
    show_default=True,
    envvar="FENGSUI_CONSOLE_LISTEN",
    help="HOST:PORT",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    envvar="FENGSUI_CONSOLE_NAMES",
    help="浏览器用的主机名 names browsers call it by",
)
@click.option("--cert", default="", envvar="FENGSUI_CONSOLE_CERT", help="TLS 证书 certificate, PEM")
@click.option("--key", default="", envvar="FENGSUI_CONSOLE_KEY", help="TLS 私钥 its key, PEM")
@click.option(
    "--behind-proxy",
    "proxy",
    is_flag=True,
    envvar="FENGSUI_CONSOLE_PROXY",
    help="前面有 TLS 代理 a proxy speaks TLS",
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    envvar="FENGSUI_CONSOLE_PROXIES",
    help="代理的地址或网段，只信它们的 X-Forwarded-For 的 the proxy's address or network: whose "
    "X-Forwarded-For counts",
)
@click.pass_context
def console(
    ctx: click.Context,
    run_name: str,
    listen: str,
    names: tuple[str, ...],
    cert: str,
    key: str,
    proxy: bool,
    proxies: tuple[str, ...],
) -> None:
    """值班台 the duty room's pages, as a process of its own: map, warnings, decisions."""
    if ctx.invoked_subcommand:
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError(f"--listen {listen}: 应写 write HOST:PORT")
    for given in proxies:
        try:
            ipaddress.ip_network(given)
        except ValueError as e:
            raise click.UsageError(
                f"--proxy {given}: 应写地址或网段 write an address or a network, 10.0.0.7 or 10.0.0.0/24"
            ) from e
    where = Listen(host, int(port), names, cert, key, proxy, proxies)
    sys.exit(duty_room.run_console(ctx.obj.setup(run_name), ctx.obj.config, where))


@console.group()
def user() -> None:
    """用户 who may enter the duty room."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--officer", default="", help="officers.csv 里的代号 acts as this officer")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="口令文件 [ask] a file that holds the password",
)
@click.option("--own", is_flag=True, help="本人输入的，不必再换 typed by the user: it stays")
@RUN
@click.pass_obj
def user_add(
    obj: Shared,
    name: str,
    role: str,
    officer: str,
    password_file: Path | None,
    own: bool,
    run_name: str,
) -> None:
    """新用户或改口令，首次登录时本人另换 a new user, or a new role and password, to be changed at the
    first log-in."""
    password = (
        password_file.read_text().strip()
        if password_file
        else click.prompt("口令 password", hide_input=True, confirmation_prompt=True)
    )
    sys.exit(duty_room.add_user(obj.reader(run_name), name, role, officer, password, own=own))


@user.command("remove")
@click.argument("name")
@RUN
@click.pass_obj
def user_remove(obj: Shared, name: str, run_name: str) -> None:
    """删除 take a user away; their sessions end."""
    sys.exit(duty_room.remove_user(obj.reader(run_name), name))


@user.command("unlock")
@click.argument("name")
@RUN
@click.pass_obj
def user_unlock(obj: Shared, name: str, run_name: str) -> None:
    """解除限次 let a name be tried from everywhere again."""
    sys.exit(duty_room.unlock_user(obj.reader(run_name), name))


@user.command("reset")
@click.argument("name")
@RUN
@click.pass_obj
def user_reset(obj: Shared, name: str, run_name: str) -> None:
    """清第二因素 take a second factor away; the user makes another at the next log-in."""
    sys.exit(duty_room.reset_user(obj.reader(run_name), name))


@user.command("link")
@click.argument("name")
@click.option("--address", default="http://127.0.0.1:8470", show_default=True)
@RUN
@click.pass_obj
def user_link(obj: Shared, name: str, address: str, run_name: str) -> None:
    """一次有效的链接 a link that lets this user in once, within 15 minutes."""
    sys.exit(duty_room.link_user(obj.reader(run_name), name, address))


@user.command("list")
@RUN
@click.pass_obj
def user_list(obj: Shared, run_name: str) -> None:
    """列出 all users."""
    sys.exit(duty_room.list_users(obj.reader(run_name)))


@console.group()
def token() -> None:
    """令牌 programs that may use the HTTP API (docs/api.md)."""


@token.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--officer", default="", help="officers.csv 里的代号 acts as this officer")
@RUN
@click.pass_obj
def token_add(obj: Shared, name: str, role: str, officer: str, run_name: str) -> None:
    """新令牌，只显示一次 a new token, shown this once."""
    sys.exit(duty_room.add_token(obj.reader(run_name), name, role, officer))


@token.command("remove")
@click.argument("name")
@RUN
@click.pass_obj
def token_remove(obj: Shared, name: str, run_name: str) -> None:
    """撤销 revoke a token, at once."""
    sys.exit(duty_room.remove_token(obj.reader(run_name), name))


@token.command("list")
@RUN
@click.pass_obj
def token_list(obj: Shared, run_name: str) -> None:
    """列出 all tokens and when they were last used."""
    sys.exit(duty_room.list_tokens(obj.reader(run_name)))


@console.command()
@RUN
@click.pass_obj
def record(obj: Shared, run_name: str) -> None:
    """操作记录 who entered and what they did; exit code 1 if it was changed by another hand."""
    sys.exit(duty_room.show_record(obj.reader(run_name)))
