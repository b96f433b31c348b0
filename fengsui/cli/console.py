"""Commands of the duty room: console, console user, and console token."""

import ipaddress
import sys
from pathlib import Path

import click

from config.language import Text
from console.auth.accounts import ROLES
from console.serve import Listen
from fengsui.cli.options import BEFORE_START, RUN, Shared
from fengsui.play import console as duty_room
from stream.environment import spoken


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
    help=spoken(Text("浏览器访问所用的主机名", "names that browsers call it by")),
)
@click.option(
    "--cert",
    default="",
    envvar="FENGSUI_CONSOLE_CERT",
    help=spoken(Text("TLS 证书，PEM", "TLS certificate, PEM")),
)
@click.option(
    "--key",
    default="",
    envvar="FENGSUI_CONSOLE_KEY",
    help=spoken(Text("证书的私钥，PEM", "the certificate's key, PEM")),
)
@click.option(
    "--behind-proxy",
    "proxy",
    is_flag=True,
    envvar="FENGSUI_CONSOLE_PROXY",
    help=spoken(Text("前面有说 TLS 的代理", "a proxy in front speaks TLS")),
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    envvar="FENGSUI_CONSOLE_PROXIES",
    help=spoken(
        Text(
            "代理的地址或网段，只信它们的 X-Forwarded-For",
            "the proxy's address or network: whose X-Forwarded-For counts",
        )
    ),
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
    """值班台：网页，单独一个进程；地图、预警、决定。

    The duty room's pages, as a process of its own: map, warnings, decisions.
    """
    if ctx.invoked_subcommand:
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError(
            spoken(
                Text(f"--listen {listen}: 应写 HOST:PORT", f"--listen {listen}: write HOST:PORT")
            )
        )
    for given in proxies:
        try:
            ipaddress.ip_network(given)
        except ValueError as e:
            raise click.UsageError(
                spoken(
                    Text(
                        f"--proxy {given}: 应写地址或网段，如 10.0.0.7 或 10.0.0.0/24",
                        f"--proxy {given}: write an address or a network, 10.0.0.7 or 10.0.0.0/24",
                    )
                )
            ) from e
    where = Listen(host, int(port), names, cert, key, proxy, proxies)
    sys.exit(duty_room.run_console(ctx.obj.setup(run_name), ctx.obj.config, where))


@console.group()
def user() -> None:
    """用户：谁能进值班台。

    Who may enter the duty room.
    """


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--officer",
    default="",
    help=spoken(Text("以 officers.csv 里的哪个代号办事", "acts as this officer of officers.csv")),
)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=spoken(Text("写有口令的文件 [不给则询问]", "a file that holds the password [ask]")),
)
@click.option(
    "--own",
    is_flag=True,
    help=spoken(Text("口令由本人输入，不必再换", "typed by the user: it stays")),
)
@RUN
@BEFORE_START
@click.pass_obj
def user_add(
    obj: Shared,
    name: str,
    role: str,
    officer: str,
    password_file: Path | None,
    own: bool,
    run_name: str,
    before_start: bool,
) -> None:
    """新用户，或换角色和口令；首次登录时本人另换口令。

    A new user, or a new role and password, to be changed at the first log-in.
    """
    setup = obj.beforehand(run_name, before_start=before_start)
    password = (
        password_file.read_text().strip()
        if password_file
        else click.prompt(
            spoken(Text("口令", "password")), hide_input=True, confirmation_prompt=True
        )
    )
    sys.exit(duty_room.add_user(setup, name, role, officer, password, own=own))


@user.command("remove")
@click.argument("name")
@RUN
@click.pass_obj
def user_remove(obj: Shared, name: str, run_name: str) -> None:
    """删除用户，其会话即止。

    Take a user away; their sessions end.
    """
    sys.exit(duty_room.remove_user(obj.existing(run_name), name))


@user.command("unlock")
@click.argument("name")
@RUN
@click.pass_obj
def user_unlock(obj: Shared, name: str, run_name: str) -> None:
    """解除限次：此名可从各处再试。

    Let a name be tried from everywhere again.
    """
    sys.exit(duty_room.unlock_user(obj.existing(run_name), name))


@user.command("reset")
@click.argument("name")
@RUN
@click.pass_obj
def user_reset(obj: Shared, name: str, run_name: str) -> None:
    """清第二因素：下次登录时本人另做一个。

    Take a second factor away; the user makes another at the next log-in.
    """
    sys.exit(duty_room.reset_user(obj.existing(run_name), name))


@user.command("link")
@click.argument("name")
@click.option("--address", default="http://127.0.0.1:8470", show_default=True)
@RUN
@click.pass_obj
def user_link(obj: Shared, name: str, address: str, run_name: str) -> None:
    """一次有效的登录链接，十五分钟内。

    A link that lets this user in once, within 15 minutes.
    """
    sys.exit(duty_room.link_user(obj.existing(run_name), name, address))


@user.command("list")
@RUN
@click.pass_obj
def user_list(obj: Shared, run_name: str) -> None:
    """列出全部用户。

    All users.
    """
    sys.exit(duty_room.list_users(obj.existing(run_name)))


@console.group()
def token() -> None:
    """令牌：哪些程序可用 HTTP API（docs/api.md）。

    Programs that may use the HTTP API (docs/en/api.md).
    """


@token.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--officer",
    default="",
    help=spoken(Text("以 officers.csv 里的哪个代号办事", "acts as this officer of officers.csv")),
)
@RUN
@BEFORE_START
@click.pass_obj
def token_add(
    obj: Shared, name: str, role: str, officer: str, run_name: str, before_start: bool
) -> None:
    """新令牌，只显示这一次。

    A new token, shown this once.
    """
    sys.exit(duty_room.add_token(obj.beforehand(run_name, before_start=before_start), name, role, officer))


@token.command("remove")
@click.argument("name")
@RUN
@click.pass_obj
def token_remove(obj: Shared, name: str, run_name: str) -> None:
    """撤销令牌，立即生效。

    Revoke a token, at once.
    """
    sys.exit(duty_room.remove_token(obj.existing(run_name), name))


@token.command("list")
@RUN
@click.pass_obj
def token_list(obj: Shared, run_name: str) -> None:
    """列出全部令牌和最后使用的时间。

    All tokens and when they were last used.
    """
    sys.exit(duty_room.list_tokens(obj.existing(run_name)))


@console.command()
@RUN
@click.pass_obj
def record(obj: Shared, run_name: str) -> None:
    """操作记录：谁进来过、做了什么；被别的手改过时退出码为 1。

    Who entered and what they did; exit code 1 if it was changed by another hand.
    """
    sys.exit(duty_room.show_record(obj.existing(run_name)))
