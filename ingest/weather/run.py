"""Files of a weather office at work: from a folder into the log, each once, until it is told to end."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from config.language import Said, Text, text_of
from config.records.devices.weather import WeatherForm
from config.records.district import District
from ingest.batches import append, batches, by_group
from ingest.identify import Register
from ingest.observation import Observation
from ingest.weather.bufr_process import read_bufr
from ingest.weather.done import sweep_done
from ingest.weather.folder import DONE, REFUSED, DropFolder, Dropped
from ingest.weather.memory import FileMemory, digest_of, mark_of
from ingest.weather.table import MOST_BYTES, read_table
from ingest.weather.value import BadCell, FileSays, OfficeJudge, refused
from stream import metrics
from stream.clock import LineClock, last_tick
from stream.guard import OF_THE_LOG, letter, unread
from stream.log.port import Log
from stream.oplog import Seldom, say, visible
from stream.records import Rejected, Run
from stream.stages.answered import answered
from stream.stages.run_identity import begin
from stream.wall_clock import now_ms

NAME = "weather"
NO_TABLE = Text(
    "没有 weather.toml 和 weather.csv：没有一种气象局的文件（config/README.md）",
    "no weather.toml and weather.csv: no kind of file is declared (config/README.en.md)",
)
UNENDED_S = 60.0
_MOST_LETTERS = 500  # of one file; what is beyond is counted in the last of them
_UNTIL_KEPT = Text("；记下之前文件不动", "; its file stays until it can be kept")
_NO_KIND = Text(
    "weather.toml 里没有叫这种名字的文件", "weather.toml knows no kind of file of this name"
)
_FORGET_EVERY_S = 3600.0


class FileDoor:
    """What is done with each file."""

    def __init__(
        self,
        district: District,
        log: Log,
        folder: DropFolder,
        memory: FileMemory,
        clock: Callable[[], int],
        stop: threading.Event,
        pulse: metrics.Pulse,
    ) -> None:
        self._district, self._log, self._folder, self._memory = district, log, folder, memory
        self._clock, self._stop, self._pulse = clock, stop, pulse
        self._register = Register(district)
        self._judge = OfficeJudge(district, self._register)
        self._minutes = {s.id: s.sum_interval_s // 60 for s in district.stations.values()}
        self._seldom = Seldom(600.0)
        self.bad = 0  # dead letters so far

    def look(self) -> int:
        """What is ready by now; so many files were taken, or wait for their writer."""
        try:
            ready = self._folder.ready()
        except OSError as e:
            why = Text(f"{self._folder.path}: {e.strerror}", f"{self._folder.path}: {e.strerror}")
            self._pulse.beat(why)
            self._seldom(NAME, why)
            return 0
        self._pulse.beat()
        taken = 0
        for one in ready:
            if self._stop.is_set():
                break
            taken += self._take(one)
            self._pulse.beat()
        return taken

    def sweep(self) -> None:
        """Old files of `done` go, as weather.toml says."""
        forms, known = self._district.weather.forms, self._memory.taken
        try:
            gone = sweep_done(self._folder.path, forms, known, self._clock())
        except OSError as e:
            self._seldom(NAME, f"{DONE}: " + text_of(e))
            return
        if gone:
            say(NAME, Text(f"{DONE}：删去到期的 {gone} 个", f"{DONE}: {gone} old files deleted"))

    def _take(self, one: Dropped) -> bool:
        try:
            body = self._folder.read(one, MOST_BYTES)
        except OSError as e:
            self._seldom(NAME, f"{one.name}: " + text_of(e))
            return False
        if body is None:
            return True
        digest = digest_of(body)
        place = DONE
        if not self._memory.taken(digest):
            name, form = self._form(one.name)
            if not _ended(body, form) and self._folder.unchanged_s(one) < UNENDED_S:
                return True
            says = self._read(body, name, form)
            place = REFUSED if says.refused else DONE
            if not self._keep(one.name, digest, says):
                return False
        try:
            self._folder.put(one, place, digest)
        except OSError as e:
            words = Text(
                f"{one.name} 已在日志里，移不走：{e.strerror}",
                f"{one.name} is in the log and cannot be moved: {e.strerror}",
            )
            self._seldom(NAME, words)
        return True

    def _form(self, name: str) -> tuple[str, WeatherForm | None]:
        for key, form in self._district.weather.forms.items():
            if any(fnmatchcase(name, p) for p in form.patterns):
                return key, form
        return "", None

    def _read(self, body: bytes, name: str, form: WeatherForm | None) -> FileSays:
        if form is None:
            return refused("unknown_file", _NO_KIND, body)
        rows = [row for row in self._district.weather.rows if row.form == name]
        try:
            if form.kind == "bufr":
                return read_bufr(body, rows, self._minutes)
            return read_table(body, form, rows, self._register.measures)
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # one file must not end the door
            return FileSays([], [BadCell(unread(NAME, e), body)], refused=True)

    def _keep(self, name: str, digest: str, says: FileSays) -> bool:
        """Into the log, once; False where `stop` came first."""
        now, source = self._clock(), visible(f"{NAME} {name}")
        found, bad, missing = [], [_named(name, b) for b in says.bad], 0
        for value in says.values:
            if value.value is None:
                missing += 1
                continue
            one = self._judge.observation(name, value, now)
            if isinstance(one, Observation):
                found.append(replace(one, mark=mark_of(digest)))
            else:
                bad.append(BadCell(one, value.raw))
        news = self._memory.news(found)
        letters = [letter(now, source, b.why, b.raw) for b in _bounded(name, bad)]
        outs = batches(by_group(self._register, news), now) + letters
        if outs and not self._memory.in_log(digest, self._log):
            self._memory.note(digest, source, self._log)
            if not append(self._log, outs, self._stop, self._pulse, NAME, _UNTIL_KEPT):
                return False
            metrics.count_out(NAME, (out.topic for out in outs))
        self._memory.done(digest, news, now)
        self._tell(name, news, bad, missing, says)
        return True

    def _tell(
        self, name: str, news: list[Observation], bad: list[BadCell], missing: int, says: FileSays
    ) -> None:
        self.bad += len(bad)
        metrics.RECORDS_IN.labels(NAME, "file").inc()
        for quantity, many in Counter(o.quantity for o in news).items():
            metrics.READINGS.labels(NAME, quantity).inc(many)
        for reason, many in Counter(b.why.reason for b in bad).items():
            metrics.DEAD_LETTERS.labels(NAME, reason).inc(many)
        if missing:
            metrics.DEAD_LETTERS.labels(NAME, "missing").inc(missing)
        words = Text(
            f"{name}：新读数 {len(news)}，缺测 {missing}，坏的 {len(bad)}，别站 {says.others} 行",
            f"{name}: {len(news)} new readings, {missing} missing, {len(bad)} bad, {says.others} of other "
            "stations",
        )
        if says.periods:  # of each it may be so at some hours; of all it is a wrong sum_interval_s
            words += Text(
                f"；{says.periods} 份报的雨量不是 stations.csv 的时段",
                f"; the rain of {says.periods} reports is of other periods than stations.csv says",
            )
        say(NAME, words)


def _ended(body: bytes, form: WeatherForm | None) -> bool:
    """Is its last line, or message, whole?"""
    if form is None:
        return True
    if form.kind == "bufr":
        return body.rstrip(b"\r\n\x03 ").endswith(b"7777")
    return body.endswith((b"\n", b"\r"))


def _named(name: str, bad: BadCell) -> BadCell:
    """With its file."""
    return bad._replace(why=Rejected(bad.why.reason, f"{name} " + text_of(bad.why.detail)))


def _bounded(name: str, bad: list[BadCell]) -> list[BadCell]:
    if len(bad) <= _MOST_LETTERS:
        return bad
    more = bad[_MOST_LETTERS - 1 :]
    words: Said = Text(
        f"{name} 另有 {len(more)} 处坏的：", f"{name}: {len(more)} more that are bad: "
    ) + text_of(more[0].why.detail)
    return [*bad[: _MOST_LETTERS - 1], BadCell(Rejected(more[0].why.reason, words), more[0].raw)]


def _begun(run: Run, log: Log) -> Callable[[], int]:
    """The run stands in the log; its clock."""
    begin(log, run)
    return LineClock(now_ms, floor=last_tick(log, "observations"), name=NAME).read


def run_weather(
    district: District,
    run: Run,
    log: Log,
    folder: Path,
    memory: Path,
    stop: threading.Event,
    *,
    every_s: float,
    once: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Until `stop`; with `once` until a look finds nothing more to take. memory: a file of this folder's own.
    Returns how many dead letters there were. Raises ValueError where no kind of file is declared."""
    if not district.weather.rows:
        raise ValueError(NO_TABLE)
    if (clock := answered(NAME, stop, lambda: _begun(run, log))) is None:
        return 0
    kept = FileMemory(memory)
    try:
        with metrics.pulse(NAME) as pulse:
            drop = DropFolder(folder, time.monotonic)
            door = FileDoor(district, log, drop, kept, clock, stop, pulse)
            ready()
            forgot = -_FORGET_EVERY_S
            idle = 0
            while not stop.is_set():
                if time.monotonic() - forgot > _FORGET_EVERY_S:
                    forgot = time.monotonic()
                    door.sweep()  # while what was read is still remembered
                    kept.forget(clock())
                idle = 0 if door.look() else idle + 1
                if once and idle > 1:
                    break
                stop.wait(every_s)
    finally:
        kept.close()
    return door.bad
