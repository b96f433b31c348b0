"""Every page of the duty room, and what it prints, in Chinese and in English: no text that a person sees
is of the other language. What a person wrote, and a message as it was sent, stands as it is."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config.language import Language
from config.records.level import Action, Level
from console.serve import Listen, serving
from dispatch.records import Outcome, RouteHealth
from fengsui.play.console import sources
from fengsui.review.page import after_action
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.status.checked_district import judged
from fengsui.status.pages import asked
from ingest.cap.intake import CapDoor
from ingest.observation import Flag, Observation, Observations, Service
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.log.port import Log, Out
from stream.mqtt.client import Message
from stream.records import Run, Tick, encode
from stream.wall_clock import now_ms
from tests.support.after_action import story
from tests.support.cap_world import WEATHER, hearing, message, signed
from tests.support.console_delivery import came, sent, tell, wait_for_alert
from tests.support.console_pages import (
    COUNTED,
    PASSWORD,
    ROOT,
    Desk,
    Seat,
    cases,
    comes_true,
    red,
    sync_api,
    taken,
)
from tests.support.decide_district import GROUP, MIN, T0, mark, run, seen, silence, yanqing
from tests.support.one_language import foreign, written
from tests.support.poison import of_ingest
from tests.support.roll import said

pytestmark = pytest.mark.usefixtures("here")

# names that the district has in Chinese alone
OWN = {a.shelter for a in yanqing().areas.values() if a.shelter}
# what persons wrote, each in the language of their own: a note, and who answers for the thresholds
WROTE = "桥已断"
OWN |= {c.name for c in yanqing().contacts.values()} | {
    WROTE,
    "会商<1>",
    "字",
    "info severity",
    "暴雨预警",
}


@cache
def own() -> set[str]:
    """All that stands in one language alone, and what was said of the thresholds."""
    signed = judged(yanqing().folder)[2]
    return OWN | ({signed.reason} if signed else set())


NIGHT = "exercise-20250701T020000Z"

# each visible text, and what a hand or an ear gets: labels, titles, hints. What has a language of its own
# (a message as sent, the button of the other language) is no text of the page.
SEEN = """() => {
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  const own = "[lang]:not(html), script, style, [translate=no], pre, code, kbd";
  const labels = ["aria-label", "placeholder", "title", "alt", "data-head"];
  const found = [document.title], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement, shown = e.closest("option, datalist") || e.checkVisibility();
    if (n.data.trim() && shown && !e.closest(own)) found.push(n.data.trim());
  }
  for (const e of document.querySelectorAll(labels.map((a) => `[${a}]`).join())) {
    if (e.closest(own) || !e.checkVisibility()) continue;
    found.push(...labels.map((a) => e.getAttribute(a)).filter(Boolean));
  }
  return found;
}"""


def held(state: Path) -> None:
    """A drill that was played and assessed."""
    made = make_setup(yanqing(), NIGHT, state)
    made.folder.mkdir(parents=True)
    begin = Run(
        name=NIGHT, kind="exercise", district="yanqing", config="c", start_at=T0, scenario="dry-day"
    )
    log = open_run_log(made)
    log.append([Out("observations", "run", encode(begin), 0)])
    rest = [r for r in story() if not isinstance(r, Run)]
    topics = {"Detection": "cases", "Alert": "alerts", "Decision": "alerts"}
    log.append(
        [Out(topics.get(type(r).__name__, "deliveries"), "x", encode(r)) for r in (begin, *rest)]
    )
    log.close()
    assert after_action(made, "", state / f"{NIGHT}-report", None) == 0


def refused(folder: Path) -> list[Out]:
    """What every door of ingest refuses, and an authority's message that is not as CAP has it."""
    district = hearing()
    doors = Intake(district, run(), FrameStore(folder / "f"), CapDoor(district, True, folder))
    doors.clock_at = T0
    spoilt = [(one.topic, one.payload) for one in of_ingest(T0, "G1", WEATHER)]
    loose = signed(message(sent_at=T0 - MIN, severity="severe"))
    spoilt.append((f"source/{WEATHER}/cap", loose))
    sent = [Message(f"fengsui/live/yanqing/{topic}", body, 1, 1) for topic, body in spoilt]
    found = [o for o in doors.records(sent) if o.topic == "dead-letters" or b"cap_in" in o.value]
    # what a library says of a body that is no JSON or XML at all is said in its own language
    found = [
        o for o in found if not any(word.encode() in o.value for word in ("不是 JSON", "不是 XML"))
    ]
    assert len(found) > 50
    return found


@pytest.fixture
def night(setup: Setup, desk: Desk, log: Log, tmp_path: Path) -> Iterator[Desk]:
    """A night in which everything that a page can tell has come."""
    held(tmp_path)
    where = {"area": "A06", "hazard": "flash_flood"}
    past = Outcome(
        **where,
        happened=True,
        start_at=T0 - 600 * MIN,
        end_at=T0 - 500 * MIN,
        told_at=T0,
        by="D-01",
    )
    cases(log, past, silence(39, True), red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"))
    cases(log, seen(40, Level.BLUE, area="A06", suspect=True))
    cases(log, Tick(clock_at=T0 + 41 * MIN), *[mark(41, group=g) for g in yanqing().groups])
    alert = wait_for_alert(log)
    who = [c.id for c in yanqing().contacts.values() if "A01" in c.areas][:2]
    tell(log, sent(alert, 1, who[0], "sms"), came(1, "failed", permanent=True))
    tell(log, sent(alert, 2, "N001", "broadcast"), came(2, "played"))
    cases(log, said(42, "moved", people=12), said(43, "help", person="C-0009", area="A06"))
    cases(log, said(43, "report_flood"), said(44, "unclear"))
    down = RouteHealth(
        channel="sms", carrier="mobile", up=False, checked_at=T0 + 42 * MIN, by="probe"
    )
    tell(log, down)
    serviced = Service(
        id="s-1",
        thing="R05",
        until_at=T0 + 300 * MIN,
        said_at=T0 + 41 * MIN,
        by="D-01",
        reason=WROTE,
        way="console",
    )
    odd = Observation(station="R03", quantity="rain", observed_at=T0 + 40 * MIN, value=9,
                      flag=Flag.SUSPECT, test="spike")  # fmt: skip
    log.append(refused(tmp_path / "doors"))
    log.append(
        [
            Out("observations", "x", encode(Observations.of(GROUP, T0 + 41 * MIN, [odd]))),
            Out("observations", "x", encode(serviced)),
            Out("observations", "x", encode(Tick(clock_at=T0 + 75 * MIN))),
        ]
    )
    cases(log, Tick(clock_at=T0 + 75 * MIN), mark(75, group=GROUP))
    taken(log)
    desk.users.add("sun", "administrator", "K-01", PASSWORD)
    desk.users.note(T0, "zhao", "note", WROTE)
    desk.users.note(T0, "zhao", "refused release", "viewer")
    desk.users.note(T0, "wang", "guessed at", "12 3")
    desk.users.note(T0, "", "refused at the door, more", "40")
    desk.stop()
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        desk.users,
        Listen(port=desk.port),
        now=now_ms,
        sources=sources(setup),
        asked=asked(setup, ROOT / "config" / "yanqing"),
    ):
        yield desk


class Reader:
    """Somebody who reads every page in one language."""

    def __init__(self, seat: Seat, language: Language) -> None:
        self.seat, self.page, self.language = seat, seat.page, language
        self.page.add_init_script(f"localStorage.setItem('lang', '{language}');{COUNTED}")
        self.wrong: set[str] = set()
        self.count = 0

    def read(self, where: str) -> None:
        comes_true(self.page, "window.waits === 0")
        texts = self.page.evaluate(SEEN)
        self.count += len(texts)
        self.wrong |= {f"{where}: {t}" for t in foreign(texts, self.language, own())}

    def enter(self, name: str) -> None:
        """The door: what it asks for, and what it says to a wrong password."""
        page = self.page
        page.goto(self.seat.desk.address)
        page.locator("#login-name").wait_for()
        self.read("login")
        page.locator("#login-name").fill(name)
        page.locator("#login-password").fill("wrong")
        page.locator("#login-form button").click()
        sync_api.expect(page.locator("#login-why")).not_to_be_empty()
        self.read("refused")
        page.locator("#login-password").fill(PASSWORD)
        page.locator("#login-form button").click()
        page.locator("body[data-ready='1']").wait_for()

    def to(self, name: str) -> None:
        self.page.evaluate(f"location.hash = '#/{name}'")
        self.page.locator(f"body[data-page='{name}']").wait_for()
        self.page.locator("#main").locator("h2, h3").first.wait_for()
        self.read(name)
        self.seat.shot(f"{name}-{self.language}")

    def press(self, where: str, selector: str) -> None:
        """Some of these, one after the other, and what each shows."""
        for n in range(min(4, self.page.locator(selector).count())):
            self.page.locator(selector).nth(n).click()
            self.read(f"{where}, {selector} {n}")

    def walk(self) -> None:
        """What opens when something is pressed."""
        page = self.page
        self.to("situation")
        self.press("situation", ".areas .village")
        self.to("warnings")
        self.press("warnings", "[data-open]")
        acts = page.evaluate(
            "[...document.querySelectorAll('[data-act]')].map((b) => b.dataset.act)"
        )
        for act in acts:
            page.locator(f"[data-act={act}]").click()
            self.read(f"warnings, {act}")
            page.keyboard.press("Escape")
        self.to("stations")
        self.press("stations", "[data-tab]")
        self.to("resources")
        self.press("resources", "[data-table]")
        self.press("resources", "[data-done]")
        self.to("delivery")
        self.press("delivery", "[data-calls]")
        self.press("delivery", "[data-resend=all]")  # once: it asks whether this is meant
        self.to("shift")
        self.press("shift", "[data-words]")
        page.keyboard.press("?")
        self.read("help")
        page.keyboard.press("Escape")

    def print(self) -> None:
        """The pages to print, of the log and of a drill."""
        for name in ("shift", "drills"):
            self.to(name)
            links = self.page.locator("a[href^='/print/']")
            for n in range(min(4, links.count())):
                with self.page.expect_popup() as opened:
                    links.nth(n).click()
                opened.value.wait_for_load_state()
                paper = written(opened.value.content())
                assert len(paper) > 20 or "report-text" in opened.value.url
                self.wrong |= {
                    f"print, {name} {n}: {t}" for t in foreign(paper, self.language, own())
                }
                opened.value.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_one_language(
    browser: sync_api.Browser, night: Desk, language: Language
) -> None:
    reader = Reader(Seat(browser, night, bypass_csp=True), language)
    reader.enter("sun")
    names = reader.page.evaluate(
        "[...document.querySelectorAll('#pages a')].map((a) => a.hash.slice(2))"
    )
    assert len(names) == 12
    for name in names:
        reader.to(name)
    reader.seat.context.close()
    officer = Reader(Seat(browser, night, bypass_csp=True), language)
    officer.enter("li")
    officer.walk()
    officer.print()
    officer.seat.context.close()
    assert min(reader.count, officer.count) > 1000
    assert not (wrong := reader.wrong | officer.wrong), "\n".join(sorted(wrong))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("尚无数据 nothing has run", "zh"),
        ("nothing has run", "zh"),
        ("no data 尚无", "en"),
        ("no data，", "en"),
        ("桥已断 and more", "en"),
    ],
)
def test_what_is_of_another_language_is_seen(text: str, language: Language) -> None:
    assert foreign([text], language) == [text]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("R01 香屯村 12.5 mm ≥ 10 mm", "zh"),
        ("请系统管理员记入", "zh"),
        ("Xiangtun: closed (桥已断)", "en"),
    ],
)
def test_what_is_the_same_in_both_is_none(text: str, language: Language) -> None:
    assert foreign([text], language, [WROTE]) == []
