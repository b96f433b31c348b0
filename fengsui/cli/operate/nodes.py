"""Commands about the village loudspeakers: `keys`, `mandate`, `self-test`."""

import secrets
from pathlib import Path

import click

from dispatch.channels.node_seal import addressed
from dispatch.nodes.keys import Ring, read_secret, renew, revoke, root_keys
from dispatch.nodes.mandate import Grant
from dispatch.nodes.protocol import KeySet, SelfTest, sign
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.setup import Setup
from fengsui.run.signing import vouch
from fengsui.status.node_keys import clock_of, key_lines, read_grant, write_grant
from stream.environment import Usage
from stream.mqtt.access import SELF_TEST
from stream.mqtt.client import Mqtt

_DAY_MS = 86_400_000
_TEST_MS = 3_600_000


@click.group()
def keys() -> None:
    """终端密钥 whose commands the loudspeakers obey: show, rotate, revoke."""


@keys.command("show")
@RUN
@click.pass_obj
def keys_show(obj: Shared, run_name: str) -> None:
    """现有密钥 the root, the key set, and which set each node has."""
    setup = obj.reader(run_name)
    try:
        for line in key_lines(setup):
            click.echo(line)
    except ValueError as e:
        raise Usage(str(e)) from e


@keys.command("rotate")
@RUN
@click.option(
    "--overlap-days", default=7, show_default=True, help="旧密钥仍有效 the old one counts"
)
@click.option("--root", type=click.Path(path_type=Path), help="根密钥 [STATE/RUN/keys/root.key]")
@click.pass_obj
def keys_rotate(obj: Shared, run_name: str, overlap_days: int, root: Path | None) -> None:
    """换发送密钥 a new sender's key; send and the nodes take it up by themselves."""
    setup = obj.reader(run_name)
    try:
        at = clock_of(setup)
        private = _root(setup, root)
        _told(setup, renew(setup.folder, setup.run.kind, at, private, overlap_days * _DAY_MS))
    except ValueError as e:
        raise Usage(str(e)) from e


@keys.command("revoke")
@click.argument("key")
@RUN
@click.option("--root", type=click.Path(path_type=Path), help="根密钥 [STATE/RUN/keys/root.key]")
@click.pass_obj
def keys_revoke(obj: Shared, key: str, run_name: str, root: Path | None) -> None:
    """吊销 KEY (its first digits): refused by every node that hears of it; at once, no overlap."""
    setup = obj.reader(run_name)
    try:
        private = _root(setup, root)
        _told(setup, revoke(setup.folder, setup.run.kind, clock_of(setup), private, key))
    except ValueError as e:
        raise Usage(str(e)) from e


def _root(setup: Setup, root: Path | None) -> bytes:
    return read_secret(root) if root else root_keys(setup.folder).private


def _told(setup: Setup, found: KeySet) -> None:
    zone = setup.district.timezone
    click.echo(f"密钥集 key set v{found.version}:")
    for k in found.keys:
        until = f"到 until {local(k.until_at, zone)}" if k.until_at else "现用 in use"
        click.echo(f"  {k.public[:16]}… {until}")
    click.echo(
        "send 15 秒内下发 sends it within 15 s; `fengsui keys show` 看终端 which nodes have it"
    )


@click.group()
def mandate() -> None:
    """自主授权 nodes may sound on their own gauge when every link is dead: grant, withdraw, show."""


@mandate.command("grant")
@click.option("--by", required=True, help="授权人代号 opaque id of the person")
@click.option("--reason", required=True)
@click.option("--days", default=120, show_default=True, help="有效天数，如一个汛期")
@click.option("--after", "after_s", default=600, show_default=True, help="断联秒数 link lost for")
@click.option("--plays", default=3, show_default=True, help="至多几次 at most")
@click.option("--gap", "gap_s", default=1800, show_default=True, help="间隔秒数 apart")
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
    """授权 from the district's thresholds; send renews it in every node daily."""
    setup = obj.reader(run_name)
    if min(days, plays) < 1 or after_s < 60 or gap_s < 60:
        raise Usage("越界 out of range: --days, --plays ≥ 1; --after, --gap ≥ 60")
    vouch(setup, by, key)
    at = clock_of(setup)
    grant = Grant(
        by=by, reason=reason, granted_at=at, until_at=at + days * _DAY_MS, after_s=after_s,
        plays=plays, gap_s=gap_s,
    )  # fmt: skip
    write_grant(setup, grant)
    click.echo(f"已授权 granted by {by} 到 until {local(grant.until_at, setup.district.timezone)}")


@mandate.command("withdraw")
@click.option("--by", required=True, help="操作人代号 opaque id of the person")
@click.option("--reason", required=True)
@KEY
@RUN
@click.pass_obj
def mandate_withdraw(obj: Shared, by: str, reason: str, key: Path | None, run_name: str) -> None:
    """收回 from every node that can be reached; the others lose it within seven days."""
    setup = obj.reader(run_name)
    vouch(setup, by, key)
    at = clock_of(setup)
    write_grant(setup, Grant(by=by, reason=reason, granted_at=at, until_at=at))
    click.echo(f"已收回 withdrawn by {by}")


@mandate.command("show")
@RUN
@click.pass_obj
def mandate_show(obj: Shared, run_name: str) -> None:
    """现状 who granted it, until when."""
    setup = obj.reader(run_name)
    grant = read_grant(setup)
    if grant is None or clock_of(setup) >= grant.until_at:
        click.echo("未授权 none in force")
        return
    until = local(grant.until_at, setup.district.timezone)
    click.echo(
        f"{grant.by}: {grant.reason}; 到 until {until}; 断联 link lost {grant.after_s} s, "
        f"至多 at most {grant.plays} × , 间隔 gap {grant.gap_s} s"
    )


@click.command("self-test")
@click.argument("nodes", nargs=-1, required=True)
@RUN
@click.pass_obj
def self_test(obj: Shared, nodes: tuple[str, ...], run_name: str) -> None:
    """自检 NODES (ids, or all): a short quiet tone now; the result is in `fengsui status`."""
    setup = obj.reader(run_name)
    known = setup.district.nodes
    names = list(known) if nodes == ("all",) else list(nodes)
    if strangers := [n for n in names if n not in known]:
        raise Usage(f"没有终端 there is no node {', '.join(strangers)} in nodes.csv")
    try:
        ring = Ring(setup.folder, setup.run.kind)
        mqtt = Mqtt(setup.broker_url(SELF_TEST), f"fengsui-self-test-{secrets.token_hex(4)}")
        mqtt.wait_connected()
    except (ValueError, ConnectionError) as e:
        raise Usage(str(e)) from e
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
        raise Usage("MQTT 服务器没有确认 the broker did not confirm: try again")
    click.echo(f"已下令 told {len(names)} 终端 nodes")
