"""Every way out of a run: the carriers of channels.toml in a live run, the simulated carrier on this
machine in an exercise."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config.language import Text
from config.records.district import District
from dispatch.cap.national.send import ReleasePlatform, release_of
from dispatch.cap.publish import Cap
from dispatch.cap.push import CapPush
from dispatch.cap.signing import cap_key
from dispatch.channels import CarrierWord, Channel
from dispatch.channels.by_apprise.url import ByUrl, drill_url
from dispatch.channels.declared import CHANNELS, channel_of
from dispatch.channels.direct.duty_room import Console
from dispatch.channels.direct.loudspeaker import Broadcast
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.rate_and_breaker import Lane
from dispatch.records import Terminals
from stream.environment import secret_at
from stream.records import Run

if TYPE_CHECKING:  # a door is loaded where one opens
    from dispatch.channels.http.receipt_server import ReceiptServer
    from dispatch.channels.platform.door import PlatformDoor


def channels_of(
    district: District,
    run: Run,
    folder: Path,
    *,
    carrier_url: str,
    publish: Callable[[str, bytes], None],
    clock: Callable[[], int],
    private_key: Callable[[], bytes],
    hear: Callable[[CarrierWord], None] = lambda _: None,
    on_console: Callable[[str], None] | None = None,
) -> dict[str, Channel]:
    """Every channel of a run, by name. Raises ValueError when a run would reach what it must not,
    a URL is not understood, or a secret cannot be had."""
    settings = district.channels
    if run.kind == "live":
        if carrier_url:
            raise ValueError(
                Text(
                    "实战没有模拟通道；请写 channels.toml",
                    "a live run has no simulated carrier; set channels.toml instead",
                )
            )
        rows = settings.carriers()
        ways = {c: channel_of(district, c, rows, hear, clock, folder) for c in CHANNELS}
        cap_folder = folder / settings.cap_dir
    else:
        # nothing of channels.toml is looked at, and every way leads to this machine
        ways = {c: _drill(district, c, carrier_url, clock) for c in CHANNELS}
        cap_folder = folder / "cap"
        # a proxy named in the environment must not carry an exercise off this machine
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,::1"]))
    prefix = f"fengsui/{run.name}/{district.id}"
    live = run.kind == "live"
    sign = cap_key(folder, district, live).sign
    cap = Cap(district, cap_folder, sign, publish, prefix)
    return {
        "broadcast": Broadcast(district.nodes, prefix, run.kind, private_key, publish, clock),
        **ways,
        "cap": cap,
        "cap_push": CapPush(district, live, cap, sign, folder),
        "release": release_of(district, live, cap, folder, hear),
        "console": Console(folder / "console.jsonl", on_console),
    }


def _drill(
    district: District, channel: str, carrier_url: str, clock: Callable[[], int]
) -> Carriers:
    """The simulated carrier of an exercise; its breaker never opens, so that two runs are equal."""
    if not carrier_url:
        return Carriers(district, channel, (), clock)
    url = drill_url(carrier_url, channel)
    carrier = ByUrl("drill", url, "", district.channels.attempt_timeout_s)
    return Carriers(district, channel, (Leg(carrier, Lane(fails=1_000_000_000)),), clock)


def receipt_server(
    district: District, hear: Callable[[CarrierWord], None], live: bool
) -> "ReceiptServer | None":
    """Where carriers post receipts, in a live run that names a place for it."""
    settings = district.channels
    if not live or not settings.receipt_listen:
        return None
    from dispatch.channels.http.receipt_server import ReceiptServer

    carriers = {row.name: row for row in settings.carriers() if row.receipt.posted}
    tokens = {
        name: secret_at(row.receipt.secret or settings.receipt_secret)
        for name, row in carriers.items()
    }
    return ReceiptServer(settings.receipt_listen, tokens, carriers, hear)


def platform_doors(
    channels: Mapping[str, Channel],
    hear: Callable[[CarrierWord], None],
    keep: Callable[[Sequence[Terminals]], bool],
) -> list["PlatformDoor"]:
    """Where broadcast platforms post, of those channels that a run has: an exercise has none. keep: writes
    what they tell of their terminals into the log."""
    way = channels.get("broadcast_platform")
    legs = way.legs if isinstance(way, Carriers) else ()
    links = [leg.carrier.link for leg in legs if isinstance(leg.carrier, ByPlatform)]
    if not any(link.platform.listen for link in links):
        return []
    from dispatch.channels.platform.door import PlatformDoor

    return [PlatformDoor(link, hear, keep) for link in links if link.platform.listen]


def close(channels: Mapping[str, Channel]) -> None:
    """Let go of every carrier's connections."""
    for channel in channels.values():
        if isinstance(channel, Carriers | ReleasePlatform):
            channel.close()
