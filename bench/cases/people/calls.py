"""`fengsui bench calls`: calls that go out at once by a SIP trunk. Each is said the whole text, and counts when
its key was pressed after it. The telephones are SIPp's, a program that is not ours.

Beside it how long one line would take for the same, one call after another, which is what it did in this run.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from config.language import Text
from config.records.channels import Carrier
from config.records.devices.trunk import Trunk
from config.records.level import Action, Level
from dispatch.channels import CarrierWord, Parcel, SendError
from dispatch.channels.sip.carrier import SipTrunk
from dispatch.records import Delivery, Route
from fengsui.run.setup import free_port
from fengsui.run.terminal import echo
from simulators.carriers import telephones
from stream.environment import Usage, spoken

_TEXT = "香屯村山洪红色预警，立即转移，沿村东坡道上山。"
_AIM_S = 300
_AFTER_MS = 9_000  # the key, after the text of some five seconds
_TRIES, _HANDS = 3, 14  # as send has them
_MEDIA = 9_100  # SIPp's ports for sound, of no range that others take from


@click.command("calls")
@click.option(
    "--count", default=200, show_default=True, help=spoken(Text("同时几个电话", "calls at once"))
)
def bench_calls(count: int) -> None:
    """叫应测速：COUNT 个电话同时打出，各自说完、按键确认要多久，与一路线路相比。对端是 SIPp。

    COUNT calls at once, each said to its end and confirmed by a key, beside one line. Far ends: SIPp.
    """
    if missing := [p for p in ("sipp", "baresip", "espeak-ng") if shutil.which(p) is None]:
        raise Usage(
            Text(
                f"缺少 {'、'.join(missing)}：apt-get install sip-tester baresip-core espeak-ng",
                f"{', '.join(missing)} missing: apt-get install sip-tester baresip-core espeak-ng",
            )
        )
    with tempfile.TemporaryDirectory() as at:
        _measure(Path(at), count)


def _measure(folder: Path, count: int) -> None:
    port = free_port()
    scenario = telephones.picks_up(telephones.presses_by_info("1", _AFTER_MS))
    (folder / "phone.xml").write_text(scenario)
    command = ["sipp", "-sf", "phone.xml", "-i", "127.0.0.1", "-p", str(port), "-mp", str(_MEDIA)]
    with (
        (folder / "sipp.log").open("wb") as out,
        subprocess.Popen(
            [*command, "-nostdin", "-l", str(2 * count)], stdout=out, stderr=out, cwd=folder
        ) as far,
    ):
        try:
            _until_it_listens(port, far)
            alone, _ = _called(folder / "one", port, 1)
            took, lost = _called(folder / "all", port, count)
        finally:
            far.kill()
    line, times = alone * count, alone * count / took
    aim = "✓" if took <= _AIM_S and not lost else "✗"
    echo(
        Text(
            f"{count} 个电话：{took:.1f} s 全部说完并确认，未成 {lost}（目标 {_AIM_S} s {aim}）；"
            f"一路线路一个 {alone:.1f} s，{count} 个 {line:.0f} s：快 {times:.0f} 倍",
            f"{count} calls: all said and confirmed in {took:.1f} s, {lost} failed (aim {_AIM_S} s {aim}); "
            f"one line: {alone:.1f} s a call, {line:.0f} s for {count}: {times:.0f} times faster",
        )
    )


def _until_it_listens(port: int, far: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return
        if far.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("SIPp does not listen")


def _called(folder: Path, port: int, count: int) -> tuple[float, int]:
    """Seconds until the last was confirmed, and how many were not."""
    folder.mkdir()
    confirmed, last = set[int](), [0.0]

    def hear(word: CarrierWord) -> None:
        word.done(True)
        if word.status == "confirmed":
            confirmed.add(int(word.key.partition("/")[0]))
            last[0] = time.monotonic()

    row = Carrier(
        name="trunk", channel="voice", kind="sip", url=f"sip://127.0.0.1:{port}", window=count,
        trunk=Trunk(wait_s=10, times=1),
    )  # fmt: skip
    assert urlsplit(row.url).port == port
    way = SipTrunk(row, "", hear, timeout_s=60, call_s=120, folder=folder)
    began = time.monotonic()
    try:
        for nth in range(_TRIES):
            left = [n for n in range(count) if n not in confirmed]
            with ThreadPoolExecutor(_HANDS) as hands:
                list(hands.map(lambda n: _one(way, n, nth), left))  # noqa: B023  # waited for
            while way.lines() and time.monotonic() < began + _AIM_S:
                time.sleep(0.05)
        return last[0] - began, count - len(confirmed)
    finally:
        way.close()


def _one(way: SipTrunk, n: int, nth: int) -> None:
    """A call that a busy machine lost is made again, as send makes it."""
    d = Delivery(
        id=f"d{n}", alert="a", version=1, area="A01", hazard="flash_flood", level=Level.RED,
        action=Action.MOVE, msg_type="alert", status="exercise", recipient=f"C-{n}", audience="internal",
        routes=(Route(channel="voice", text=_TEXT),), queued_at=0, deadline_at=0, expires_at=0,
        must_answer=True,
    )  # fmt: skip
    with suppress(SendError):
        way.send(Parcel(f"1990000{n:04}", "", _TEXT, f"{n}/{nth}", 1, 600.0, d))
