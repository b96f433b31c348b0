"""Messages to a reference platform that knows nothing of our codec, over HTTP: what it takes, what a
retry, an update, a cancel and a drill are to it, and what of its answers is a yes."""

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config.language import zh
from config.records.district import District
from config.records.level import Action, Level
from dispatch.channels import SendError
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.platform.ebd.form import message_id
from dispatch.channels.platform.register import Register
from simulators.carriers.platform import OURS, Platform, packed, unpacked
from tests.support.broadcast import T0, TEXT, Clock, delivery, our_side, parcel

Ours = Callable[..., ByPlatform]


def only(platform: Platform) -> str:
    (found,) = platform.messages
    return found


def test_a_warning_is_taken_with_every_field(ours: Ours, platform: Platform) -> None:
    told = ours().send(parcel(delivery()))
    assert told.state == "accepted" and only(platform) in zh(told.detail)
    m = platform.messages[only(platform)]
    assert (m.type, m.event, m.severity, m.areas) == ("1", "11A51", "1", "110119200225")
    assert m.text == TEXT and m.fields["MsgTitle"] == "山洪红色预警"
    assert m.fields["StartTime"] == "2025-07-27 06:10:00" == m.fields["SendTime"]
    assert m.fields["EndTime"] == "2025-07-27 07:10:00"
    assert m.fields["SenderCode"] == "110119" and m.fields["LanguageCode"] == "zho"
    assert m.id.startswith(OURS + "20250727") and len(m.id) == 35
    assert platform.packets[0][0].startswith("10" + OURS) and len(platform.packets[0][0]) == 41


def test_a_joint_release_is_sent_in_the_name_of_both_offices(ours: Ours, platform: Platform) -> None:
    both = ("resources", "weather")
    ours().send(parcel(delivery(hazard="debris_flow", action=Action.NONE, issuers=both)))
    assert platform.messages[only(platform)].fields["SenderName"] == "规自分局、气象局"


@pytest.mark.parametrize(
    ("level", "action", "severity"),
    [
        (Level.RED, Action.NONE, "1"),
        (Level.ORANGE, Action.MOVE, "2"),
        (Level.YELLOW, Action.NONE, "3"),
        (Level.BLUE, Action.NONE, "4"),
        (Level.NONE, Action.MOVE, "1"),
        (Level.NONE, Action.PREPARE, "2"),
    ],
)
def test_an_order_without_a_colour_has_the_severity_that_was_agreed(
    ours: Ours, platform: Platform, level: Level, action: Action, severity: str
) -> None:
    ours().send(parcel(delivery(level=level, action=action)))
    assert platform.messages[only(platform)].severity == severity


def test_the_form_of_2016_and_a_code_of_18_digits(ours: Ours, platform: Platform) -> None:
    platform.code, platform.other = "010233110000000001", "010333112400000001"
    way = ours(
        ours=platform.other, theirs=platform.code, names="EBE", version="1", layout="short",
        field="upfile", air_min=10, events={"flash_flood": "11A01"},
    )  # fmt: skip
    way.send(parcel(delivery()))
    m = platform.messages[only(platform)]
    assert len(m.id) == 30 and m.event == "11A01"
    assert m.fields["EndTime"] == "2025-07-27 06:20:00"


def test_a_retry_is_the_same_packet_and_is_played_once_also_after_a_crash(
    ours: Ours, platform: Platform, clock: Clock
) -> None:
    way, one = ours(), parcel(delivery())
    platform.silent = True
    with pytest.raises(SendError) as e:
        way.send(one)
    assert not e.value.permanent  # nobody knows whether it was taken
    platform.silent = False
    clock.at += 7000
    for maker in (way, ours(), ours()):  # each of the last two reads the file of the run
        assert maker.send(one).state == "accepted"
        clock.at += 7000
    assert len(platform.played) == 1
    assert len({i for i, kind in platform.packets if kind == "EBM"}) == 1
    assert platform.asked == [only(platform)] * 2, "who has it and says nothing is asked"


def test_an_update_is_a_new_message_and_then_the_old_one_goes(
    ours: Ours, platform: Platform
) -> None:
    way = ours()
    way.send(parcel(delivery(1, level=Level.ORANGE, action=Action.PREPARE)))
    first = only(platform)
    way.send(parcel(delivery(2, msg_type="update", text="升级")))
    assert platform.withdrawn == [first] and platform.messages[only(platform)].text == "升级"
    kinds = [k for _, k in platform.packets]
    assert kinds == ["EBM", "EBM", "EBM"] and len(platform.played) == 2
    way.send(parcel(delivery(2, msg_type="update", text="升级")))
    assert platform.withdrawn == [first], "a retry withdraws nothing"


def test_where_the_platform_overwrites_an_update_has_the_same_number(
    ours: Ours, platform: Platform
) -> None:
    way = ours(update="overwrite")
    way.send(parcel(delivery(1)))
    first = only(platform)
    way.send(parcel(delivery(2, msg_type="update", text="升级")))
    assert only(platform) == first and platform.messages[first].text == "升级"
    assert not platform.withdrawn
    way.send(parcel(delivery(3, msg_type="cancel")))
    assert platform.withdrawn == [first]
    way.send(parcel(delivery(1, alert="another")))
    assert only(platform) != first


def test_a_cancel_withdraws_all_that_may_be_on_the_air_and_is_delivered(
    ours: Ours, platform: Platform
) -> None:
    way = ours()
    way.send(parcel(delivery(1)))
    first = only(platform)
    way.send(parcel(delivery(1, alert="another", hazard="debris_flow")))
    told = way.send(parcel(delivery(2, msg_type="cancel", level=Level.NONE, action=Action.NONE)))
    assert told.state == "delivered"
    assert platform.withdrawn == [first]
    assert [m.event for m in platform.messages.values()] == ["11D02"], "the other warning stays"


def test_a_cancel_that_comes_again_is_delivered_again_and_posts_nothing(
    ours: Ours, platform: Platform
) -> None:
    ours().send(parcel(delivery(1)))
    over = parcel(delivery(2, msg_type="cancel"))
    assert ours().send(over).state == "delivered"
    count = len(platform.packets)
    assert ours().send(over).state == "delivered"  # its receipt was lost
    assert len(platform.packets) == count


def test_one_that_was_perhaps_never_taken_holds_up_no_other_end(
    ours: Ours, platform: Platform
) -> None:
    way = ours(update="cancel_and_new")
    platform.result = "5"
    with pytest.raises(SendError):
        way.send(parcel(delivery(1)))  # refused: it is not on the air
    platform.result = "1"
    way.send(parcel(delivery(2, msg_type="update")))
    second = only(platform)
    platform.result = "5"
    with pytest.raises(SendError):  # the one that was taken must be withdrawn
        way.send(parcel(delivery(3, msg_type="cancel")))
    platform.result = "1"
    assert way.send(parcel(delivery(3, msg_type="cancel"))).state == "delivered"
    assert platform.withdrawn[-1] == second and not platform.messages


def test_a_cancel_whose_message_nobody_knows_is_told_to_do_by_hand(ours: Ours) -> None:
    with pytest.raises(SendError, match="手工撤播") as e:
        ours().send(parcel(delivery(2, msg_type="cancel")))
    assert e.value.permanent


@pytest.mark.parametrize("status", ["exercise", "test"])
def test_what_is_no_actual_warning_never_is_a_real_broadcast(
    ours: Ours, platform: Platform, status: str
) -> None:
    ours().send(parcel(delivery(status=status)))
    assert platform.messages[only(platform)].type == "5"
    with pytest.raises(SendError, match="drill_type") as e:
        ours(drill_type="").send(parcel(delivery(7, status=status)))
    assert e.value.permanent and len(platform.packets) == 1


def test_numbers_of_a_day_begin_anew_and_never_name_two_messages(
    district: District, clock: Clock, tmp_path: Path
) -> None:
    def take(register: Register, key: str) -> str:
        from dispatch.channels.platform.message import ebm_of
        from tests.support.broadcast import agreed

        d = delivery(alert=key)
        make = lambda n, at: ebm_of(district, agreed(), d, ("t", "x"), n, at)  # noqa: E731
        return register.taken_down(key, d, make, overwrite=False).ebm.id

    file = tmp_path / "r.json"
    register = Register(file, OURS, clock)
    found = [take(register, f"k{n}") for n in range(5)]
    assert len(set(found)) == 5 and take(register, "k0") == found[0]
    # another machine took over, without the file: it must not begin at the first number
    clock.at += 3_600_000
    other = Register(None, OURS, clock)
    assert take(other, "k9") not in found
    clock.at += 24 * 3_600_000
    assert take(Register(file, OURS, clock), "k10") == message_id(OURS, "20250728", 1)
    clock.at += 5 * 24 * 3_600_000
    take(Register(file, OURS, clock), "k11")
    assert len(json.loads(file.read_bytes())["sent"]) == 1, "what ended long ago is forgotten"


def test_a_file_that_cannot_be_read_sends_nothing_under_a_used_number(
    ours: Ours, platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "platform" / "county.json").mkdir(parents=True)
    with pytest.raises(SendError, match=r"county\.json") as e:
        ours().send(parcel(delivery()))
    assert not e.value.permanent and not platform.packets


# --- what is a yes


@pytest.mark.parametrize("code", ["0", "1"])
def test_received_is_accepted_and_says_which(ours: Ours, platform: Platform, code: str) -> None:
    platform.result = code
    told = ours().send(parcel(delivery()))
    assert told.state == "accepted" and ("未处理" in zh(told.detail)) == (code == "0")


@pytest.mark.parametrize(("code", "words"), [("2", "无法解析"), ("3", "缺失"), ("5", "其他")])
def test_a_refusal_is_final_for_that_packet(
    ours: Ours, platform: Platform, code: str, words: str
) -> None:
    platform.result = code
    with pytest.raises(SendError, match=words) as e:
        ours().send(parcel(delivery()))
    assert e.value.permanent and not e.value.blames_route


def test_a_signature_that_is_refused_counts_against_the_way(ours: Ours, platform: Platform) -> None:
    platform.other_public = platform.own.public  # it knows another key of ours
    with pytest.raises(SendError, match="签名") as e:
        ours().send(parcel(delivery()))
    assert e.value.permanent and e.value.blames_route


def spoilt(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Callable[[bytes], bytes]:
    return lambda tar: packed(change(unpacked(tar)))


def _other_words(files: dict[str, bytes]) -> dict[str, bytes]:
    return {n: b.replace(b"<ResultDesc>ok", b"<ResultDesc>OK") for n, b in files.items()}


def _unsigned(files: dict[str, bytes]) -> dict[str, bytes]:
    return {n: b for n, b in files.items() if not n.startswith("EBDS")}


def _linked(tar: bytes) -> bytes:
    out = io.BytesIO(tar)
    with tarfile.open(fileobj=out, mode="a") as t:
        info = tarfile.TarInfo("EBDR_1.mp3")
        info.type, info.linkname = tarfile.SYMTYPE, "EBDB_1.xml"
        t.addfile(info)
    return out.getvalue()


ODD: dict[str, Callable[[Platform], None]] = {
    "an unknown code": lambda p: setattr(p, "result", "77"),
    "no code": lambda p: setattr(p, "result", ""),
    "of another packet": lambda p: setattr(p, "related", lambda _: "10" + OURS + "0" * 16),
    "no packet named": lambda p: setattr(p, "related", lambda _: ""),
    "changed words": lambda p: setattr(p, "answer", spoilt(_other_words)),
    "not signed": lambda p: setattr(p, "answer", spoilt(_unsigned)),
    "half a tar": lambda p: setattr(p, "answer", lambda tar: tar[:700]),
    "nothing": lambda p: setattr(p, "answer", lambda _: b""),
    "a web page": lambda p: setattr(p, "answer", lambda _: b"<html>ok</html>"),
    "a tar with a link": lambda p: setattr(p, "answer", _linked),
    "too much": lambda p: setattr(p, "answer", lambda tar: tar + b"\0" * 70_000),
    "another platform": lambda p: setattr(p, "code", "4" * 23),
    "somebody else's": lambda p: setattr(p, "other", "4" * 23),
    "not an answer": lambda p: setattr(
        p, "answer", lambda _: p.packet("ConnectionCheck", "<RptTime/>")
    ),
    "an error of the server": lambda p: setattr(p, "status", 500),
    "no answer": lambda p: setattr(p, "silent", True),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_no_yes_and_the_same_packet_may_go_again(
    ours: Ours, platform: Platform, case: str
) -> None:
    way, one = ours(), parcel(delivery())
    ODD[case](platform)
    with pytest.raises(SendError) as e:
        way.send(one)
    assert not e.value.permanent and not e.value.wait_s
    number = way.link.register.taken_down(one.key, one.delivery, None, overwrite=False)  # type: ignore[arg-type]
    assert not number.taken


def test_where_answers_are_bare_they_are_taken_bare(ours: Ours, platform: Platform) -> None:
    platform.answer = spoilt(_unsigned)
    assert ours(answers="bare").send(parcel(delivery())).state == "accepted"
    platform.answer = spoilt(_other_words)  # one that is signed must be signed right
    with pytest.raises(SendError):
        ours(answers="bare").send(parcel(delivery(2)))


def test_a_probe_is_a_heart_beat_and_nothing_sounds(ours: Ours, platform: Platform) -> None:
    assert ours().probe()
    assert platform.beats == 1 and not platform.played
    assert platform.packets[0] == ("01" + OURS + "0" * 16, "ConnectionCheck")
    platform.silent = True
    with pytest.raises(SendError):
        ours().probe()


# --- sound


def voice(tmp_path: Path, code: str) -> str:
    script = tmp_path / "voice.py"
    script.write_text(code)
    return f"{sys.executable} {script}"


MP3 = "import sys; sys.stdout.buffer.write(b'ID3' + sys.stdin.buffer.read())"


def test_a_sound_file_goes_with_it_and_stays_away_from_a_cancel(
    ours: Ours, platform: Platform, tmp_path: Path
) -> None:
    way = ours(sound=voice(tmp_path, MP3))
    way.send(parcel(delivery()))
    m = platform.messages[only(platform)]
    assert m.files == (f"EBDR_{m.id}.mp3",)
    assert (m.fields["AuxiliaryType"], m.fields["AuxiliaryDesc"]) == ("2", m.files[0])
    assert m.text == TEXT, "the words go too: a platform may read them itself"
    way.send(parcel(delivery(2, msg_type="cancel")))
    assert platform.withdrawn == [m.id]


def test_where_sound_is_for_orders_a_colour_goes_without(
    ours: Ours, platform: Platform, tmp_path: Path
) -> None:
    way = ours(sound=voice(tmp_path, MP3), sound_for="orders")
    way.send(parcel(delivery(action=Action.NONE)))
    assert not platform.messages[only(platform)].files


def test_a_voice_that_hangs_is_not_waited_for_by_every_warning(
    ours: Ours, platform: Platform, clock: Clock
) -> None:
    asked: list[str] = []

    def hangs(text: str) -> bytes:
        asked.append(text)
        raise TimeoutError

    way = ByPlatform(ours().link, hangs)
    for n in range(3):
        told = way.send(parcel(delivery(alert=f"a{n}", text=f"第{n}村")))
        assert told.state == "accepted" and "无声音" in zh(told.detail)
    assert len(asked) == 1
    clock.at += 300_000
    way.send(parcel(delivery(alert="later")))
    assert len(asked) == 2 and len(platform.played) == 4


def test_a_voice_that_fails_costs_the_sound_and_not_the_message(
    ours: Ours, platform: Platform, tmp_path: Path
) -> None:
    told = ours(sound=voice(tmp_path, "import sys; sys.exit(2)")).send(parcel(delivery()))
    assert told.state == "accepted" and "无声音文件" in zh(told.detail)
    m = platform.messages[only(platform)]
    assert not m.files and "AuxiliaryType" not in m.fields


# --- the row


def test_what_no_public_text_says_is_asked_for(district: District) -> None:
    from config.records.channels import Carrier
    from config.records.devices.broadcast import Platform as Agreed
    from dispatch.channels.declared import problems

    row = Carrier(
        name="county", channel="broadcast_platform", kind="ebd", url="http://10.0.0.1/", contact="x"
    )

    def of(row: Carrier) -> dict[str, str]:
        channels = msgspec.structs.replace(district.channels, carrier=(row,))
        found = problems(msgspec.structs.replace(district, channels=channels))
        return {p.column.removeprefix("carrier county."): str(p.message) for p in found}

    asked = of(row)
    for key in ("ours", "theirs", "sender_code", "drill_type", "serial", "issuer", "public",
                "their_public", "order_severity.move", "order_severity.prepare", "listen"):  # fmt: skip
        assert f"platform.{key}" in asked, key
    assert "secret" in asked and "contact" in asked
    wrong = Agreed(
        ours="12", theirs="x" * 20, public="0" * 128, their_public="ab", serial="x", issuer="1" * 13,
        events={"fire": "11A51", "flash_flood": "1"}, states={"0": "heard"}, path="x", field="<",
        listen="here", heartbeat_s=1, signer="usb", order_severity={"go": "1"},
    )  # fmt: skip
    found = of(msgspec.structs.replace(row, platform=wrong))
    for key in ("ours", "theirs", "their_public", "serial", "issuer", "events.fire", "states.0",
                "events.flash_flood", "path", "field", "listen", "heartbeat_s", "signer",
                "order_severity.go"):  # fmt: skip
        assert f"platform.{key}" in found, key


def test_a_private_key_that_is_none_stops_the_start_and_is_not_told(
    district: District, tmp_path: Path, clock: Clock
) -> None:
    from dispatch.channels.platform.declared import made
    from tests.support.broadcast import row

    for word in ("", "zz" * 32, "00" * 32):
        with pytest.raises(ValueError) as e:
            made(district, row("http://127.0.0.1:1/"), word, tmp_path, clock)
        assert not word or word not in str(e.value)
    assert our_side(district, "http://127.0.0.1:1/", tmp_path, clock).link.heard_at == 0
    assert clock() == T0
