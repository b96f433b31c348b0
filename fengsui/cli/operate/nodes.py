"""Commands about the village loudspeakers: `keys`, `mandate`, `self-test`."""

import secrets
from pathlib import Path

import click

from config.language import Text, text_of
from dispatch.channels.direct.node_seal import addressed
from dispatch.nodes.keys import Ring, read_secret, renew, revoke, root_keys
from dispatch.nodes.mandate import Grant
from dispatch.nodes.protocol import KeySet, SelfTest, sign
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.setup import Setup
from fengsui.run.signing import vouch
from fengsui.run.terminal import echo
from fengsui.status.node_keys import clock_of, key_lines, read_grant, write_grant
from stream.environment import Usage, spoken
from stream.mqtt.access import SELF_TEST
from stream.mqtt.client import Mqtt

_DAY_MS = 86_400_000
_TEST_MS = 3_600_000


@click.group()
def keys() -> None:
    """终端密钥：喇叭听谁的指令；show, rotate, revoke。

    Whose commands the loudspeakers obey: show, rotate, revoke.
    """


@keys.command("show")
@RUN
@click.pass_obj
def keys_show(obj: Shared, run_name: str) -> None:
    """现有密钥：根、密钥集，各终端有哪一集。

    The root, the key set, and which set each node has.
    """
    setup = obj.existing(run_name)
    try:
        for line in key_lines(setup):
            echo(line)
    except ValueError as e:
        raise Usage(text_of(e)) from e


@keys.command("rotate")
@RUN
@click.option(
    "--overlap-days",
    default=7,
    show_default=True,
    help=spoken(Text("旧密钥还作数的天数", "days that the old one still counts")),
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help=spoken(Text("根密钥 [STATE/RUN/keys/root.key]", "the root key [STATE/RUN/keys/root.key]")),
)
@click.pass_obj
def keys_rotate(obj: Shared, run_name: str, overlap_days: int, root: Path | None) -> None:
    """换发送密钥：send 和终端自己接上。

    A new sender's key; send and the nodes take it up by themselves.
    """
    setup = obj.existing(run_name)
    try:
        at = clock_of(setup)
        private = _root(setup, root)
        _told(setup, renew(setup.folder, setup.run.kind, at, private, overlap_days * _DAY_MS))
    except ValueError as e:
        raise Usage(text_of(e)) from e


@keys.command("revoke")
@click.argument("key")
@RUN
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help=spoken(Text("根密钥 [STATE/RUN/keys/root.key]", "the root key [STATE/RUN/keys/root.key]")),
)
@click.pass_obj
def keys_revoke(obj: Shared, key: str, run_name: str, root: Path | None) -> None:
    """吊销 KEY（开头几位）：知道的终端一律拒绝；立即生效，没有重叠期。

    KEY (its first digits) is refused by every node that hears of it; at once, no overlap.
    """
    setup = obj.existing(run_name)
    try:
        private = _root(setup, root)
        _told(setup, revoke(setup.folder, setup.run.kind, clock_of(setup), private, key))
    except ValueError as e:
        raise Usage(text_of(e)) from e


def _root(setup: Setup, root: Path | None) -> bytes:
    return read_secret(root) if root else root_keys(setup.folder).private


def _told(setup: Setup, found: KeySet) -> None:
    zone = setup.district.timezone
    echo(Text(f"密钥集 v{found.version}：", f"key set v{found.version}:"))
    for k in found.keys:
        until = (
            Text(f"到 {local(k.until_at, zone)}", f"until {local(k.until_at, zone)}")
            if k.until_at
            else Text("现用", "in use")
        )
        echo(f"  {k.public[:16]}… " + until)
    echo(
        Text(
            "send 在 15 秒内下发；`fengsui keys show` 看哪些终端已有",
            "send sends it within 15 s; `fengsui keys show` tells which nodes have it",
        )
    )


@click.group()
def mandate() -> None:
    """自主授权：所有链路断时，终端可按自己的雨量计发声；grant, withdraw, show。

    Nodes may sound on their own gauge when every link is dead: grant, withdraw, show.
    """


@mandate.command("grant")
@click.option("--by", required=True, help=spoken(Text("授权人代号", "opaque id of the person")))
@click.option("--reason", required=True)
@click.option(
    "--days",
    default=120,
    show_default=True,
    help=spoken(Text("有效天数，如一个汛期", "days that it counts, as a flood season")),
)
@click.option(
    "--after",
    "after_s",
    default=600,
    show_default=True,
    help=spoken(Text("断联多少秒之后", "seconds without a link before it")),
)
@click.option(
    "--plays", default=3, show_default=True, help=spoken(Text("至多几次", "how often at most"))
)
@click.option(
    "--gap",
    "gap_s",
    default=1800,
    show_default=True,
    help=spoken(Text("间隔秒数", "seconds between two")),
)
@KEY
@RUN
@click.pass_obj
def mandate_grant(
    obj: Shared,
    by: str,
    reason: str,
    days: int,
    after_s: int,
    plays: int,
    gap_s: int,
    key: Path | None,
    run_name: str,
) -> None:
    """授权：按区县的阈值；send 每天在各终端续期。

    Grant it from the district's thresholds; send renews it in every node daily.
    """
    setup = obj.existing(run_name)
    if min(days, plays) < 1 or after_s < 60 or gap_s < 60:
        raise Usage(
            Text(
                "越界：--days、--plays ≥ 1；--after、--gap ≥ 60",
                "out of range: --days, --plays ≥ 1; --after, --gap ≥ 60",
            )
        )
    vouch(setup, by, key)
    at = clock_of(setup)
    grant = Grant(
        by=by, reason=reason, granted_at=at, until_at=at + days * _DAY_MS, after_s=after_s,
        plays=plays, gap_s=gap_s,
    )  # fmt: skip
    write_grant(setup, grant)
    echo(
        Text(
            f"{by} 已授权，到 {local(grant.until_at, setup.district.timezone)}",
            f"granted by {by} until {local(grant.until_at, setup.district.timezone)}",
        )
    )


@mandate.command("withdraw")
@click.option("--by", required=True, help=spoken(Text("操作人代号", "opaque id of the person")))
@click.option("--reason", required=True)
@KEY
@RUN
@click.pass_obj
def mandate_withdraw(obj: Shared, by: str, reason: str, key: Path | None, run_name: str) -> None:
    """收回：联得上的终端立即收回，其余的七天内失效。

    Withdraw it from every node that can be reached; the others lose it within seven days.
    """
    setup = obj.existing(run_name)
    vouch(setup, by, key)
    at = clock_of(setup)
    write_grant(setup, Grant(by=by, reason=reason, granted_at=at, until_at=at))
    echo(Text(f"{by} 已收回", f"withdrawn by {by}"))


@mandate.command("show")
@RUN
@click.pass_obj
def mandate_show(obj: Shared, run_name: str) -> None:
    """现状：谁授权，到何时。

    Who granted it, until when.
    """
    setup = obj.existing(run_name)
    grant = read_grant(setup)
    if grant is None or clock_of(setup) >= grant.until_at:
        echo(Text("未授权", "none in force"))
        return
    until = local(grant.until_at, setup.district.timezone)
    echo(
        Text(
            f"{grant.by}: {grant.reason}；到 {until}；断联 {grant.after_s} s 后，至多 "
            f"{grant.plays} 次，间隔 {grant.gap_s} s",
            f"{grant.by}: {grant.reason}; until {until}; after {grant.after_s} s without a "
            f"link, at most {grant.plays} times, {grant.gap_s} s apart",
        )
    )


@click.command("self-test")
@click.argument("nodes", nargs=-1, required=True)
@RUN
@click.pass_obj
def self_test(obj: Shared, nodes: tuple[str, ...], run_name: str) -> None:
    """自检 NODES（代号，或 all）：现在短促轻响一声；结果见 `fengsui status`。

    NODES (ids, or all): a short quiet tone now; the result is in `fengsui status`.
    """
    setup = obj.existing(run_name)
    known = setup.district.nodes
    names = list(known) if nodes == ("all",) else list(nodes)
    if strangers := [n for n in names if n not in known]:
        raise Usage(
            Text(
                f"nodes.csv 里没有终端 {', '.join(strangers)}",
                f"there is no node {', '.join(strangers)} in nodes.csv",
            )
        )
    try:
        ring = Ring(setup.folder, setup.run.kind)
        mqtt = Mqtt(setup.broker_url(SELF_TEST), f"fengsui-self-test-{secrets.token_hex(4)}")
        mqtt.wait_connected()
    except (ValueError, ConnectionError) as e:
        raise Usage(text_of(e)) from e
    at = clock_of(setup)
    for name in names:
        test = SelfTest(
            id=secrets.token_hex(12), node=name, kind=setup.run.kind, issued_at=at,
            expires_at=at + _TEST_MS,
        )  # fmt: skip
        topic = f"fengsui/{setup.run.name}/{setup.district.id}/node/{name}/command"
        mqtt.publish(topic, addressed(known[name], sign(ring.private, test)))
    done = mqtt.flush(15.0)
    mqtt.close()
    if not done:
        raise Usage(
            Text("MQTT 服务器没有确认：再试一次", "the MQTT broker did not confirm: try again")
        )
    echo(Text(f"已下令给 {len(names)} 个终端", f"told {len(names)} nodes"))
