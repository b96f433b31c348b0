"""`fengsui decode ebd`: what a packet says, and what is wrong with it."""

from pathlib import Path

from click.testing import CliRunner

from dispatch.channels.platform.declared import faults
from dispatch.channels.platform.ebd.form import Form
from dispatch.channels.platform.ebd.packet import Packet, pack
from dispatch.channels.platform.ebd.records import ConnectionCheck, Ebd
from dispatch.channels.platform.ebd.signature import Block, block_bytes, write_signature
from dispatch.channels.platform.ebd.writer import write_ebd
from dispatch.channels.platform.rows import rows
from fengsui.cli.root import cli
from simulators.carriers.platform import OURS, THEIRS
from tests.support.broadcast import OUR_KEYS, row

T0 = 1_753_567_800_000
IDENT = "01" + OURS + "0" * 16


def whole() -> bytes:
    main = write_ebd(Form(), Ebd(IDENT, OURS, THEIRS, T0, ConnectionCheck(T0)))
    block = block_bytes(Block(T0 // 1000, "3363", bytes(64)))
    return pack(Packet(IDENT, main, write_signature(Form(), IDENT, block, "75")), T0)


def test_a_packet_as_a_table(tmp_path: Path) -> None:
    found = {r.name.en: r for r in rows(whole())}
    assert found["EBDID"].value.en == IDENT and found["SRC"].value.en == OURS
    assert found["signed at"].value.en == "2025-07-27 06:10:00" == found["  told_at"].value.en
    assert not any(r.wrong.en for r in found.values())
    file = tmp_path / "a.tar"
    file.write_bytes(whole())
    done = CliRunner().invoke(cli, ["decode", "ebd", str(file)])
    assert done.exit_code == 0 and "证书编号" in done.output and "000000003363" in done.output


def test_what_is_wrong_is_told_and_the_exit_code_is_one(tmp_path: Path) -> None:
    bare = pack(
        Packet(IDENT, write_ebd(Form(), Ebd(IDENT, "12", "", None, ConnectionCheck(None)))), T0
    )
    wrong = {r.name.en: r.wrong.en for r in rows(bare) if r.wrong.en}
    assert set(wrong) == {"signature file", "SRC", "EBDTime"}
    for data in (b"", b"<a/>", b"\x50\x00", whole()[:600]):
        assert [r for r in rows(data) if r.wrong.en]
    file = tmp_path / "a.tar"
    file.write_bytes(bare)
    done = CliRunner().invoke(cli, ["decode", "ebd", str(file)])
    assert done.exit_code == 1 and "没有签名" in done.output


def test_a_frame_of_an_adapter_as_a_table() -> None:
    reply = bytes.fromhex("500001120200000008" + "00" * 8 + "004A" + "00" * 74 + "AC1D9D3C")
    found = {r.name.en: r.value.en for r in rows(reply)}
    assert found["type"] == "general reply" and found["way"] == "from the adapter"


def test_our_own_code_and_key_in_the_platforms_place_are_told() -> None:
    found = row("http://10.0.0.8/", theirs=OURS, their_public="04" + OUR_KEYS.public.upper())
    assert {key for key, _, _ in faults(found)} == {"platform.theirs", "platform.their_public"}
    assert not list(faults(row("http://10.0.0.8/")))
