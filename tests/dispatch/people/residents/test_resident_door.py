"""The public page over HTTP and in a real browser at a telephone's width: what it does, shows, and refuses."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import pytest

from config.records.district import District
from dispatch.people.contact_store import ASKED, ContactStore
from dispatch.people.residents.door import ResidentDoor
from dispatch.people.residents.sheet import link, sheets
from ingest.people.subscriber import Subscriber
from stream.http.server import Front, HttpDoor
from stream.log.open import open_log
from stream.log.port import Log, Unavailable
from tests.support.choices import resident
from tests.support.people_door import call
from tests.support.residents import NUMBER, OTHER, Clock, desk, with_store

FORM = {"area": "A01", "phone": NUMBER, "quiet": "22:00-07:00", "language": "zh", "days": ""}


class Door(NamedTuple):
    url: str
    log: Log
    district: District
    wall: Clock

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        return call(f"{self.url}/{path}", urlencode(fields).encode())

    def people(self) -> dict[str, Any]:
        assert self.district.vault is not None
        with ContactStore(self.district.vault) as store:
            return {c.id: c for c in store.load().values() if c.id.startswith("S-")}

    def code(self, number: str = NUMBER) -> str:
        assert self.district.vault is not None
        with ContactStore(self.district.vault) as store:
            (asked,) = [i for i in store.with_number(number) if i.startswith(ASKED)]
            whole = store.whole(asked)
        assert whole is not None
        return whole.name

    def records(self) -> list[Subscriber]:
        found = self.log.read("cases", 0, 0)
        return [msgspec.json.decode(e.value, type=Subscriber) for e in found]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    other = msgspec.structs.replace(resident("R-1", phone=OTHER), name="王某")
    d, wall = with_store(tmp_path / "run", other), Clock()
    app = ResidentDoor(d, False, log, desk(d, wall), wall, even_s=0.0).app()
    server = HttpDoor(app, "127.0.0.1:0", "residents")
    yield Door(server.url, log, d, wall)
    server.close()
    log.close()


def hidden(page: str) -> str:
    return page.partition('name="id" value="')[2].partition('"')[0]


def test_the_whole_way(door: Door) -> None:
    status, page = door.post("ask", **FORM)
    assert status == 200
    assert door.people() == {}
    status, said = door.post("confirm", id=hidden(page), code=door.code())
    assert (status, "已订阅" in said, "香屯村" in said) == (200, True, True)
    (one,) = door.people().values()
    assert (one.areas, one.quiet, one.lang) == (("A01",), "22:00-07:00", "zh")
    assert [r.id for r in door.records()] == [one.id]
    assert len(door.log.read("deliveries", 0, 0)) == 2  # the code, and what holds now
    _, page = door.post("ask", phone=NUMBER, leave="1")
    status, said = door.post("confirm", id=hidden(page), code=door.code())
    assert (status, "已退订" in said) == (200, True)
    assert door.people() == {}
    assert [r.areas for r in door.records()] == [("A01",), ()]


def test_a_full_width_code_is_a_code(door: Door) -> None:
    _, page = door.post("ask", **FORM)
    wide = door.code().translate({48 + n: 0xFF10 + n for n in range(10)})
    assert door.post("confirm", id=hidden(page), code=wide)[0] == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phone": "12345"}, "11 位"),
        ({"phone": ""}, "11 位"),
        ({"phone": "<script>"}, "11 位"),
        ({"area": ""}, "选择村"),
        ({"area": "*"}, "选择村"),
        ({"area": "A99"}, "选择村"),
        ({"quiet": "x"}, "选择村"),
        ({"days": "9999"}, "选择村"),
    ],
)
def test_what_is_wrong_is_said(door: Door, change: dict[str, str], words: str) -> None:
    status, page = door.post("ask", **{**FORM, **change})
    assert (status, words in page) == (400, True)
    assert door.log.read("deliveries", 0, 0) == []


def test_whether_a_number_is_known_cannot_be_seen(door: Door) -> None:
    """Neither to subscribe nor to leave, nor when a number has had its share."""
    pages = [door.post("ask", **{**FORM, "phone": n})[1] for n in (NUMBER, OTHER)]
    pages += [door.post("ask", phone=n, leave="1")[1] for n in (OTHER, "13700137000")]
    pages += [door.post("ask", **FORM)[1] for _ in range(4)]
    assert len({p.replace(hidden(p), "") for p in pages}) == 1
    assert "王某" not in "".join(pages)


def test_an_address_that_asks_without_end_is_stopped(door: Door) -> None:
    answers = [door.post("ask", **{**FORM, "phone": f"138{n:08}"})[0] for n in range(62)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert len(door.log.read("deliveries", 0, 0)) <= 60


@pytest.mark.parametrize(
    "body", [b"x" * 5000, b"&" * 4000 + b"a", b"\xff\xfe=\x00", b"phone=" + b"9" * 4000]
)
def test_any_body_is_answered(door: Door, body: bytes) -> None:
    assert call(f"{door.url}/ask", body)[0] in (400, 413)
    assert call(f"{door.url}/confirm", body)[0] in (400, 413)


def test_what_cannot_be_kept_is_not_said_to_be(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    _, page = door.post("ask", **FORM)
    code = door.code()
    with monkeypatch.context() as m:
        m.setattr(door.log, "append", lambda _: (_ for _ in ()).throw(Unavailable("full")))
        assert door.post("confirm", id=hidden(page), code=code)[0] == 503
    assert door.post("confirm", id=hidden(page), code=code)[0] == 200  # the same code counts still
    assert len(door.people()) == 1
    assert len(door.records()) == 1


def test_only_this_and_nothing_of_the_duty_room(door: Door) -> None:
    for path in ("api/subscribers", "login", "r/x", "../", "health"):
        assert call(f"{door.url}/{path}")[0] == 404
    assert "Disallow" in call(f"{door.url}/robots.txt")[1]


def test_a_visitor_ends_by_the_day_they_chose(door: Door) -> None:
    _, page = door.post("ask", **{**FORM, "days": "3"})
    door.post("confirm", id=hidden(page), code=door.code())
    (one,) = door.people().values()
    assert (one.until, one.category) == ("2025-07-29", "tourist")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_in_a_browser(door: Door, browser: Any, lang: str, tmp_path: Path) -> None:
    """At the width of a telephone, by its labels alone; nothing runs over, and axe finds nothing."""
    from tests.support.console_pages import AXE

    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(90_000)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    phone, go_on, code, confirm = (
        ("手机号", "下一步", "验证码", "确认")
        if lang == "zh"
        else ("Mobile number", "Next", "6 figures", "Confirm")
    )

    def well() -> None:
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360
        script = AXE.read_text() + ";axe.run().then(r => r.violations.map(v => v.id + v.help))"
        assert page.evaluate(script) == []

    page.goto(f"{door.url}/?v=A03&lang={lang}")
    well()
    assert page.locator("#area").input_value() == "A03"  # as the code at the door has it
    page.get_by_label(phone).first.fill(NUMBER)
    page.get_by_role("button", name=go_on).click()
    page.get_by_label(code).wait_for()  # before that nobody has a code
    page.get_by_label(code).fill(door.code())
    well()
    page.get_by_role("button", name=confirm).click()
    page.get_by_role("status").wait_for()
    well()
    (one,) = door.people().values()
    assert (one.areas, one.lang) == (("A03",), lang)
    assert all(u.startswith(door.url) for u in asked)
    page.goto(f"{door.url}/?lang={lang}")
    page.locator("summary").click()
    well()
    context.close()


def test_the_sheet_of_a_village_door(door: Door, browser: Any, tmp_path: Path) -> None:
    """A page of paper a village; the code is read by a program that is not ours and opens the page."""
    import cv2

    d = door.district
    two = [d.areas["A01"], d.areas["A03"]]
    file = tmp_path / "sheets.html"
    file.write_text(sheets(d, two, f"{door.url}/", "1069123456"))
    page = browser.new_page(viewport={"width": 794, "height": 1123})
    page.goto(file.as_uri())
    for n, area in enumerate(two):
        shot = tmp_path / f"{n}.png"
        page.locator("section").nth(n).screenshot(path=shot)
        found = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(shot)))[0]
        assert found == link(door.url, area)
        assert f'value="{area.id}" selected' in call(found)[1]
        words = page.locator("section").nth(n).inner_text()
        assert f"订阅 {area.name}" in words
        assert "1069123456" in words
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 2
    page.close()


def test_a_sheet_names_one_village_alone() -> None:
    from tests.support.decide_district import yanqing

    d = yanqing()
    twin = msgspec.structs.replace(d.areas["A10"], name="香屯村")
    d = msgspec.structs.replace(d, areas={**d.areas, "A10": twin})
    page = sheets(d, [twin], "https://warn.example", "")
    assert "订阅 A10" in page
    assert "订阅 香屯村" not in page


def test_all_addresses_of_one_household_count_as_one(tmp_path: Path) -> None:
    """One IPv6 /64 has 2^64 addresses."""
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    d, wall = with_store(tmp_path / "run"), Clock()
    app = ResidentDoor(d, False, log, desk(d, wall), wall, even_s=0.0).app()
    server = HttpDoor(app, "127.0.0.1:0", "residents", front=Front(proxies=("127.0.0.1",)))
    try:
        line = http.client.HTTPConnection("127.0.0.1", server.port)
        seen = []
        for n in range(62):
            line.request("GET", "/", headers={"X-Forwarded-For": f"2001:db8:1:2::{n:x}"})
            answer = line.getresponse()
            answer.read()
            seen.append(answer.status)
        assert seen.count(200) == 60
        assert seen[-1] == 429
        line.request("GET", "/", headers={"X-Forwarded-For": "2001:db8:1:3::1"})
        assert line.getresponse().status == 200, "another household"
    finally:
        server.close()
        log.close()


def test_how_long_an_answer_takes_tells_nothing_of_a_number(tmp_path: Path) -> None:
    """Known, unknown, a wrong code, one of nothing: not before the step, whatever our disk had to do."""
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    d, wall = with_store(tmp_path / "run", resident("R-1", phone=OTHER)), Clock()
    app = ResidentDoor(d, False, log, desk(d, wall), wall, even_s=0.3).app()
    server = HttpDoor(app, "127.0.0.1:0", "residents")
    try:
        for path, fields in (
            ("ask", {"phone": OTHER, "leave": "1"}),
            ("ask", {"phone": NUMBER, "leave": "1"}),
            ("confirm", {"id": "0" * 32, "code": "123456"}),
        ):
            began = time.monotonic()
            call(f"{server.url}/{path}", urlencode(fields).encode())
            assert time.monotonic() - began >= 0.3
    finally:
        server.close()
        log.close()
