"""The command `broker-config`: the brokers of MQTT and of the log."""

from datetime import UTC, datetime
from pathlib import Path

import click

from config.checks.gateways import NONE as NO_GATEWAYS
from config.language import Text, en, text_of, zh
from fengsui.cli.options import RUN, Shared
from fengsui.files.kafka_config import WRITES, user, write_kafka
from fengsui.files.mosquitto import Given, write_mosquitto
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken


@click.command("broker-config")
@click.argument("kind", type=click.Choice(["mosquitto", "kafka"]))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@RUN
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help=spoken(
        Text("设备所用的服务器名 [localhost]", "names that devices call it by [localhost]")
    ),
)
@click.option(
    "--member",
    "members",
    multiple=True,
    help=spoken(Text("几个接入进程之一的名字", "name of one of several ingests")),
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    help=spoken(Text("又一个短信适配的名字", "name of one more carrier's adapter")),
)
@click.option("--gateway", "gateways", multiple=True, hidden=True)  # they stand in gateways.csv
@click.option("--port", type=int, default=8883, show_default=True)
@click.option(
    "--data",
    default="/var/lib/mosquitto",
    show_default=True,
    help=spoken(Text("服务器存积压的地方", "where the broker stores what waits")),
)
@click.option(
    "--at",
    default="",
    help=spoken(Text("服务器看到的 DIR 在哪里 [DIR]", "where the broker finds DIR [DIR]")),
)
@click.option(
    "--owner",
    type=int,
    help=spoken(Text("服务器的用户号 [我们的]", "user id of the broker [ours]")),
)
@click.option(
    "--certificates",
    is_flag=True,
    help=spoken(Text("每台设备一张证书，不用口令", "a certificate a device, no passwords")),
)
@click.option(
    "--retain",
    is_flag=True,
    help=spoken(Text("不断开设 retain 标志的设备", "let in who sets the retain flag")),
)
@click.option(
    "--sqlite",
    default="",
    metavar="PLUGIN",
    help=spoken(
        Text(
            "积压存进 SQLite：mosquitto 2.1 插件 mosquitto_persist_sqlite.so 的位置",
            "keep what waits in SQLite: where mosquitto 2.1 has mosquitto_persist_sqlite.so",
        )
    ),
)
@click.pass_obj
def broker_config(obj: Shared, /, kind: str, folder: Path, run_name: str, **given: object) -> None:
    """服务器配置：由各表生成 mosquitto 的设置、用户、权限和证书；或用 FENGSUI_LOG 里管理员的地址，给
    Kafka 上每个程序建用户和权限。

    Settings, users, rights and certificates for mosquitto, from the tables; or a user with its rights
    for every program on Kafka, by an administrator's address in FENGSUI_LOG.
    """
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
        raise Usage(text_of(e)) from e
    devices = "clients/*.crt, *.key, revoked.crl" if given.certificates else "devices.csv"
    echo(
        Text(
            f"{folder}: mosquitto.conf, acl, ca.crt, {zh(devices)}: {count} 个用户",
            f"{folder}: mosquitto.conf, acl, ca.crt, {en(devices)}: {count} users",
        )
    )
    if setup.district.gateways is None:
        echo("! " + NO_GATEWAYS, err=True)
    echo(
        Text(
            "启动：mosquitto -c mosquitto.conf；见 docs/mqtt.md",
            "start: mosquitto -c mosquitto.conf; see docs/en/mqtt.md",
        )
    )


def _kafka(setup: Setup, folder: Path) -> None:
    """A user a program, with its rights."""
    granted, taken = write_kafka(setup, folder)
    echo(
        Text(
            f"{folder}: 各环节的口令：{' '.join(map(user, WRITES))}",
            f"{folder}: a password a program: {' '.join(map(user, WRITES))}",
        )
    )
    echo(
        Text(
            f"权限：{granted} 新授，{taken} 收回；见 docs/kafka.md",
            f"rights: {granted} granted, {taken} taken away; see docs/en/kafka.md",
        )
    )
