"""Records of shaking, second by second: flows as NumPy archives, anything else as ObsPy reads it.

An archive has `v` (samples), `fs` (a second), `t0` (when `v` begins) and `ews` (the samples before it)."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.language import Text, text_of
from detectors.engine.window_rule import Floats
from ingest.waveform.seconds import Band, Piece, Seconds

_KEYS = ("v", "fs", "t0", "ews")
_NS = 1_000_000_000
LEAST_S = 10  # of a record: a plain level stands on the mean of so many


class WaveformFault(ValueError):
    """A file that cannot be used; the text says why and what to do."""


class Shaking(NamedTuple):
    """seconds: the value of each second, NaN where none was told; before: how many of them lie before the
    record proper."""

    name: str
    seconds: Floats
    before: int


def by_second(name: str, pieces: Sequence[Piece], band: Band) -> Floats:
    """The seconds of one channel from the first that is told to the last; counts of the sensor are the
    unit."""
    channel, told = Seconds(band, 1.0), {}
    for piece in pieces:
        try:
            for s in channel.feed(piece).seconds:
                told[s.at // 1000] = s.value
        except ValueError as e:
            raise WaveformFault(f"{name}: " + text_of(e)) from e
    if not told:
        raise WaveformFault(Text(f"{name}: 不足一秒", f"{name}: less than a second"))
    first, last = min(told), max(told)
    found = np.full(last - first + 1, np.nan)
    for at, value in told.items():
        found[at - first] = value
    return found


def read_flow(path: Path, band: Band) -> Shaking:
    """A flow, with what the archive has of the time before it. Raises WaveformFault."""
    try:
        with np.load(path, allow_pickle=False) as held:
            parts = {k: held[k] for k in held.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as e:
        wrong = Text(f"{path}: 不是 NumPy 档案：{e}", f"{path}: no NumPy archive: {e}")
        raise WaveformFault(wrong) from e
    if lacking := [k for k in _KEYS if k not in parts]:
        names = ", ".join(lacking)
        raise WaveformFault(Text(f"{path}: 缺 {names}", f"{path}: lacks {names}"))
    try:
        fs = float(parts["fs"])
        begin = int(np.datetime64(str(parts["t0"]), "ms").astype(np.int64)) * 1_000_000
        samples = np.concatenate((parts["ews"], parts["v"])).astype(np.float64)
        lead_s = parts["ews"].size / fs
    except (ValueError, TypeError, ZeroDivisionError) as e:
        raise WaveformFault(Text(f"{path}: 读不了：{e}", f"{path}: cannot be read: {e}")) from e
    piece = Piece(path.stem, begin - round(lead_s * _NS), fs, samples)
    seconds = by_second(path.name, [piece], band)
    record_s = parts["v"].size / fs
    return checked(Shaking(path.stem, seconds, max(0, seconds.size - int(record_s))), "ews")


def checked(record: Shaking, where: str) -> Shaking:
    """A record with something before it. where: what says how much. Raises WaveformFault."""
    before, name = record.seconds[: record.before], record.name
    if record.before < 1 or record.seconds.size - record.before < LEAST_S:
        raise WaveformFault(
            Text(
                f"{name}: {where} 应至少 1 秒，其后至少 {LEAST_S} 秒",
                f"{name}: {where} must be at least 1 s, and the record {LEAST_S} s behind it",
            )
        )
    if not np.nanmedian(before) > 0:
        wrong = f"{name}: 此前 {record.before} 秒没有任何震动，传感器坏了？"
        dead = f"{name}: nothing at all in the {record.before} s before: is the sensor dead?"
        raise WaveformFault(Text(wrong, dead))
    return record
