"""`fengsui bench terminals`: a broadcast platform's list and states of many terminals, from its post to what
the duty room's page shows; and a red warning, from the moment it is sent to the platform's word that a terminal
has played it. The platform is the reference platform on loopback, with an SM2 of its own.

Beside it the same states a terminal a packet, as a platform that reports each change by itself sends them.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from config.language import Text
from config.records.channels import Carrier
from config.records.devices.broadcast import Platform as Agreed
from config.records.district import District
from config.records.level import Action, Level
from console.model.trail import Trail
from console.model.view import View
from console.pages.channels import parts
from dispatch.channels import CarrierWord, Parcel
from dispatch.channels.platform.declared import made
from dispatch.channels.platform.door import PlatformDoor
from dispatch.channels.status_words import PLATFORM
from dispatch.records import Delivery, Route, Terminals
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from simulators.carriers.platform import OURS, THEIRS, Platform, keys
from stream.environment import Usage, spoken
from stream.records import encode

_AIM_S, _RED_AIM_S = 5.0, 3.0
_ALONE = 50  # packets of the baseline
_terminals = msgspec.json.Decoder(Terminals)


@click.command("terminals")
@click.option(
    "--count", default=1000, show_default=True, help=spoken(Text("终端数", "how many terminals"))
)
@click.pass_obj
def bench_terminals(obj: Shared, count: int) -> None:
    """应急广播测速：COUNT 个终端的清单和状态从平台报来到网页上要多久；红色预警到第一个终端播完要多久。

    COUNT terminals' list and states from the platform's post to the page; a red until a terminal has played.
    """
    try:
        ours, theirs = keys(1), keys(2)
    except ImportError as e:
        raise Usage(
            Text("须有 gmssl：pip install 'fengsui[broadcast]' gmssl", "needs gmssl")
        ) from e
    row = Carrier(
        name="county", channel="broadcast_platform", kind="ebd", url="", contact="C-EBM",
        secret="env:EBD_KEY",
        platform=Agreed(
            ours=OURS, theirs=THEIRS, public=ours.public, their_public=theirs.public, serial="3363",
            issuer="75", sender_code="110119", drill_type="5", listen="127.0.0.1:0", heartbeat_s=3600,
            order_severity={"prepare": "2", "move": "1"},
        ),
    )  # fmt: skip
    far = Platform(theirs, ours.public)
    try:
        with tempfile.TemporaryDirectory() as at:
            here = msgspec.structs.replace(row, url=far.at)
            _measure(obj.district(), here, ours.private, far, Path(at), count)
    finally:
        far.close()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _measure(
    district: District, row: Carrier, secret: str, far: Platform, folder: Path, count: int
) -> None:
    view, words = View(), list[tuple[float, CarrierWord]]()

    def hear(word: CarrierWord) -> None:
        words.append((time.monotonic(), word))
        word.done(True)

    def keep(records: Sequence[Terminals]) -> bool:
        for record in records:  # as the log has it, and the page reads it
            view.take(_terminals.decode(encode(record)))
        return True

    way = made(district, row, secret, folder, _now)
    door = PlatformDoor(way.link, hear, keep)
    far.url = door.url
    try:
        _red(way.send, far, words)
        codes = [f"{int(THEIRS) + 1 + n}" for n in range(count)]
        # what the platform needs to sign them is its own time
        list_ = far.list_of([(c, f"终端{n}", 116.2, 40.4) for n, c in enumerate(codes)])
        states_ = far.states_of([(c, "1") for c in codes])
        began = time.monotonic()
        assert far.send(list_) == 200
        listed = time.monotonic()
        assert far.send(states_) == 200
        shown = parts(district, view, Trail(), _now())["terminals"]
        told = time.monotonic()
        assert len(shown) == count
        assert all(t["state"] == "1" for t in shown.values())
        each = [far.states_of([(c, "3")]) for c in codes[:_ALONE]]
        begun = time.monotonic()
        for packet in each:
            assert far.send(packet) == 200
        alone = (time.monotonic() - begun) / len(each) * count
    finally:
        door.close()
        way.close()
    took, states = told - began, told - listed
    echo(
        Text(
            f"{count} 个终端：清单 {listed - began:.2f} s，状态收下并上网页 {states:.2f} s，共 {took:.2f} s"
            f"（目标 {_AIM_S:.0f} s {_mark(took <= _AIM_S)}）；一台一包 {alone:.1f} s：快 "
            f"{alone / states:.0f} 倍",
            f"{count} terminals: list {listed - began:.2f} s, states taken and on the page {states:.2f} s, "
            f"together {took:.2f} s (aim {_AIM_S:.0f} s {_mark(took <= _AIM_S)}); a packet each {alone:.1f} s: "
            f"{alone / states:.0f} times",
        )
    )


def _red(send, far: Platform, words: list[tuple[float, CarrierWord]]) -> None:  # type: ignore[no-untyped-def]
    """The platform plays at once and says so: what is measured is ours and the way."""
    at = _now()
    d = Delivery(
        id="d", alert="yanqing-A01-flash_flood-1", version=1, area="A01", hazard="flash_flood",
        level=Level.RED, action=Action.MOVE, msg_type="alert", status="actual", recipient="C-EBM",
        audience="public", routes=(), queued_at=at, deadline_at=at + 180_000, expires_at=at + 3_600_000,
    )  # fmt: skip
    d = msgspec.structs.replace(
        d, routes=(Route(channel="broadcast_platform", text="香屯村，山洪红色预警，立即转移！"),)
    )
    began = time.monotonic()
    send(Parcel("C-EBM", "山洪红色预警", str(d.routes[0].text), "k", 1, 3600.0, d))
    taken = time.monotonic()
    message = far.played[-1]
    assert far.state(message, "2") == 200
    assert far.state(message, "3", [(THEIRS, "3")], rate="100%", counts="1,0,0,1") == 200
    played = [t for t, w in words if (m := PLATFORM.get(w.status)) and m.state == "played"]
    took = (played[0] if played else float("inf")) - began
    echo(
        Text(
            f"红色预警：平台收下 {taken - began:.2f} s，第一个终端播完 {took:.2f} s（目标 {_RED_AIM_S:.0f} s "
            f"{_mark(took <= _RED_AIM_S)}；平台收到即播）",
            f"a red: taken by the platform in {taken - began:.2f} s, played by the first terminal in "
            f"{took:.2f} s (aim {_RED_AIM_S:.0f} s {_mark(took <= _RED_AIM_S)}; the platform plays at once)",
        )
    )


def _mark(good: bool) -> str:
    return "✓" if good else "✗"
