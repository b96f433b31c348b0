"""A person's photograph is read by a process of its own, and whatever is in the file, neither it nor
ingest takes more memory than it may."""

import io
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from ingest.people.photos.photo import remade
from stream.records import Rejected


def flat(width: int, height: int) -> bytes:
    """A PNG of one colour, made without holding it: few bytes, many pixels."""
    packer = zlib.compressobj()
    row = b"\0" + b"\x5a\x3c\x1e" * width
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + crc

    parts = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def measured(tmp_path: Path, body: bytes) -> tuple[str, int, int]:
    """What came of it, and by how many MB this program's memory and its child's went up."""
    file = tmp_path / "picture"
    file.write_bytes(body)
    program = (
        "import resource, sys; from ingest.people.photos.photo import remade\n"
        "def mb(who): return resource.getrusage(who).ru_maxrss // 1024\n"
        "body = open(sys.argv[1], 'rb').read(); before = mb(resource.RUSAGE_SELF)\n"
        "made = remade(body)\n"
        "print(made.reason if not isinstance(made, bytes) else 'made',\n"
        "      mb(resource.RUSAGE_SELF) - before, mb(resource.RUSAGE_CHILDREN))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        capture_output=True, text=True, timeout=300, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    what, own, child = done.stdout.split()
    return what, int(own), int(child)


@pytest.mark.parametrize(
    ("size", "want", "child"),
    [((8000, 7990), "bad_frame", 100), ((4000, 3000), "made", 300)],
    ids=["64 million pixels", "12 million pixels"],
)
def test_a_small_file_of_many_pixels(
    tmp_path: Path, size: tuple[int, int], want: str, child: int
) -> None:
    what, own, theirs = measured(tmp_path, flat(*size))
    assert what == want
    assert own < 40, "ingest itself does not grow"
    assert theirs < child, "and a picture that is too large is not even begun"


def test_what_goes_on_asking_for_memory_is_ended() -> None:
    program = (
        "from ingest.people.photos.photo_process import CPU_S, MEMORY, bound;"
        "bound(MEMORY, CPU_S); bytearray(MEMORY)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert "MemoryError" in done.stderr


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1"])
def test_every_kind_of_picture_becomes_a_small_jpeg(kind: str, mode: str) -> None:
    image = Image.new("RGB", (2000, 1000), (90, 60, 30)).convert(mode)
    if kind == "JPEG" and mode in ("P", "RGBA"):
        image = image.convert("CMYK")
    out = io.BytesIO()
    image.save(out, kind)
    made = remade(out.getvalue())
    assert isinstance(made, bytes)
    with Image.open(io.BytesIO(made)) as small:
        assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (1600, 800))


@pytest.mark.parametrize("body", [b"", b"x", b"\xff\xd8\xff", flat(10, 10)[:-30]])
def test_what_is_no_picture(body: bytes) -> None:
    made = remade(body)
    assert isinstance(made, Rejected)
    assert "not a picture" in made.detail


def test_a_process_that_cannot_be_started_costs_the_picture_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for program in ("/nowhere", "/bin/false"):
        monkeypatch.setattr(sys, "executable", program)
        made = remade(flat(10, 10))
        assert isinstance(made, Rejected)
        assert made.reason == "bad_frame"
