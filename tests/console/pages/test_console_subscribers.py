"""The page Subscribers: counts for everybody, one person for an administrator, erasing on request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from config.records.district import PERSONAL, Contact
from config.records.level import Action, Level
from console.api.routes import SAYS
from console.pages.subscribers import counted
from console.routes.people import tells
from console.routes.sources import People
from console.serve import Listen, serving
from dispatch.address.coverage import coverage, uncovered
from dispatch.address.reach_estimate import reach
from dispatch.grade import Grade
from dispatch.people.contact_store import ContactStore
from fengsui.cli.root import cli
from fengsui.play.console import sources
from fengsui.run.run_log import open_run_log
from fengsui.status.pages import asked
from ingest.people.links import Links
from ingest.people.subscriber import Subscriber
from stream.disk.locks import Lock
from stream.disk.locks import add as add_lock
from stream.log.port import Log
from stream.wall_clock import now_ms
from tests.support.choices import resident
from tests.support.console_delivery import wait_for_alert
from tests.support.console_door import Caller
from tests.support.console_pages import (
    PASSWORD,
    ROOT,
    Desk,
    Seat,
    cases,
    comes_true,
    seated,
    sync_api,
)
from tests.support.console_system import no_serious_fault
from tests.support.decide_district import T0, seen, small, yanqing

pytestmark = pytest.mark.usefixtures("here")

ONE = "C-0002"
FULL = msgspec.structs.replace(
    resident(ONE), name="赵孙李", phone="199-0000-7777", app="app-token-77",
    email="zsl@mail.example", people=301, quiet="22:00-06:30", category="school",
)  # fmt: skip


@pytest.fixture
def kept(desk: Desk) -> Desk:
    """The desk with a store of contacts, one of them with every column, none of them a resident of
    A02, and an administrator."""
    people = [
        c for c in yanqing().contacts.values() if c.areas != ("A02",) or c.role != "residents"
    ]
    with ContactStore(desk.setup.folder) as store:
        store.put([*people, FULL])
    Links(desk.setup.folder).make(ONE, T0, 30)
    desk.users.add("chen", "administrator", "", PASSWORD)
    return desk


@pytest.fixture
def room(kept: Desk) -> Iterator[Desk]:
    """With all that `fengsui console` gives its pages."""
    kept.stop()
    with serving(
        kept.setup.district,
        kept.setup.run,
        lambda: open_run_log(kept.setup),
        kept.users,
        Listen(port=kept.port),
        now=now_ms,
        sources=sources(kept.setup),
        asked=asked(kept.setup, ROOT / "config" / "yanqing"),
    ):
        yield kept


@pytest.fixture
def seat(browser: sync_api.Browser, room: Desk) -> Iterator[Seat]:
    yield from seated(Seat(browser, room, bypass_csp=True))


def entered(desk: Desk, name: str) -> Caller:
    caller = Caller(desk.address)
    caller.enter(name)
    return caller


def post(caller: Caller, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    status, _, data = caller.ask("POST", path, body, x_csrf=caller.csrf)
    return status, json.loads(data)


def noted(desk: Desk) -> list[tuple[str, str, str]]:
    return [row[1:] for row in desk.users.noted()]


def everything(people: list[Contact]) -> list[bytes]:
    """Every name and number of these."""
    return [v.encode() for c in people for column in PERSONAL if (v := getattr(c, column))]


def test_counts_are_those_of_the_list_and_of_the_commands() -> None:
    people = (
        resident("R-1", people=30, quiet="22:00-06:30", lang="en", hazards=("flash_flood",)),
        resident("R-2", people=20, channels=("app", "sms"), category="school"),
        resident("R-3", role="responsible"),
        resident("R-4", role="observer", areas=("*",)),
    )
    d = msgspec.structs.replace(small(), contacts={c.id: c for c in people})
    found = counted(d)
    assert (found["recipients"], found["people"], found["in_units"]) == (4, 30, 20)
    assert found["uncovered"] == uncovered(coverage(d))
    assert [tuple(g.values()) for g in found["gaps"]] == [tuple(g) for g in coverage(d)]
    assert {k: x["recipients"] for k, x in found["kinds"].items()} == {
        "resident": 1, "school": 1, "responsible": 1, "observer": 1,
    }  # fmt: skip
    assert found["kinds"]["school"]["first"] == {"app": 1}
    assert found["kinds"]["school"]["ways"] == {"app": 1, "sms": 1}
    for a in d.areas:
        r, row = reach(d, a, "flash_flood", Grade(Level.RED), T0), found["areas"][a]
        assert (row["people"], row["on_list"], row["none"]) == (r.people, r.on_list, r.none)
        assert row["recipients"] == sum(a in c.areas or "*" in c.areas for c in people)
    chosen = found["choices"]
    assert (chosen["residents"], chosen["quiet"]) == (2, {"22:00-06:30": 1})
    assert chosen["lang"] == {"en": 1, "zh": 1}
    assert chosen["every_hazard"] == 1
    assert chosen["hazards"] == [("山洪", "flash flood", 1)]
    empty = counted(msgspec.structs.replace(d, contacts={}))
    assert (empty["recipients"], empty["choices"]["residents"]) == (0, 0)
    assert {g["check"] for g in empty["gaps"]} >= {"no_list", "no_responsible"}


def test_counts_of_a_plain_list_name_nobody() -> None:
    """Before there is a store, names and numbers stand in memory as contacts.csv has them."""
    text = msgspec.json.encode(counted(yanqing()))
    assert [s for s in everything([*yanqing().contacts.values()]) if s in text] == []


def test_one_person_is_for_an_administrator_and_each_look_is_on_record(kept: Desk) -> None:
    for name in ("screen", "zhao", "wang"):
        caller = entered(kept, name)
        assert post(caller, "/api/person", {"id": ONE})[0] == 403
        erase = {"id": ONE, "reason": "x", "key": "0" * 16}
        assert post(caller, "/api/erase", erase)[0] == 403
        assert noted(kept)[-1] == (name, "refused at the list", caller_role(kept, name))
    chen = entered(kept, "chen")
    assert chen.ask("POST", "/api/person", {"id": ONE})[0] == 403, "without its own page's word"
    status, found = post(chen, "/api/person", {"id": ONE})
    assert status == 200
    assert [found[column] for column in PERSONAL] == [getattr(FULL, c) for c in PERSONAL]
    assert noted(kept)[-1] == ("chen", "person", ONE)
    for many in ({"id": [ONE, "C-0001"]}, {"ids": [ONE]}, {"id": ""}, {"id": "*"}):
        assert post(chen, "/api/person", many)[0] in (404, 422)
    status, _ = post(chen, "/api/person", {"id": FULL.phone})
    assert status == 404
    assert noted(kept)[-1] == ("chen", "person", "?"), "a number typed by mistake is not kept"
    codes = [post(chen, "/api/person", {"id": ONE})[0] for _ in range(25)]
    assert codes[-1] == 429, "nobody reads a list out through it"


def caller_role(desk: Desk, name: str) -> str:
    return next(u.role for u in desk.users.everybody() if u.name == name)


def test_no_other_answer_holds_a_name_or_number(kept: Desk, room: Desk, log: Log) -> None:
    cases(log, seen(40, Level.YELLOW, Action.MOVE))
    alert = wait_for_alert(log)
    chen = entered(kept, "chen")
    while chen.ask("GET", "/api/snapshot")[0] == 503:
        pass  # it still reads the log
    for name in ("chen", "wang"):
        caller = entered(kept, name)
        if name == "chen":
            post(caller, "/api/person", {"id": ONE})
            body = {"id": "C-0003", "reason": "本人要求", "key": "1" * 16}
            status, found = post(caller, "/api/erase", body)
            assert (status, found) == (200, {"erased": "C-0003", "plain": True})
        seen_, secrets = 0, everything([*yanqing().contacts.values(), FULL])
        for path in (*SAYS, "/api/asked/check", "/api/asked/skill", "/print/after-action"):
            for given, value in (
                ("{area}", "A01"), ("{alert}", alert.id), ("{station}", "R01"),
                ("{place}", "R01"), ("{digest}", "0" * 64), ("{name}", "system"),
            ):  # fmt: skip
                path = path.replace(given, value)
            if path == "/api/stream":
                continue
            status, _, data = caller.ask("GET", path)
            seen_ += status == 200
            assert [s for s in secrets if s in data] == [], path
        assert seen_ > 12
    text = json.dumps(kept.users.noted(), ensure_ascii=False).encode()
    assert [s for s in everything([*yanqing().contacts.values(), FULL]) if s in text] == []


def test_erasing_takes_row_key_and_link_and_stands_on_record(kept: Desk) -> None:
    chen, folder = entered(kept, "chen"), kept.setup.folder
    before = json.loads(chen.ask("GET", "/api/subscribers")[2])
    assert before["stored"]
    body = {"id": ONE, "reason": "  ", "key": "1" * 16}
    assert post(chen, "/api/erase", body)[0] == 422
    for telling in ("赵孙李 来电", "号码 199 0000 7777", "ZSL@mail.example"):
        assert post(chen, "/api/erase", {**body, "reason": telling})[0] == 422
    assert post(chen, "/api/erase", {**body, "reason": "x", "id": "C-9999"})[0] == 404
    with ContactStore(folder) as store:
        assert store.whole(ONE) == FULL, "nothing is erased by what was refused"
    body["reason"] = "本人书面要求"
    for _ in range(2):
        status, found = post(chen, "/api/erase", body)
        assert (status, found) == (200, {"erased": ONE, "plain": True})
    assert [n for n in noted(kept) if n[1] == "erase"] == [
        ("chen", "erase", f"{ONE} {'1' * 16} 本人书面要求")
    ]
    with ContactStore(folder) as store:
        assert store.whole(ONE) is None
        assert ONE in store.erased()
    assert ONE not in Links(folder).read()
    assert post(chen, "/api/person", {"id": ONE})[0] == 404
    log = open_run_log(kept.setup)
    left = [e.value for e in log.read("cases", 0, 0) if b'"subscriber"' in e.value]
    log.close()
    (gone,) = (msgspec.json.decode(v, type=Subscriber) for v in left)
    assert (gone.id, gone.way, gone.areas) == (ONE, "command", ()), (
        "a running address drops them at once"
    )
    after = json.loads(chen.ask("GET", "/api/subscribers")[2])
    assert after["recipients"] == before["recipients"] - 1


def test_who_stands_in_locked_records_is_not_erased(kept: Desk) -> None:
    chen, folder = entered(kept, "chen"), kept.setup.folder
    until = 2**42  # in the year 2109
    add_lock(
        folder,
        Lock(name="I1", by="K-01", reason="审计", locked_at=1, until_at=until, people=(ONE,)),
    )
    body = {"id": ONE, "reason": "本人书面要求", "key": "2" * 16}
    status, found = post(chen, "/api/erase", body)
    assert status == 409
    assert "I1" in str(found)
    assert "审计" in str(found)
    assert noted(kept)[-1][1] == "not erased"
    with ContactStore(folder) as store:
        assert store.whole(ONE) == FULL


def test_what_cannot_be_erased_is_said(desk: Desk) -> None:
    desk.users.add("chen", "administrator", "", PASSWORD)
    chen = entered(desk, "chen")
    found = json.loads(chen.ask("GET", "/api/subscribers")[2])
    assert not found["stored"], "a page makes no store"
    assert found["recipients"] == len(yanqing().contacts)
    body = {"id": ONE, "reason": "x", "key": "1" * 16}
    status, answer = post(chen, "/api/erase", body)
    assert status == 409
    assert "contacts.csv" in answer["words"]
    with ContactStore(desk.setup.folder) as store:
        store.put([FULL])
    links = desk.setup.folder / "people-links.json"
    links.write_text("spoilt")
    status, answer = post(chen, "/api/erase", body)
    assert status == 503
    assert "people-links.json" in answer["words"]
    assert noted(desk)[-1] == ("chen", "not erased", ONE)
    with ContactStore(desk.setup.folder) as store:
        assert store.whole(ONE) == FULL
    links.unlink()
    assert post(chen, "/api/erase", body)[0] == 200, "what was refused may be tried again"


def test_the_command_erases_by_the_same_way(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    with ContactStore(folder) as store:
        store.put([FULL])
    Links(folder).make(ONE, T0, 30)
    (folder / "people-links.json").write_text("spoilt")
    call = ["--state", str(tmp_path), "contacts", "erase", ONE]
    result = CliRunner().invoke(cli, call)
    assert result.exit_code != 0
    assert "people-links.json" in str(result.exception)
    assert People(yanqing(), folder).whole([ONE]) == [FULL]
    (folder / "people-links.json").unlink()
    assert CliRunner().invoke(cli, call).exit_code == 0
    assert People(yanqing(), folder).whole([ONE]) == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("本人来电", False),
        ("赵孙李来电", True),
        ("+86 199 0000 7777", True),
        ("", False),
    ],
)
def test_a_reason_tells_nobody(reason: str, told: bool) -> None:
    assert tells(reason, FULL) == told


def test_the_page_counts_and_names_nobody(kept: Desk, seat: Seat) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/subscribers")
    gap = page.locator("tr", has=page.locator("[data-check=no_list]"))
    expect(gap).to_contain_text("不在任何名单")
    expect(gap).to_contain_text(str(yanqing().areas["A02"].population))
    gap.locator("summary").click()
    expect(gap.locator("li")).to_contain_text("沙门村")
    row = page.locator("tbody tr", has=page.get_by_role("rowheader", name="沙门村")).first
    expect(row).to_contain_text("大喇叭")
    expect(page.locator("tr", has_text="免扰时段")).to_contain_text("22:00-06:30 1")
    expect(page.locator("#person-id")).to_have_count(0)
    seat.shot("subscribers")
    row.scroll_into_view_if_needed()
    seat.shot("subscribers-areas")
    no_serious_fault(seat)
    page.locator("#more summary").click()
    page.locator("#theme").click()
    expect(page.locator("[data-check=no_list]")).to_be_visible()
    no_serious_fault(seat)
    page.set_viewport_size({"width": 390, "height": 800})
    comes_true(page, "document.documentElement.scrollWidth <= 390")
    seat.shot("subscribers-phone")


def test_an_administrator_looks_at_one_and_erases_in_two_presses(kept: Desk, seat: Seat) -> None:
    expect = sync_api.expect
    seat.page.clock.install()  # the time between two presses is not the machine's
    page = seat.enter("chen", "/#/subscribers")
    expect(page.locator("tr", has_text="免扰时段")).to_contain_text("有 1")
    expect(page.locator("body")).not_to_contain_text(FULL.phone)
    page.locator("#person-id").fill(ONE)
    page.get_by_role("button", name="查看（留痕）").click()
    expect(page.locator("[data-person]")).to_contain_text(FULL.phone)
    seat.shot("subscribers-person")
    no_serious_fault(seat)
    erase = page.locator("[data-erase]")
    erase.click()  # no reason: the browser asks for one
    expect(erase).to_contain_text("删除 C-0002…")
    page.locator("#erase-reason").fill("本人书面要求")
    page.clock.pause_at(now_ms() / 1000 + 60)
    erase.dblclick()
    expect(erase).to_contain_text("再按一次")
    with ContactStore(kept.setup.folder) as store:
        assert store.whole(ONE) is not None, "a double press is one press"
    page.clock.run_for(400)
    erase.click()
    page.clock.resume()
    expect(page.locator("[data-erased]")).to_contain_text("已删除")
    expect(page.locator("[data-person]")).to_contain_text("contacts.csv")
    expect(page.locator("body")).not_to_contain_text(FULL.phone)
    expect(page.locator("tr", has_text="免扰时段")).to_contain_text("有 0")  # counted anew
    with ContactStore(kept.setup.folder) as store:
        assert store.whole(ONE) is None
    assert [n[1] for n in noted(kept) if n[0] == "chen"] == ["enter", "person", "erase"]
    page.goto(kept.address + "/#/shift")
    expect(page.locator(".event", has_text="按要求删除联系人")).to_contain_text("本人书面要求")
