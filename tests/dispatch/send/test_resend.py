"""Sending again by hand, and the ways out in `fengsui status`."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.language import Said, en, zh
from config.load import load
from config.records.channels import Carrier, Channels
from console.acts.resend import again
from console.model.view import View
from dispatch.channels.declared import CHANNELS
from dispatch.channels.status_words import PROOFS
from dispatch.records import Delivery, Receipt, RouteHealth
from fengsui.cli.root import cli
from fengsui.status.channels import way_lines
from stream.log.open import open_log
from stream.log.port import Out
from stream.records import encode
from tests.support.send import T0, delivery, now_ms, run_of

ROOT = Path(__file__).parents[3]


def fresh(n: int, who: str, *channels: str, **more: object) -> Delivery:
    at = now_ms()
    times = {"queued_at": at, "deadline_at": at + 60_000, "expires_at": at + 3_600_000}
    return delivery(n, who, *channels, **{**times, **more})


def run(folder: Path, *records: object, words: list[str]) -> tuple[int, str, list[Delivery]]:
    state = folder / "var"
    log = open_log(f"sqlite:///{state / 'exercise'}", "exercise", "yanqing", 2)
    log.append([Out("deliveries", "k", encode(r)) for r in records])  # type: ignore[arg-type]
    found = CliRunner().invoke(
        cli, ["--state", str(state), "--log", f"sqlite:///{state / 'exercise'}", *words]
    )
    entries = log.read("deliveries", 0, 0, 10_000)
    log.close()
    seen = [msgspec.json.decode(e.value) for e in entries]
    new = [
        msgspec.convert({k: v for k, v in d.items() if k != "type"}, Delivery)
        for d in seen
        if d.get("asked_by")
    ]
    return found.exit_code, found.output + str(found.exception or ""), new


BY = ["--by", "zhang", "--run", "exercise"]


def test_one_delivery_again(tmp_path: Path) -> None:
    start = msgspec.structs.replace(run_of(), start_at=now_ms())
    code, out, new = run(
        tmp_path, start, fresh(1, "C-0001", "sms", "app"), words=["resend", "d1", *BY]
    )
    assert code == 0, out
    (d,) = new
    assert (d.again, d.asked_by, d.recipient) == (1, "zhang", "C-0001")
    assert d.id != "d1"


def test_an_area_by_one_channel_the_newest_version_only(tmp_path: Path) -> None:
    start = msgspec.structs.replace(run_of(), start_at=now_ms())
    records = [
        start,
        fresh(1, "C-0001", "sms", "app"),
        fresh(2, "C-0001", "sms", "app", version=2),
        fresh(3, "C-0002", "app"),
        fresh(4, "C-0003", "sms", expires_at=now_ms() - 60_000),
        fresh(5, "duty:C-0001", "sms"),
        fresh(6, "C-0006", "sms", area="A02"),
    ]
    words = ["resend", "--area", "A01", "--channel", "sms", *BY]
    code, out, new = run(tmp_path, *records, words=words)
    assert code == 0, out
    assert [(d.recipient, d.version, [r.channel for r in d.routes]) for d in new] == [
        ("C-0001", 2, ["sms"])
    ]
    code, out, new = run(tmp_path, words=words)
    assert [d.again for d in new] == [1, 2]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["resend", "nothing"], "no delivery"),
        (["resend", "d1"], "newer version"),
        (["resend", "d4"], "expired"),
        (["resend", "d2", "--channel", "voice"], "no way"),
        (["resend", "--area", "A99"], "no area"),
        (["resend", "--area", "A02"], "nothing"),
        (["resend"], "DELIVERY"),
    ],
)
def test_what_is_not_sent_again(tmp_path: Path, words: list[str], why: str) -> None:
    start = msgspec.structs.replace(run_of(), start_at=now_ms())
    records = [
        start,
        fresh(1, "C-0001", "sms"),
        fresh(2, "C-0001", "sms", version=2),
        fresh(4, "C-0003", "sms", expires_at=now_ms() - 60_000),
    ]
    code, out, new = run(tmp_path, *records, words=[*words, *BY])
    assert code != 0
    assert why in out
    assert new == []


def test_a_repetition_does_not_outlive_its_warning() -> None:
    d = delivery(1, "C-0001", "sms")
    assert again(d, "", "zhang", d.expires_at - 10_000, 1).deadline_at == d.expires_at
    with pytest.raises(ValueError, match="expired"):
        again(d, "", "zhang", d.expires_at, 1)


def test_status_says_which_ways_work_and_which_are_proven() -> None:
    loaded = load(ROOT / "config" / "yanqing")
    rows = (
        Carrier(name="mobile", channel="sms", kind="smpp", url="smpp://10.0.0.1:1"),
        Carrier(name="callout", channel="voice", kind="http", url="https://x/"),
    )
    district = msgspec.structs.replace(loaded, channels=Channels(carrier=rows))
    view = View()
    view.take(
        RouteHealth(
            channel="sms", carrier="mobile", up=False, checked_at=T0, by="probe", detail="no answer"
        )
    )
    lines = list(way_lines(district, view, live=True))
    assert "down: 1" in lines[0]
    sms = next(line for line in lines if "sms/mobile" in line)
    assert "DOWN no answer" in sms
    assert "jSMPP" in sms
    voice = next(line for line in lines if "voice/callout" in line)
    assert "unproven" in voice
    assert "not probed" in voice
    rest = ", ".join(sorted(set(CHANNELS) - {"sms", "voice"}))
    assert f"not set up: {rest}" in lines[-1]


@pytest.mark.parametrize(
    ("name", "said", "unproven"),
    [("docs/channels.md", zh, "未经验证"), ("docs/en/channels.md", en, "unproven")],
)
def test_the_page_of_channels_says_what_is_proven(
    name: str, said: Callable[[Said], str], unproven: str
) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    for p in PROOFS:
        line = next(x for x in lines if x.startswith(f"| {p.channel} | {p.kind} |"))
        assert (said(p.by) or unproven) in line, line


@pytest.mark.parametrize(
    ("name", "unproven"), [("README.md", "未经验证"), ("README.en.md", "unproven")]
)
def test_the_readme_says_that_some_of_it_is_unproven(name: str, unproven: str) -> None:
    assert unproven in (ROOT / name).read_text("utf-8")


def test_a_view_counts_what_failed() -> None:
    view = View()
    view.take(fresh(1, "C-0001", "sms"))
    view.take(Receipt(delivery="d1", route=0, state="failed", receipt_at=1, permanent=True))
    assert [s.state for s in view.undelivered()] == ["failed"]
