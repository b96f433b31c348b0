"""Messages of one warning that overtake one another on their way to the platform: what it has at the end is the
newest, whatever came last; and what must not stay is asked for until the platform has said so."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.channels import SendError
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.platform.ebd.records import Ebd, EbdResponse
from dispatch.channels.platform.message import ebm_of
from dispatch.channels.platform.register import Register
from simulators.carriers.platform import OURS, Platform
from tests.support.broadcast import T0, Clock, agreed, delivery, parcel

Ours = Callable[..., ByPlatform]


def overtaken_by(way: ByPlatform, what: Callable[[], object]) -> None:
    """The next message of this carrier reaches the platform after `what` is done."""
    post = way.link.post

    def late(ebd: Ebd, others: tuple[tuple[str, bytes], ...] = ()) -> EbdResponse:
        way.link.post = post  # type: ignore[method-assign]
        what()
        return post(ebd, others)

    way.link.post = late  # type: ignore[method-assign]


@pytest.mark.parametrize("update", ["cancel_and_new", "overwrite"])
def test_an_older_version_that_comes_last_does_not_stay(
    ours: Ours, platform: Platform, update: str
) -> None:
    way = ours(update=update)
    overtaken_by(way, lambda: way.send(parcel(delivery(2, msg_type="update", text="升级"))))
    with pytest.raises(SendError) as e:
        way.send(parcel(delivery(1, text="旧版")))
    assert e.value.permanent
    assert [m.text for m in platform.messages.values()] == ["升级"]
    with pytest.raises(SendError) as e:
        way.send(parcel(delivery(1, text="旧版")))
    assert e.value.permanent and [m.text for m in platform.messages.values()] == ["升级"]


def test_a_warning_that_comes_after_its_end_does_not_stay(ours: Ours, platform: Platform) -> None:
    way = ours()
    overtaken_by(way, lambda: way.send(parcel(delivery(2, msg_type="cancel"))))
    with pytest.raises(SendError):
        way.send(parcel(delivery(1)))
    assert not platform.messages and len(platform.withdrawn) == 2


def test_a_repetition_that_comes_first_is_not_withdrawn_by_what_it_repeats(
    ours: Ours, platform: Platform
) -> None:
    way = ours()
    overtaken_by(way, lambda: way.send(parcel(delivery(1, text="再说一遍"), key="again")))
    with pytest.raises(SendError):
        way.send(parcel(delivery(1)))
    assert [m.text for m in platform.messages.values()] == ["再说一遍"]


def test_what_could_not_be_withdrawn_is_withdrawn_with_a_later_heart_beat(
    ours: Ours, platform: Platform
) -> None:
    way = ours(heartbeat_s=1, list_every_h=0)
    way.send(parcel(delivery(1)))
    (first,) = platform.messages

    def from_now_on_no(tar: bytes) -> bytes:
        platform.result = "5"
        return tar

    platform.answer = from_now_on_no
    way.send(parcel(delivery(2, msg_type="update", text="升级")))  # it is taken, the cancel is not
    assert first in platform.messages and len(platform.messages) == 2
    platform.answer, platform.result = lambda tar: tar, "1"
    way.probe()
    end = time.monotonic() + 90
    while first in platform.messages and time.monotonic() < end:
        time.sleep(0.05)
    assert [m.text for m in platform.messages.values()] == ["升级"]


def test_a_clock_put_back_over_midnight_gives_no_number_twice(
    ours: Ours, clock: Clock, tmp_path: Path
) -> None:
    way = ours()
    district = way.link.district

    def take(key: str) -> tuple[str, str]:
        register = Register(tmp_path / "r.json", OURS, clock)
        d = delivery(alert=key)
        sent = register.taken_down(
            key, d, lambda n, at: ebm_of(district, agreed(), d, ("t", "x"), n, at), overwrite=False
        )
        return sent.ebm.id, sent.packet

    midnight = T0 - (T0 + 8 * 3_600_000) % 86_400_000 + 86_400_000
    found = []
    # to and fro over midnight, a day back that was never seen, years ahead and back
    for n, off in enumerate(
        (-2000, -1000, 1000, -500, 2000, -172_800_000, 0, 10**11, 3000, 10**11)
    ):
        clock.at = midnight + off
        found.append(take(f"k{n}"))
    assert len({e for e, _ in found}) == len({p for _, p in found}) == len(found)


def test_a_damaged_file_holds_up_no_warning_and_is_kept(
    ours: Ours, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "platform" / "county.json"
    file.parent.mkdir()
    file.write_bytes(b'{"day": "2025')
    assert ours().send(parcel(delivery())).state == "accepted"
    assert file.with_name("county.json.damaged").read_bytes() == b'{"day": "2025'
    assert ours().send(parcel(delivery())).state == "accepted" and len(platform.played) == 1
