"""An incident's reports on paper, counted by a real browser: one page each, two of the last one, whatever
the storm; and no id on them that only a machine knows."""

import re
from pathlib import Path

import msgspec
import pytest
from playwright import sync_api

from config.records.level import Action, Level
from detectors.detection import Mark
from fengsui.review.incident.reports import printed
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from stream.history.open import open_history
from stream.history.port import Point
from stream.log.port import Out
from stream.records import Record, encode
from tests.support.decide_district import MIN, T0, Line, act, seen, small
from tests.support.districts import yanqing
from tests.support.roll import said

HAZARDS = ("flash_flood", "debris_flow")


def slot(line: Line, minute: float) -> list[Record]:
    at = T0 + int(minute * MIN)
    return [Mark(group=g, clock_at=at, complete_at=at) for g in line.district.groups]


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """A storm over every village, in both hazards, to its end; losses verified on the way."""
    district = msgspec.structs.replace(yanqing(), policy=small().policy)
    folder = tmp_path_factory.mktemp("reports")
    setup = make_setup(district, "exercise-pages", folder, start_at=T0)
    line = Line(district, "exercise")
    areas = list(district.areas)
    line.feed(*slot(line, 0.5), *(seen(1, Level.YELLOW, Action.MOVE, area=a) for a in areas[:9]))
    line.feed(*slot(line, 2))
    for h in HAZARDS:
        line.feed(*(seen(3, Level.RED, Action.MOVE, area=a, hazard=h) for a in areas))
    line.feed(*(said(4, "moved", people=120, area=a) for a in areas), said(4, "help"))
    line.feed(*slot(line, 5))
    long = "倒塌房屋 12 间，转移途中伤 2 人，无死亡；" * 12
    line.feed(act("verify", area="", hazard="", by="D-01", reason=long), *slot(line, 6))
    for h in HAZARDS:
        line.feed(*(seen(70, area=a, hazard=h) for a in areas))
    for minute in range(75, 700, 5):
        line.feed(*slot(line, minute))
    setup.folder.mkdir(parents=True, exist_ok=True)
    log = open_run_log(setup)
    log.append([Out("alerts", w.key, encode(w.record)) for w in line.writes if w.topic == "alerts"])
    log.close()
    rain = [
        Point(
            s.id, s.quantity, T0 + m * MIN, 0, m % 40 if s.quantity == "rain" else 1000 + 10 * m, 0
        )
        for s in district.stations.values()
        if s.quantity in ("rain", "stage")
        for m in range(0, 400, 5)
    ]
    history = open_history(setup.history, setup.run.name, district.id)
    history.write(rain, [])
    history.close()
    return setup


def kinds(setup: Setup) -> dict[int, str]:
    """Number -> kind."""
    from fengsui.review.incident.facts import reports_of
    from fengsui.review.incident.reports import _read

    (made,) = reports_of(_read(setup)).values()
    return {r.number: r.kind for r in made}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_report_fits_its_pages(
    setup: Setup,
    browser: sync_api.Browser,
    language: str,
) -> None:
    page = browser.new_page()
    found = kinds(setup)
    assert {"初报", "续报", "核报", "终报"} == set(found.values())
    first = {kind: n for n, kind in reversed(found.items())}
    for kind, number in first.items():
        html = printed(setup, f":{number}", language)  # type: ignore[arg-type]
        page.set_content(html)
        pdf = page.pdf(prefer_css_page_size=True)
        pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
        assert pages == (2 if kind == "终报" else 1), (kind, language, pages)
        words = page.inner_text("body")
        assert not re.search(r"yanqing-|flash_flood|\bA\d\d\b|\bR\d\d\b", words), words
        assert page.locator("svg text").count() > 3, "the course is drawn"
    page.close()


def test_the_annex_comes_on_request(setup: Setup, browser: sync_api.Browser) -> None:
    last = max(kinds(setup))
    alone, whole = (printed(setup, f":{last}{more}", "zh") for more in ("", ":annex"))
    assert "附件" not in alone.replace("见附件", "")
    page = browser.new_page()
    page.set_content(whole)
    assert page.locator(".annex table").count() >= 4
    assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True))) > 2
    page.close()


def test_a_page_asks_nobody_for_anything(setup: Setup) -> None:
    html = printed(setup, ":1", "zh")
    assert not re.search(r"(?:src|href)=|@import|url\(", html)


def test_a_gap_is_marked_until_somebody_filled_it(setup: Setup) -> None:
    first = {kind: n for n, kind in reversed(kinds(setup).items())}
    assert 'class="gap"><b>待填' in printed(setup, f":{first['初报']}", "zh")
    assert 'class="gap"><b>' not in printed(setup, f":{first['终报']}", "zh")
    assert "倒塌房屋 12 间" in printed(setup, f":{first['终报']}", "zh")


def test_the_pages_of_an_older_build_are_still_printed(setup: Setup, tmp_path: Path) -> None:
    """Reports without parts, and no history at all."""
    from console.model.follow import Follower
    from dispatch.records import Report

    old = make_setup(setup.district, "exercise-old", tmp_path, start_at=T0)
    old.folder.mkdir(parents=True)
    source, log = open_run_log(setup), open_run_log(old)
    for _, r in Follower(source, ("alerts",)).take():
        r = msgspec.structs.replace(r, parts=(), next_at=None) if isinstance(r, Report) else r
        log.append([Out("alerts", "x", encode(r))])
    source.close()
    log.close()
    html = printed(old, ":1", "zh")
    assert "立即转移9个预警区" in html
    assert "没有雨量和水位的测值" in html
