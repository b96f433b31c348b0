"""The command `fengsui decode`: what a field worker sees."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fengsui.cli.look.decode import decode
from stream.environment import Usage

HOURLY = (
    "7E7E05001122334403E8340068020033170718110014F1F1001122334448F0F01707181005F4600500000014FFFFFFFFFF"
    "0000F0F017071811002619000040F0F01707181005F5C0000C000C001C00310031FFFFFFFFFFFFFFFFFFFF00310031F0F0"
    "170718110039230001049020190000403812109903F502"
)


def said(*words: str, code: int = 0, text: str = "") -> list[str]:
    done = CliRunner().invoke(decode, [*words], input=text)
    assert done.exit_code == code, done.output
    return done.output.splitlines()


def test_an_hourly_report_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    lines = said("sl651", HOURLY)
    assert any("瞬时水位" in line and "10.49 m" in line for line in lines)
    assert sum("缺测" in line for line in lines) == 10
    assert any("11:00" in line and "0.49 m" in line for line in lines)
    monkeypatch.setenv("FENGSUI_LANG", "en")
    lines = said("sl651", "-", text=" ".join(HOURLY[n : n + 2] for n in range(0, len(HOURLY), 2)))
    assert any("water level" in line and "10.49 m" in line for line in lines)
    assert not any("水" in line for line in lines)


def test_what_is_wrong_is_said_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "en")
    lines = said("sl651", HOURLY[:-4] + "0000", code=1)
    assert any("the CRC says 0000, the bytes make F502" in line for line in lines)
    assert lines[1].startswith("119")
    lines = said("szy206", "681568B34406070001C0AAAAAAAAAA00404000000000", code=1)
    assert any("4 bytes are missing" in line for line in lines)


def test_what_is_no_hex_is_named() -> None:
    done = CliRunner().invoke(decode, ["sl651", "7E7G"])
    assert isinstance(done.exception, Usage)
    assert "'G'" in str(done.exception)


def test_a_lorawan_payload_by_its_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    lines = said("lorawan", "milesight-em410-rdl", "01756403671001", "04822C01", "--port", "85")
    assert any("到水面的距离" in line and "0.3 m" in line for line in lines)
    assert any("27.2 °C" in line for line in lines)
    monkeypatch.setenv("FENGSUI_LANG", "en")
    lines = said("lorawan", "cayenne-lpp", "-", text="03 67 01 10 05", code=1)
    assert any("temperature, channel 3 (temperature_3)" in line for line in lines)
    assert any("2 bytes expected, 1 there" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("milesight-em500-udl", "017564", "99AA"), "a tag that is not known: 99 AA"),
        (("milesight-em500-udl", "01756403", "82"), "4 bytes expected, 2 there"),
        (("dragino-ldds04", "0D4A03160318031A0315"), "11 bytes expected, 10 there"),
        (("decentlab-mbx", "03012f0003"), "version 3, expected 2"),
        (("decentlab-mbx", "02012f0008"), "no piece for flag 3"),
        (("milesight-em500-udl", "017564", "--port", "5"), "reads port 85 alone"),
    ],
)
def test_what_is_wrong_with_a_payload_has_its_byte(
    words: tuple[str, ...], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "en")
    assert any(wrong in line for line in said("lorawan", *words, code=1))


def test_a_codec_that_is_not_there_is_named_with_those_that_are() -> None:
    done = CliRunner().invoke(decode, ["lorawan", "milesight", "00"])
    assert isinstance(done.exception, Usage)
    assert "milesight-em500-udl" in str(done.exception)


def test_a_payload_of_sparkplug_from_a_file_and_as_hex(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "en")
    body = bytes.fromhex("08d2e283b9fa32120d1064200a690000000000803640")
    file = tmp_path / "NDATA"
    file.write_bytes(body + bytes.fromhex("1801"))
    lines = said("sparkplug", str(file))
    assert any("2025-06-25 12:47:23.474" in line for line in lines)
    assert any("alias 100" in line and "22.5 Double" in line for line in lines)
    lines = said("sparkplug", body.hex() + "12ff", code=1)
    assert any("wrong: a number is cut off" in line for line in lines)
