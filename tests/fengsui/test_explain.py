"""Why a warning was or was not raised: the verdict is what the line did, and says what hid the rest."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from config.records.rules import RuleRow
from detectors.detection import Evidence
from detectors.stage import Detect
from dispatch.records import Decision
from fengsui.cli.root import cli
from fengsui.explain import figure
from fengsui.explain.past import heard, recall, series_of
from fengsui.explain.verdict import Facts, Verdict, explained
from fengsui.explain.words import _of_station, headline, lines
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, default_config, make_setup
from ingest.archive import points_and_facts
from ingest.observation import Observation, Observations
from stream.environment import Usage
from stream.history.open import open_history
from stream.history.port import History
from stream.log.port import Log, Out, partition_of
from stream.records import Record, Tick, encode
from stream.stages.stage import Item, Write
from tests.support.decide_district import CHIEF, easy, unproved
from tests.support.servers import Influx

T0 = 1_753_524_000_000  # 2025-07-26 18:00 in Beijing
MIN = 60_000
AREA = "A10"  # R03H, R10; flash_flood, debris_flow
CELL = (AREA, "flash_flood")


@pytest.fixture(scope="module")
def district() -> District:
    """Yanqing, where P-7 may decide on everything alone."""
    d = load(default_config())
    officers = {**d.officers, CHIEF.id: CHIEF}
    return msgspec.structs.replace(d, policy=easy(d.policy), officers=officers)


class Past:
    """A run whose records detect and decide made, in its own log and history."""

    def __init__(
        self, district: District, state: Path, name: str = "exercise-a", history: str = ""
    ) -> None:
        self.district = district
        self.setup: Setup = make_setup(
            district, name, state, start_at=T0, log=f"sqlite:///{state / name}", history=history
        )
        self.log: Log = open_run_log(self.setup)
        self.history: History = open_history(self.setup.history, name, district.id)
        self.group = district.group_of_area[AREA]
        self.part = partition_of(self.group, district.partitions)
        self._detect, self._decide = Detect(district, lambda _: None), unproved(district)
        self._states = self._detect.new(self.part), self._decide.new(0)
        self._archived: dict[tuple[str, int], int] = {}
        self.clock = T0
        self._pending: list[Out] = []  # one commit for many slots
        self._take([self.setup.run])

    def _take(self, records: Iterable[Record]) -> None:
        items = [Item(self.part, 0, "", r) for r in records]
        self._pending += [Out("observations", "", encode(i.record), self.part) for i in items]
        _, writes = self._detect.step(self._states[0], items)
        self.cases(writes)

    def cases(self, writes: Iterable[Write]) -> None:
        writes = list(writes)
        self._pending += [Out("cases", w.key, encode(w.record)) for w in writes]
        _, out = self._decide.step(self._states[1], [Item(0, 0, w.key, w.record) for w in writes])
        self._pending += [Out("alerts", w.key, encode(w.record)) for w in out]

    def commit(self) -> None:
        self.log.append(self._pending)
        self._pending = []

    def slot(self, readings: Iterable[tuple[str, int, float]] = (), minutes: int = 1) -> "Past":
        """(station, minute, mm or m) that come now; then the clock goes on."""
        found = []
        for station, minute, value in readings:
            quantity = self.district.stations[station].quantity
            count = round(value * (10 if quantity == "rain" else 1000))
            found.append(
                Observation(
                    station=station, quantity=quantity, observed_at=T0 + minute * MIN, value=count,
                    flag=1,  # type: ignore[arg-type]
                )
            )  # fmt: skip
        self.clock += minutes * MIN
        batch = [Observations.of(self.group, self.clock, found)] if found else []
        self._take([*batch, Tick(clock_at=self.clock)])
        return self

    def rain(self, first: int, last: int, *, r10: float = 0.0, r03h: float = 0.0) -> "Past":
        for minute in range(first, last + 1):
            self.slot([("R10", minute, r10), ("R03H", minute, r03h)])
        return self

    def act(self, what: str, **more: object) -> "Past":
        decision = Decision(
            area=AREA, hazard="flash_flood", act=what, by="P-7", decided_at=self.clock,  # type: ignore[arg-type]
            reason="现场无水", **more,  # type: ignore[arg-type]
        )  # fmt: skip
        self.cases([Write("cases", AREA, decision)])
        return self

    def archive(self) -> "Past":
        self.commit()
        for topic in ("observations", "cases", "alerts"):
            for part in range(self.log.topics[topic].partitions):
                position = self._archived.get((topic, part), 0)
                entries = self.log.read(topic, part, position)
                self.history.write(*points_and_facts(topic, entries))
                if entries:
                    self._archived[topic, part] = entries[-1].offset + 1
        return self

    def facts(self, minute: float, district: District | None = None, area: str = AREA) -> Facts:
        self.commit()
        d, at = district or self.district, T0 + round(minute * MIN)
        detect = Detect(d, lambda _: None)
        r = recall(self.log, self.history, 0, at + 10**9)
        part = detect.part(partition_of(d.group_of_area[area], d.partitions))
        h = heard(d, part, self.log, self.history, area, at)
        self.series = series_of(h.whole)
        self.whole, self.detect = h.whole, detect
        return explained(d, detect, area, at, r, h)

    def verdict(self, minute: float) -> Verdict:
        return next(v for v in self.facts(minute).verdicts if v.hazard == "flash_flood")

    def text(self, minute: float) -> str:
        f = self.facts(minute)
        return "\n".join(str(x) for x in lines(self.district, f, self.series))


@pytest.fixture
def past(district: District, tmp_path: Path) -> Iterator[Past]:
    p = Past(district, tmp_path)
    yield p
    p.log.close()
    p.history.close()


def command(past: Past, *words: str) -> tuple[int, str]:
    past.commit()
    state = past.setup.folder.parent
    done = CliRunner().invoke(
        cli, ["--state", str(state), "explain", *words, "--run", past.setup.run.name]
    )
    if isinstance(done.exception, Usage):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_warned_says_since_when_and_on_what(past: Past) -> None:
    past.rain(1, 20, r10=2.0)
    v = past.verdict(20)
    assert v.case == "warned"
    assert v.since_at <= T0 + 20 * MIN
    text = past.text(20)
    assert "■ 山洪: 已预警 — " in text and "■ flash flood: WARNED — " in text
    assert "evidence: R10 rain 10 min 20 mm ≥ 20 mm" in text
    # the moment before the first threshold: the same run did not warn
    first = next(a for a in past.facts(20).alerts if a.hazard == "flash_flood")
    assert past.verdict((first.sent_at - T0) / MIN - 1).case == "near"


def test_nearly_says_how_near_and_what_was_lacking(past: Past) -> None:
    past.rain(1, 8, r10=1.0)
    v = past.verdict(8)
    assert v.case == "near"
    assert v.nearest is not None
    assert (v.nearest.station, v.nearest.value, v.nearest.next) == ("R10", 8.0, ("blue", 10.0))
    assert v.nearest.share == pytest.approx(0.8)
    text = past.text(8)
    assert "差一点: R10 10 min 8 mm，蓝须 10 mm（80%），还差 2 mm" in text
    past.rain(9, 60)
    assert past.verdict(60).case == "far"


def test_what_fell_before_a_dry_spell_holds_nothing(past: Past) -> None:
    """As the rule itself forgets it: else a village is 'nearly' warned on a clear day."""
    past.rain(1, 30, r10=0.6).rain(31, 300)
    v = past.verdict(300)
    assert v.nearest is not None
    assert v.case == "far" and v.nearest.value == pytest.approx(0.0, abs=1e-6)


def test_silence_is_no_all_clear(past: Past) -> None:
    assert past.slot(minutes=10).verdict(10).case == "blind"
    assert "不等于平安" in past.text(10)
    past.slot([("R10", 10, 1.0)])
    for _ in range(6):
        past.slot(minutes=10)
    v = past.verdict(70)
    assert v.case == "blind"
    text = past.text(70)
    assert "R03H（从未）" in text and "R03H (never)" in text
    assert "before it fell silent" in text
    # one of two is heard: judged, and the other named
    past.slot([("R10", 71, 0.1)])
    text = past.text(72)
    assert "差得远" in text
    assert "1/2 heard R10" in text
    assert "silent: R03H" in text


def test_readings_that_came_late_are_told(past: Past) -> None:
    past.rain(1, 10, r03h=0.1)
    for minute in range(11, 31):
        past.slot([("R03H", minute, 0.1)])
    assert past.verdict(30).case == "far"
    # ten minutes of cloudburst arrive twenty minutes later
    past.slot([("R10", minute, 2.0) for minute in range(11, 21)]).archive()
    at_the_time = past.verdict(25)
    assert at_the_time.case == "late"
    text = past.text(25)
    assert "R10 10 min 20 mm reaches" in text
    assert "18:11 的读数 07-26 18:30 才到（10 条）" in text
    assert "afterwards: " in text
    assert past.verdict(31).case == "warned"


def test_a_persons_no_is_the_reason(past: Past, district: District) -> None:
    policy = msgspec.structs.replace(district.policy, exercise_releases=False)
    past._decide = unproved(msgspec.structs.replace(district, policy=policy))
    past.rain(1, 15, r10=2.4)
    waiting = past.verdict(15)
    assert waiting.alert is not None
    assert waiting.alert.proposed_level > waiting.alert.level
    past.act("reject").slot([("R10", 16, 0.0)])
    v = past.verdict(16)
    assert v.act is not None
    assert (v.act.act, v.act.by) == ("reject", "P-7")
    assert "P-7" in past.text(16)
    assert "现场无水" in past.text(16)
    # before the act, it was not the reason
    assert past.verdict(14).act is None


def test_cancelled_by_a_person_while_it_still_rains(past: Past) -> None:
    past.rain(1, 12, r10=2.0).act("cancel").rain(13, 14, r10=2.0)
    v = past.verdict(14)
    assert v.case == "refused"
    assert "未预警 — P-7 于 07-26 18:12 解除：现场无水" in past.text(14)


def test_lowered_by_a_person_is_told_beside_what_is_in_force(past: Past) -> None:
    past.rain(1, 15, r10=2.4, r03h=0.5)  # one that rains alone is not sure
    before = past.verdict(15)
    assert before.alert is not None
    past.act("lower", level=Level.BLUE, action=Action.PREPARE).slot([("R10", 16, 0.0)])
    v = past.verdict(16)
    assert v.case == "warned"
    assert v.alert is not None
    assert v.alert.level < before.alert.level
    assert "降级：现场无水" in past.text(16)


def test_a_hazard_nobody_watches_says_so(past: Past) -> None:
    bare = msgspec.structs.replace(
        past.district,
        rain=tuple(r for r in past.district.rain if r.area != AREA),
        rules=msgspec.structs.replace(past.district.rules, rule=()),
    )
    past.rain(1, 3, r10=3.0)
    f = past.facts(3, bare)
    v = f.verdicts[0]
    assert (v.case, v.nearest) == ("none", None)
    assert "没有任何规则或阈值" in headline(bare, v, f)


def test_a_line_that_stood_still_is_the_reason(past: Past) -> None:
    past.rain(1, 5, r10=0.1)
    past.clock += 120 * MIN
    past.slot([("R10", 126, 5.0), ("R03H", 126, 0.0)])
    assert past.verdict(100).case == "stopped"
    assert "系统没有运行，最后一次研判在 07-26 18:05" in past.text(100)
    assert past.verdict(19).case != "stopped"


def test_rules_over_windows_and_over_rules_are_told(district: District, tmp_path: Path) -> None:
    rows = (
        RuleRow(
            id="peak", kind="peak_intensity", hazard="flash_flood", source="t", orange=40.0,
            areas=(AREA,), speaks=False, parameters={"duration_min": 15},
        ),
        RuleRow(
            id="both", kind="compound", hazard="flash_flood", source="t", areas=(AREA,), red=2.0,
            parameters={"of": [{"rule": "peak", "level": "orange"}, {"rule": "rain_threshold"}]},
        ),
    )  # fmt: skip
    ruled = msgspec.structs.replace(
        district, rules=msgspec.structs.replace(district.rules, rule=rows)
    )
    past = Past(ruled, tmp_path).rain(1, 20, r10=0.5)
    found = {(n.rule, n.station): n for n in past.facts(20).found if n.hazard == "flash_flood"}
    peak = found["peak", "R10"]
    assert (peak.value, peak.speaks, peak.limits) == (30.0, False, {"orange": 40.0})
    assert found["both", ""].share == 0
    past.rain(21, 40, r10=1.5)
    found = {(n.rule, n.station): n for n in past.facts(40).found if n.hazard == "flash_flood"}
    assert found["peak", "R10"].reached == ("orange",)
    assert found["both", ""].reached == ("red",)
    assert "peak@R10" in found["both", ""].note
    assert past.verdict(40).case == "warned"


def test_near_agrees_with_what_the_rules_said(past: Past) -> None:
    """Whatever the rain: the highest step that nearness calls reached is the level detect gave."""
    for first, amount in ((1, 0.4), (21, 1.1), (41, 2.6), (51, 0.9)):
        past.rain(first, first + 19 if first < 41 else first + 9, r10=amount)
    checked = set()
    for minute in range(5, 60):
        f = past.facts(minute)
        levels = {d.hazard: d.level for d in f.rules if d.rule == "rain_threshold"}
        for n in f.found:
            order = [Level[s.upper()] for s in n.reached if s.upper() in Level.__members__]
            if n.station == "R10":
                assert levels.get(n.hazard, 0) >= max(order, default=0), (minute, n)
                checked.add(max(order, default=0))
    assert len(checked) >= 3


# --- from the command line


def test_after_a_restart_the_answer_is_the_same(past: Past) -> None:
    past.rain(1, 12, r10=1.6).archive()
    words = (AREA, "2025-07-26T18:12:00+08:00")
    code, text = command(past, *words)
    assert code == 0, text
    assert "已预警 — " in text
    past.history.close()
    past.log.close()
    past.history = open_history(past.setup.history, past.setup.run.name, past.district.id)
    past.log = open_run_log(past.setup)
    assert command(past, *words)[1] == text


def test_history_alone_still_tells(past: Past) -> None:
    """What the log's retention took away stands in history."""
    past.rain(1, 12, r10=1.6).archive()
    everything = past.text(12)
    for name in ("log.db", "log.db-wal", "log.db-shm"):
        for path in past.setup.folder.glob(f"*{name}"):
            path.unlink()
    past.log.close()
    past.log = open_run_log(past.setup)
    assert "已预警 — " in everything
    assert past.text(12) == everything


def test_the_log_alone_still_tells(past: Past) -> None:
    """archive is down: nothing has reached history."""
    past.rain(1, 12, r10=1.6)
    before = past.text(12)
    assert "已预警 — " in before
    assert past.archive().text(12) == before


def test_on_influxdb_the_answer_is_the_same(
    district: District, influx_server: Influx, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(influx_server.token)
    url = f"{influx_server.url}?token_file={token}"
    texts = []
    for name, history in (("exercise-x", url), ("exercise-y", "")):
        past = Past(district, tmp_path, name, history).rain(1, 12, r10=1.6).archive()
        for path in past.setup.folder.glob("*log.db*"):  # nothing is left but history
            path.unlink()
        past.log.close()
        past.log = open_run_log(past.setup)
        texts.append(past.text(12))
        past.history.close()
        past.log.close()
    assert texts[0] == texts[1]
    assert "已预警 — " in texts[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("A99", "2025-07-26T18:05:00+08:00"), "there is no area 'A99'"),
        (("菜食河村", "2025-07-26T18:05:00+08:00"), "did you mean A10?"),
        ((AREA, "2025-07-26T18:05:00"), "no time zone; write 2025-07-26T18:05:00+08:00"),
        ((AREA, "yesterday"), "is not a time"),
        ((AREA, "2025-07-26T17:00:00+08:00"), "is before the run exercise-a began"),
        ((AREA, "2025-07-26T23:00:00+08:00"), "the run ended: 2025-07-26 18:05"),
        ((AREA, "2025-07-26T18:05:00+08:00", "--figure", "x.svg"), "the figure must be a .png"),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(
    past: Past, words: tuple[str, ...], told: str
) -> None:
    past.rain(1, 5, r10=0.1)
    code, text = command(past, *words)
    assert code == 2
    assert told in text


def test_a_run_that_never_was_is_named(district: District, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["--state", str(tmp_path), "explain", AREA, "2025-07-26T18:05:00Z"]
    )
    assert isinstance(done.exception, Usage)
    assert "nothing has run here yet" in str(done.exception)


# --- the picture


def test_the_picture_is_drawn_for_every_case(past: Past, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    past.slot(minutes=10)
    past.rain(11, 30, r10=1.0)
    past.slot([("R03H", 5, 3.0)])
    for n, minute in enumerate((5, 15, 30)):
        f = past.facts(minute)
        path = tmp_path / f"{n}.png"
        plt = figure.prepare(path)
        figure.draw(
            plt, path, past.district, past.detect, f, past.whole, past.series
        )  # fmt: skip
        assert path.read_bytes()[:4] == b"\x89PNG"


def test_without_a_chinese_font_the_words_are_english(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.rain(1, 8, r10=1.0)
    f = past.facts(8)
    english = figure._title(past.district, f, cjk=False)
    assert english.isascii()
    assert "not warned: nearly: R10 8 mm in 10 min, blue needs 10" in english
    assert "未预警" in figure._title(past.district, f, cjk=True)


def test_without_matplotlib_it_says_what_to_install(
    past: Past, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import skill.series.figure

    def missing(name: str) -> Callable[[], None]:
        raise ImportError(name)

    past.rain(1, 3)
    monkeypatch.setattr(skill.series.figure, "import_module", missing)
    code, text = command(
        past, AREA, "2025-07-26T18:02:00+08:00", "--figure", str(tmp_path / "x.png")
    )
    assert code == 2
    assert "fengsui[figures]" in text


def test_what_a_camera_saw_is_a_part_of_the_view_and_no_bytes() -> None:
    seen = Evidence(station="V01", quantity="frame", value=0.799, threshold=0.25)
    what, value = _of_station(seen, "Asia/Shanghai")
    assert (what.zh, what.en, value) == ("画面在动", "of the view moving", " 79.9 % ≥ 25 %")
