"""The command `broker-config`: the brokers of MQTT and of the log."""

from datetime import UTC, datetime
from pathlib import Path

import click

from config.checks.gateways import NONE as NO_GATEWAYS
from fengsui.cli.options import RUN, Shared
from fengsui.files.kafka_config import WRITES, user, write_kafka
from fengsui.files.mosquitto import Given, write_mosquitto
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage


@click.command("broker-config")
@click.argument("kind", type=click.Choice(["mosquitto", "kafka"]))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@RUN
@click.option(
    "--host", "hosts", multiple=True, help="服务器名 names devices call it by [localhost]"
)
@click.option("--member", "members", multiple=True, help="一个接入进程 one of several ingests")
@click.option(
    "--adapter", "adapters", multiple=True, help="又一个短信适配 one more carrier's adapter"
)
@click.option("--gateway", "gateways", multiple=True, hidden=True)  # they stand in gateways.csv
@click.option("--port", type=int, default=8883, show_default=True)
@click.option("--data", default="/var/lib/mosquitto", show_default=True, help="积压存放 its store")
@click.option("--at", default="", help="服务器看到的目录 where the broker finds DIR [DIR]")
@click.option("--owner", type=int, help="服务器的用户号 user id of the broker [ours]")
@click.option("--certificates", is_flag=True, help="每台设备一张证书 certificates, no passwords")
@click.option(
    "--retain", is_flag=True, help="不断开设 retain 的设备 let in who sets the retain flag"
)
@click.pass_obj
def broker_config(obj: Shared, /, kind: str, folder: Path, run_name: str, **given: object) -> None:
    """服务器配置 settings, users, rights and certificates for mosquitto, from the tables; or a user with
    its rights for every program on Kafka, by an administrator's address in FENGSUI_LOG."""
    setup = obj.setup(run_name)
    if kind == "kafka":
        _kafka(setup, folder)
    else:
        _mosquitto(setup, folder, Given(**given))  # type: ignore[arg-type]


def _mosquitto(setup: Setup, folder: Path, given: Given) -> None:
    """What each device gets stands in files for its owner alone."""
    try:
        count = write_mosquitto(setup.district, folder, setup.run.name, given, datetime.now(UTC))
    except ValueError as e:
        raise Usage(str(e)) from e
    devices = "clients/*.crt, *.key, revoked.crl" if given.certificates else "devices.csv"
    click.echo(f"{folder}: mosquitto.conf, acl, ca.crt, {devices}: {count} 用户 users")
    if setup.district.gateways is None:
        echo("! " + NO_GATEWAYS, err=True)
    click.echo("启动 start: mosquitto -c mosquitto.conf; 见 see docs/mqtt.md")


def _kafka(setup: Setup, folder: Path) -> None:
    """A user a program, with its rights."""
    granted, taken = write_kafka(setup, folder)
    click.echo(f"{folder}: 各环节的口令 a password a program: {' '.join(map(user, WRITES))}")
    click.echo(
        f"权限 rights: {granted} 新授 granted, {taken} 收回 taken away; 见 see docs/kafka.md"
    )
