"""camera_sources.csv: what `fengsui check` says of it, and that it shows no password."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

HEAD = "station,url,user,secret,ca,fast_s,hold_min,burst\n"


def problems(folder: Path, *rows: str) -> list[tuple[str, str]]:
    """`row:column` and words of each."""
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, folder / "yanqing")
    (copy / "camera_sources.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = load(copy)
    except ConfigError as e:
        assert {p.file for p in e.problems} == {"camera_sources.csv"}
        return [(f"{p.row}:{p.column}", str(p.text)) for p in e.problems]
    assert len(found.camera_sources) == len(rows)
    return []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("V01,rtsp://10.0.0.7:554/Streaming/Channels/102,eye,env:CAMERA,,2,30,3",), []),
        (("V01,https://10.0.0.7/snap.jpg,,,/etc/cam.pem,,,",), []),
        (("V01,http://10.0.0.7/s?user={user}&pwd={password},eye,env:C,,,,",), []),
        (("X9,rtsp://10.0.0.7/s,,,,,,",), ["2:station"]),
        (("R01,rtsp://10.0.0.7/s,,,,,,",), ["2:station"]),
        (("V01,rtsp://10.0.0.7/s,,,,,,", "V01,rtsp://10.0.0.8/s,,,,,,"), ["3:station"]),
        (("V01,ftp://10.0.0.7/s,,,,,,",), ["2:url"]),
        (("V01,rtsp://[10.0.0.7/s,,,,,,",), ["2:url"]),
        (("V01,10.0.0.7,,,,,,",), ["2:url"]),
        (("V01,rtsp://eye:gate77@10.0.0.7/s,,,,,,",), ["2:url"]),
        (("V01,http://10.0.0.7/s?pwd=gate77,,,,,,",), ["2:url"]),
        (("V01,http://10.0.0.7/s?pwd={password},,,,,,",), ["2:secret"]),
        (("V01,rtsp://10.0.0.7/s,eye,gate77,,,,",), ["2:secret"]),
        (("V01,rtsp://10.0.0.7/s,eye,,,,,",), ["2:secret"]),
        (("V01,rtsp://10.0.0.7/s,,env:C,,,,",), ["2:secret"]),
        (("V01,rtsp://10.0.0.7/s,,,/etc/cam.pem,,,",), ["2:ca"]),
        (("V01,rtsp://10.0.0.7/s,,,,0.01,,",), ["2:fast_s"]),
        (("V01,rtsp://10.0.0.7/s,,,,,,99",), ["2:burst"]),
    ],
)
def test_each_fault_names_its_row_and_column(
    rows: tuple[str, ...], wrong: list[str], tmp_path: Path
) -> None:
    found = problems(tmp_path, *rows)
    assert [place for place, _ in found] == wrong
    assert "gate77" not in "".join(words for _, words in found)
