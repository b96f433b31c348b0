"""A dam or lake that gave way, as people on the spot say it by SMS or HTTP: when it happened counts for the
wave, and the villages below are proposed with it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from ingest.decode.fact_time import in_words
from ingest.decode.phrases import plain
from ingest.observation import PersonSays
from ingest.people.reports import FACT_OLD_MS, People
from stream.records import Rejected
from tests.support.decide_district import MIN, T0, Line, yanqing
from tests.support.people import OBSERVER, Watch, says, sms

ROOT = Path(__file__).parents[2]
ZONE = "Asia/Shanghai"  # T0 is 20:00 there


def lakes() -> District:
    """Yanqing, where areas know of lakes too."""
    d = yanqing()
    areas = {
        i: msgspec.structs.replace(a, hazards=(*a.hazards, "dam_break")) for i, a in d.areas.items()
    }
    return msgspec.structs.replace(d, areas=areas)


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("溃坝了", None),
        ("上游溃坝，19:40", -20),
        ("19点40分坝垮了", -20),
        ("下午六点半堰塞湖溃决", -90),
        ("晚上七点四十坝塌了", -20),
        ("20：30溃坝了", None),  # still to come: it counts as said
        ("19:40到19:50溃坝", None),  # two times are none
        ("the dam broke 19:40", -20),
    ],
)
def test_the_time_in_the_words_counts(text: str, minute: int | None) -> None:
    (one,) = People(lakes()).sms(OBSERVER, sms(text), T0)
    assert isinstance(one, PersonSays)
    assert (one.what, one.fact) == ("report_flood", "dam_break")
    assert one.happened_at == (0 if minute is None else T0 + minute * MIN)


@pytest.mark.parametrize("text", ["水涨了，19:40", "村里进水了", "19:40山洪"])
def test_water_that_rises_is_no_lake_that_burst(text: str) -> None:
    (one,) = People(lakes()).sms(OBSERVER, sms(text), T0)
    assert isinstance(one, PersonSays)
    assert (one.fact, one.happened_at) == ("", 0)


@pytest.mark.parametrize("text", ["没有溃坝", "是不是要溃坝了？", "听说上游溃坝了"])
def test_what_is_no_report_tells_no_fact(text: str) -> None:
    found = People(lakes()).sms(OBSERVER, sms(text), T0)
    assert not any(isinstance(one, PersonSays) and one.fact for one in found)


def test_small_hours_mean_the_evening_before() -> None:
    after = T0 + 250 * MIN  # 00:10
    assert in_words(plain("23点50分溃坝"), after, ZONE) == T0 + 230 * MIN
    assert in_words(plain("凌晨零点五分溃坝"), after, ZONE) == T0 + 245 * MIN


def report(**fields: Any) -> PersonSays | Rejected:
    body = {"what": "report_flood", "area": "A01", "id": "1", **fields}
    (one,) = People(lakes()).report(OBSERVER, msgspec.json.encode(body), T0)
    assert isinstance(one, PersonSays | Rejected)
    return one


def test_a_program_says_it_in_fields() -> None:
    one = report(fact="dam_break", happened="18:00")
    assert isinstance(one, PersonSays)
    assert (one.fact, one.happened_at) == ("dam_break", T0 - 120 * MIN)


@pytest.mark.parametrize(
    "fields",
    [
        {"fact": "chemical"},
        {"fact": "dam_break", "happened": "20:05"},
        {"fact": "dam_break", "happened": "2025-07-27T20:05:00+08:00"},
        {"fact": "dam_break", "happened": "2025-07-24T20:05:00+08:00"},
        {"fact": "dam_break", "happened": "soon"},
    ],
)
def test_a_time_or_fact_that_cannot_be_is_refused(fields: dict[str, str]) -> None:
    one = report(**fields)
    assert isinstance(one, Rejected)
    assert one.reason in ("bad_time", "bad_value")
    assert FACT_OLD_MS == 24 * 60 * MIN


def test_it_is_evidence_and_the_wave_is_counted_from_when_it_happened() -> None:
    """Told 100 minutes late: longer ago than a report of water counts, the wave is still under way."""
    district = lakes()
    told = msgspec.structs.replace(says(0), fact="dam_break", happened_at=T0 - 100 * MIN)
    found = Watch(district).reports(told)
    (lake,) = [d for d in found if d.hazard == "dam_break"]
    assert (lake.action, lake.suspect, lake.happened_at) == (Action.PREPARE, True, T0 - 100 * MIN)
    assert any(d.hazard == "flash_flood" and d.happened_at is None for d in found)


def test_villages_below_are_proposed_with_what_people_report() -> None:
    made = Line(load(ROOT / "config" / "examples" / "valley"))
    seen = Detection(
        id="o1", area="V01", hazard="dam_break", rule="observer", level=Level.YELLOW,
        action=Action.PREPARE, detected_at=T0, since_at=T0, suspect=True, happened_at=T0 - 10 * MIN,
    )  # fmt: skip
    made.feed(seen)
    newest = {a.area: a for a in made.alerts}
    assert set(newest) == {"V01", "V02", "V03", "V04", "V05"}
    below = newest["V03"]
    assert (below.proposed_action, below.public) == (Action.PREPARE, False)
    assert below.earliest_at is not None
    assert abs(below.earliest_at - T0 + 10 * MIN - 1_700_000) <= MIN
    over = msgspec.structs.replace(
        seen, id="o2", level=Level.NONE, action=Action.NONE, detected_at=T0 + 60 * MIN,
        happened_at=None, suspect=False,
    )  # fmt: skip
    made.feed(over)
    assert all(a.happened_at is None for a in made.alerts if a.area != "V01")
