"""A base map of somebody else's making: whatever is wrong with it is told, and no command fails by it."""

import os
from pathlib import Path

import pytest

from config.read.tiles import _HEAD, NAME, read_tiles

_BOX = (1_150_000_000, 400_000_000, 1_170_000_000, 410_000_000)


def archive(metadata: bytes) -> bytes:
    directory = b"\x01" * 10
    at = 127 + len(directory)
    end = at + len(metadata)
    spans = (127, len(directory), at, len(metadata), end, 0, end, 5)
    head = _HEAD.pack(b"PMTiles", 3, *spans, 1, 1, 1, True, 1, 1, 1, 0, 14, *_BOX, 7, 0, 0)
    return head + directory + metadata + b"tiles"


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"attribution":"\xff\xfe"}',
        b'{"attribution":"\\ud800"}',
        b'{"vector_layers":null}',
        b"[]",
        b"",
    ],
    ids=["deep", "not UTF-8", "half a character", "null", "a list", "empty"],
)
def test_metadata_that_nobody_can_read_are_a_fault_of_the_map_alone(
    tmp_path: Path, metadata: bytes
) -> None:
    (tmp_path / NAME).write_bytes(archive(metadata))
    tiles = read_tiles(tmp_path)
    assert tiles is not None
    assert tiles.fault is not None
    assert len(tiles.fault.en) < 300


def test_what_somebody_wrote_into_it_stays_within_its_line(tmp_path: Path) -> None:
    layers = b",".join(b'{"id":"a\\u001b[2J\\n%d"}' % n for n in range(9_000))
    (tmp_path / NAME).write_bytes(archive(b'{"vector_layers":[' + layers + b'],"attribution":"x\\ny"}'))
    tiles = read_tiles(tmp_path)
    assert tiles is not None
    assert tiles.fault is None
    assert len(tiles.layers) <= 50
    assert "".join((*tiles.layers, tiles.attribution)).isprintable()


def test_a_pipe_in_its_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    tiles = read_tiles(tmp_path)
    assert tiles is not None
    assert tiles.fault is not None
