"""What was proved, as people see it: a responsible person's page in a browser that tells the place, and the
roll of the duty room in one glance, proven, only said, silent."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.records.authority import Proving
from console.model.follow import Follower
from dispatch.people.contact_store import ContactStore
from dispatch.proving.codes import blank
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Alert, Receipt
from fengsui.run.run_log import frames_folder
from fengsui.run.setup import Setup, make_setup
from ingest.observation import PersonSays, PhotoFacts
from ingest.people.links import Links
from ingest.people.photos.sealed_photos import SealedPhotos
from ingest.people.web import people_ways
from simulators.views.photograph import photograph
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import Tick, encode
from tests.support.console_pages import SHOTS, Desk, Seat, acts, cases, comes_true, red, sync_api
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.people_door import LONG_AFTER, kept
from tests.support.roll import PEOPLE, alert, asked, said

pytestmark = pytest.mark.usefixtures("here")
PROVING = Proving(code=True, check_back_min=30, transfer=True)
HEAD, OBSERVER = "C-0001", "C-0004"
LON, LAT = 116.1969, 40.4718


def district():  # type: ignore[no-untyped-def]
    policy = msgspec.structs.replace(yanqing().policy, exercise_releases=False, proving=PROVING)
    return msgspec.structs.replace(yanqing(), policy=policy)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return make_setup(district(), "exercise-proof", tmp_path, start_at=T0)


def judged(person: str, strength: str, verdict: str, wrong: int = 0) -> JudgedAnswer:
    return JudgedAnswer(
        id=f"j-{person}-{strength}", person=person, area="A01", alert="al-1", delivery="d", way="sms",
        what="received", strength=strength, verdict=verdict, answered_at=T0 + 8 * MIN, wrong=wrong,
    )  # type: ignore[arg-type]  # fmt: skip


def code(person: str, name: str):  # type: ignore[no-untyped-def]
    return msgspec.structs.replace(asked(person, name), code=blank(4))


SHELTER = next(
    s for s in yanqing().plans.shelters.values() if yanqing().areas["A01"].within(s.areas)
)
SEEN = PhotoFacts(
    taken_at=T0 + 9 * MIN,
    lon=SHELTER.lon,
    lat=SHELTER.lat,
    place_by="exif",
    look="f0f0f0f0f0f0f0f0",
)
TOLD = [
    code(HEAD, "d-1"), code("C-0002", "d-2"), code("C-0003", "d-3"), code(OBSERVER, "d-4"),
    judged(HEAD, "code", "right", 1), judged("C-0002", "read", "wrong", 1),
    Receipt(delivery="d-3", route=0, state="delivered", receipt_at=T0 + 3 * MIN),
    said(10, "moved", people=20, how="shelter", photo="aa", shown=SEEN),
    said(10, "moved", people=5, how="relatives"), said(10, "moved", people=3, how="upstairs"),
    said(5, "out", person=OBSERVER, role="observer"),
]  # fmt: skip


@pytest.fixture
def told(log: Log) -> None:
    beside = msgspec.structs.replace(
        alert(), id="al-2", area="A02"
    )  # of which nobody says anything
    log.append([Out("alerts", "x", encode(a)) for a in (alert(), beside)])
    log.append([Out("deliveries", "x", encode(r)) for r in TOLD])
    log.append([Out("cases", "x", encode(Tick(clock_at=T0 + 41 * MIN)))])


def test_the_roll_says_in_one_glance_what_is_proven_said_and_silent(seat: Seat, told: None) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/delivery")
    flows = "debris_flow" in yanqing().areas["A01"].hazards
    expect(page.locator("[data-proof]")).to_have_attribute("data-proof", "1 1 2")
    unheard = yanqing().areas["A02"].population
    moved = f"20 {5 if flows else 8} {PEOPLE - (25 if flows else 28) + unheard}"
    expect(page.locator("[data-moves]")).to_have_attribute("data-moves", moved)
    row = page.locator("[data-roll=A01]")
    expect(row).to_contain_text("有据 20")
    expect(row.locator(f"[data-out={OBSERVER}]")).to_contain_text("在外过时")
    row.locator("summary").click()
    expect(row).to_contain_text("C-0002 说收到，无码 · 码不对（错 1 次）")
    expect(row).to_contain_text("投亲靠友 5 C-0001 · 没有照片")
    if flows:
        expect(row).to_contain_text("这里上楼不安全")
    seat.shot("roll-proof")
    page.goto(seat.desk.address + "/#/")
    done = page.locator("[data-done]")
    proven, said_, gone = moved.split()
    moves = f"✓ 有据 {proven} 人，？ 只说 {said_}，✗ 未到 {gone}"
    expect(done).to_have_text(f"{moves} · 叫应：✓ 有据 1 人，？ 只说 1，✗ 无声 2")
    seat.shot("board-proof")
    done.click()
    expect(page.locator("[data-moves]")).to_be_visible()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[str, Log]]:
    """The people's door, and the address of one person's page."""
    log = open_log(f"sqlite:///{tmp_path}/door", "exercise-proof", "yanqing", 4, {})
    links, frames = Links(tmp_path), FrameStore(tmp_path / "frames")
    token = links.make(HEAD, LONG_AFTER, 1)
    with people_ways(district(), False, log, frames, tmp_path, lambda: T0, lambda: T0 / 1000):
        yield f"{(tmp_path / 'people.url').read_text().strip()}/r/{token}", log
    log.close()


def test_a_persons_page_takes_code_way_and_the_pictures_place(
    browser: "sync_api.Browser", door: tuple[str, Log], tmp_path: Path
) -> None:
    from PIL import Image, ImageDraw

    file = tmp_path / "photo.jpg"
    image = Image.new("RGB", (320, 240), (200, 200, 200))
    ImageDraw.Draw(image).rectangle((40, 40, 200, 160), fill=(20, 60, 90))
    image.save(file)
    url, log = door
    context = browser.new_context(
        viewport={"width": 390, "height": 1400}, permissions=["geolocation"],
        geolocation={"longitude": LON, "latitude": LAT},
    )  # fmt: skip
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.goto(url)
    assert (
        page.evaluate("document.documentElement.scrollWidth") <= 390
    )  # nothing sticks out of a phone
    page.get_by_label("已转移").check()
    page.locator("[name=how]").select_option("shelter")
    page.locator("[name=people]").fill("20")
    page.locator("[name=code]").fill("4821")
    page.locator("[name=photo]").set_input_files(str(file))
    comes_true(page, "document.querySelector('[name=lon]').value !== ''")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "people-proof.png", full_page=True)
    page.get_by_role("button", name="发送").click()
    sync_api.expect(page.locator(".m")).to_contain_text("正在核对确认码")
    found = [r for r in kept(log) if isinstance(r, PersonSays)]
    first, last = found[0], found[-1]
    assert (first.what, first.how, first.people, first.code) == ("moved", "shelter", 20, "4821")
    assert first.id == last.id
    assert last.photo
    assert last.shown is not None
    assert (last.shown.lon, last.shown.lat, last.shown.place_by) == (LON, LAT, "browser")
    page.goto(url)
    page.get_by_label("已转移").check()
    page.locator("[name=how]").select_option("upstairs")
    page.get_by_role("button", name="发送").click()
    unsafe = "debris_flow" in yanqing().areas["A01"].hazards
    sync_api.expect(page.locator(".m")).to_contain_text("这里上楼不安全" if unsafe else "已收到")
    for code, told in (("", "要填上再报一次才算应答"), ("4821", "对了才算应答")):
        page.goto(url)
        page.get_by_label("收到通知").check()
        page.locator("[name=code]").fill(code)
        page.get_by_role("button", name="发送").click()
        sync_api.expect(page.locator(".m")).to_contain_text(told)
    context.close()
    assert faults == []


def test_a_press_draws_at_random_and_the_answer_is_the_ledgers(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("li", "/#/delivery")
    expect(page.locator("[data-roll=A01]")).to_be_visible()
    records = [r for _, r in Follower(log, ("alerts",)).take()]
    alert_ = next(r for r in records if isinstance(r, Alert))
    first = msgspec.structs.replace(code(HEAD, "d-1"), alert=alert_.id)
    log.append([Out("deliveries", "x", encode(first))])
    row = page.locator("[data-roll=A01]")
    expect(row.locator(f"[data-heard={HEAD}]")).to_have_count(1)
    row.locator("summary").click()
    row.get_by_role("button", name="随机抽查").click()
    expect(row).to_contain_text("已抽查")
    seat.shot("roll-recheck")
    (act,) = acts(log)
    assert (act.act, act.by, act.outcome) == ("recheck", "D-01", "done")


def test_a_photograph_is_for_who_decides_and_each_look_is_on_record(
    seat: Seat, desk: Desk, log: Log
) -> None:
    expect, folder = sync_api.expect, desk.setup.folder
    with ContactStore(folder) as store:
        store.put([yanqing().contacts[HEAD]])
    picture = photograph("people", T0 + 9 * MIN, "Asia/Shanghai", (SHELTER.lon, SHELTER.lat))
    digest = SealedPhotos(FrameStore(frames_folder(desk.setup)), folder).put(HEAD, picture)
    move = said(10, "moved", people=20, how="shelter", photo=digest, shown=SEEN)
    log.append([Out("alerts", "x", encode(alert())), Out("deliveries", "x", encode(move))])
    log.append([Out("cases", "x", encode(Tick(clock_at=T0 + 41 * MIN)))])
    ask = f"fetch('/api/frame/{digest}').then(async (r) => [r.status, (await r.blob()).size])"
    page = seat.enter("screen", "/#/delivery")
    row = page.locator("[data-roll=A01]")
    row.locator("summary").click()
    expect(row).to_contain_text("安置点 20 C-0001")
    expect(row.locator("[data-photo]")).to_have_count(0)
    assert page.evaluate(ask)[0] == 403
    seat.faults.clear()  # the browser tells of the refusal
    seat.context.clear_cookies()
    page = seat.enter("li", "/?again=1#/delivery")
    row.locator("summary").click()
    link = row.locator("[data-photo]")
    expect(link).to_have_attribute("href", f"/api/frame/{digest}")
    row.scroll_into_view_if_needed()
    seat.shot("roll-photograph")
    status, size = page.evaluate(ask)
    assert (status, size > 0) == (200, True)
    noted = [row for row in desk.users.noted() if digest in str(row)]
    assert {r[1] for r in noted} == {"screen", "li"}, "the refusal and the look"
