"""A file of BUFR messages as values of our stations: its messages are found here and read by a process of its
own (`ingest.weather.bufr`), which may die on one of them: the next are read by another."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import accumulate
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.devices.weather import WeatherRow
from ingest.weather.bufr import Amount, Report
from ingest.weather.table import MOST_BYTES
from ingest.weather.value import BadCell, CellValue, FileSays, refused
from stream.records import Rejected

_BEGIN, _END = b"BUFR", b"7777"
_WAIT_S = 120.0  # the process itself has less time of work
_DEATHS = 3  # of one file: what comes after them is not tried
MOST_REPORTS = 200_000  # of one file: a small message may unfold into 20,000
_answer = msgspec.json.Decoder(list[Report] | str)
_DIED = Text("读它的进程没有读完", "the process that reads it did not come to its end")
_NOT_TRIED = Text(
    f"不再读：这个文件里已有 {_DEATHS} 份报文读不完",
    f"not tried: {_DEATHS} messages of this file could not be read to their end",
)
_TOO_MANY = Text(
    f"一个文件最多 {MOST_REPORTS} 份报告；请分开",
    f"at most {MOST_REPORTS} reports in a file; divide it",
)
LACKING = Text(
    "没有装 ecCodes：pip install 'fengsui[bufr]'",
    "ecCodes is not installed: pip install 'fengsui[bufr]'",
)


class _Message(NamedTuple):
    at: int  # byte of the file
    body: bytes


def missing() -> Text | None:
    """What to install, or None."""
    return None if find_spec("eccodes") else LACKING


def read_bufr(body: bytes, rows: Sequence[WeatherRow], minutes: Mapping[str, int]) -> FileSays:
    """What a file says. minutes: over how many the rain of a station is summed."""
    if len(body) > MOST_BYTES:
        words = Text(
            f"{len(body)} 字节：上限 {MOST_BYTES}", f"{len(body)} bytes: at most {MOST_BYTES}"
        )
        return refused("oversize", words)
    found = FileSays([], [])
    messages: list[_Message] = []
    for one in messages_of(body):
        if isinstance(one, _Message):
            messages.append(one)
        else:
            found.bad.append(one)
    if not messages and not found.bad:
        return refused(
            "bad_payload", Text("没有 BUFR 报文", "there is no BUFR message in it"), body
        )
    wanted: dict[str, list[WeatherRow]] = {}
    for row in rows:
        wanted.setdefault(row.id, []).append(row)
    others = periods = 0
    for message, said in zip(messages, _read(messages), strict=True):
        if isinstance(said, Rejected):
            found.bad.append(BadCell(_at(message.at, said), message.body))
            continue
        for report in said:
            mine = [row for name in report.ids for row in wanted.get(name, ())]
            others += not mine
            rain = [row for row in mine if row.column == "rain" and report.rain]
            periods += sum(_amount(report.rain, minutes[row.station]) is None for row in rain)
            for value in _of_report(message, report, mine, minutes):
                (found.values if isinstance(value, CellValue) else found.bad).append(value)  # type: ignore[arg-type]
    return found._replace(others=others, periods=periods)


def messages_of(body: bytes) -> Iterator[_Message | BadCell]:
    """By what stands in their section 0; what is between them is a bulletin's heading."""
    at = 0
    while (at := body.find(_BEGIN, at)) >= 0:
        length = int.from_bytes(body[at + 4 : at + 7], "big")
        whole = body[at : at + length]
        if length >= 12 and len(whole) == length and whole.endswith(_END):
            yield _Message(at, whole)
            at += length
            continue
        words = Text("报文不完整，或长度不对", "the message is cut, or its length is wrong")
        yield BadCell(_at(at, Rejected("cut_frame", words)), body[at : at + 4096])
        at += len(_BEGIN)


def _at(offset: int, why: Rejected) -> Rejected:
    where = Text(f"第 {offset} 字节的报文：", f"message at byte {offset}: ")
    return Rejected(why.reason, where + why.detail)


def _read(messages: Sequence[_Message]) -> list[list[Report] | Rejected]:
    """Of each message its reports, or why there are none."""
    sums = list(accumulate(subsets(m.body) for m in messages))
    whole = [m for m, so_far in zip(messages, sums, strict=True) if so_far <= MOST_REPORTS]
    found: list[list[Report] | Rejected] = []
    deaths = 0
    while len(found) < len(whole) and deaths < _DEATHS:
        lines = b"".join(b64encode(m.body) + b"\n" for m in whole[len(found) :])
        for line in _answers(lines):
            said = _answer.decode(line)
            found.append(Rejected("bad_payload", said) if isinstance(said, str) else said)
        if len(found) < len(whole):
            deaths += 1
            found.append(Rejected("bad_payload", _DIED))
    found += [Rejected("bad_payload", _NOT_TRIED)] * (len(whole) - len(found))
    return found + [Rejected("oversize", _TOO_MANY)] * (len(messages) - len(whole))


def subsets(message: bytes) -> int:
    """How many section 3 says there are (WMO-No. 306, vol. I.2: octets 5 and 6, behind the sections 0, 1 and,
    where section 1 says so, 2); 1 where that cannot be read."""
    flag = 9 if message[7:8] >= b"\4" else 7
    at = 8 + int.from_bytes(message[8:11], "big")
    if message[8 + flag : 9 + flag] >= b"\x80":
        at += int.from_bytes(message[at : at + 3], "big")
    return max(1, int.from_bytes(message[at + 4 : at + 6], "big"))


def _answers(lines: bytes) -> list[bytes]:
    command = [sys.executable, "-P", "-m", "ingest.weather.bufr"]
    env = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603  # no word of it comes from outside
            command, input=lines, capture_output=True, timeout=_WAIT_S, check=False, env=env
        )
        out = done.stdout
    except subprocess.TimeoutExpired as e:
        out = e.stdout or b""
    return [line for line in out.split(b"\n")[:-1] if line]


def _of_report(
    message: _Message, report: Report, rows: Sequence[WeatherRow], minutes: Mapping[str, int]
) -> Iterator[CellValue | BadCell]:
    """What is asked of one."""
    if not rows:
        return
    where = Text(
        f"第 {message.at} 字节的报文第 {report.n} 份",
        f"message at byte {message.at}, subset {report.n},",
    )
    at = _moment(report.at)
    if at is None:
        words = Text(f"{rows[0].station}: 没有时间", f"{rows[0].station}: it has no time")
        yield BadCell(Rejected("bad_time", where + ": " + words), message.body)
        return
    for row in rows:
        place = where + f" {row.column}"
        if row.column == "rain":
            one = _amount(report.rain, minutes[row.station])
            if one is not None:
                ended = at - one.before * 60_000
                yield CellValue(row, place, one.value, ended, one.trace, raw=message.body)
        elif report.humidity:
            yield CellValue(row, place, report.humidity[0], at, raw=message.body)


def _amount(rain: Sequence[Amount], minutes: int) -> Amount | None:
    """The sum over so many minutes; one that is there before one that is missing."""
    mine = [a for a in rain if a.minutes == minutes]
    return next((a for a in mine if a.value is not None), mine[0] if mine else None)


def _moment(at: Sequence[int] | None) -> int | None:
    if at is None:
        return None
    try:
        when = datetime(at[0], at[1], at[2], at[3], at[4], tzinfo=UTC)
    except ValueError:
        return None
    return round(when.timestamp() * 1000) if when.year >= 1970 else None
