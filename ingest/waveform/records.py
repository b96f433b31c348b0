"""miniSEED, and whatever else ObsPy reads, as pieces of waveforms. With `seedlink.py` the only file that
knows ObsPy; it is loaded when it is called (`pip install 'fengsui[seismic]'`)."""

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from config.language import Text
from ingest.waveform.seconds import Piece

_SUSPECT = 0x80  # data quality flags of the fixed header, bit 7: the time tag is questionable
_LEAST_QUALITY = 50  # blockette 1001: timing quality in per cent
_QUALITY_AT, _FIRST_BLOCKETTE_AT, _HEADER = 38, 46, 48
_DATA_ONLY, _TIMING = 1000, 1001
_MARKS = (b"D", b"R", b"Q", b"M")


class Unreadable(ValueError):
    """Bytes or a file that are no waveform; the text says why and what to do."""


def obspy() -> Any:
    """The library. Raises Unreadable where it is not installed."""
    try:
        import obspy as found
    except ImportError as e:
        raise Unreadable(
            Text(
                "没有 ObsPy：pip install 'fengsui[seismic]'",
                "ObsPy is not installed: pip install 'fengsui[seismic]'",
            )
        ) from e
    return found


def pieces_of(body: bytes, name: str) -> list[Piece]:
    """The pieces of a file's bytes, each channel in order of its time. Raises Unreadable."""
    library = obspy()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what is told as a clock or a gap
            stream = library.read(io.BytesIO(body))
        found = [_piece(trace) for trace in stream]
    except Exception as e:  # what it raises of a broken file is whatever its readers raise
        raise Unreadable(Text(f"{name}: 读不了：{e}", f"{name}: cannot be read: {e}")) from e
    clock = clock_of(body)
    return sorted((p._replace(clock=clock) for p in found), key=lambda p: (p.channel, p.start_ns))


def read_files(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Piece]]]:
    """Files one by one. Raises Unreadable."""
    for path in paths:
        try:
            body = path.read_bytes()
        except OSError as e:
            raise Unreadable(Text(f"{path}: {e.strerror}", f"{path}: {e.strerror}")) from e
        yield path, pieces_of(body, str(path))


def _piece(trace: Any) -> Piece:
    samples = np.ma.filled(trace.data.astype(np.float64), np.nan)
    return Piece(trace.id, trace.stats.starttime.ns, float(trace.stats.sampling_rate), samples)


def clock_of(record: bytes) -> str:
    """Why the clock of a miniSEED 2 record is in doubt, "" where its header does not say so.

    Fixed header and blockette 1001: SEED Reference Manual 2.4, chapter 8 (FDSN 2012)."""
    if len(record) < _HEADER or record[6:7] not in _MARKS:
        return ""
    if record[_QUALITY_AT] & _SUSPECT:
        return "time tag questionable"
    at = _blockettes(record).get(_TIMING, -1)
    if at < 0 or record[at + 4] >= _LEAST_QUALITY:
        return ""
    return f"timing quality {record[at + 4]} %"


def record_length(body: bytes) -> int:
    """Of the miniSEED 2 records that a file is made of, 0 where it is none."""
    if len(body) < _HEADER or body[6:7] not in _MARKS:
        return 0
    at = _blockettes(body).get(_DATA_ONLY, -1)
    return 1 << body[at + 6] if at >= 0 and body[at + 6] <= 20 else 0


def _blockettes(record: bytes) -> dict[int, int]:
    """Where the blockettes of the first record stand, by their type; in the order of bytes in which the
    first of them makes sense."""
    for order in (">", "<"):
        found: dict[int, int] = {}
        at = struct.unpack_from(f"{order}H", record, _FIRST_BLOCKETTE_AT)[0]
        while _HEADER <= at <= len(record) - 8 and at not in found.values():
            kind, following = struct.unpack_from(f"{order}HH", record, at)
            found[kind] = at
            at = following
        if found.keys() & {_DATA_ONLY, _TIMING}:
            return found
    return {}
