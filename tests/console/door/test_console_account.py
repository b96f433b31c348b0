"""The door and the page Accounts in a real browser."""

from base64 import b32decode
from collections.abc import Iterator

import pytest

from config.records.door import Door
from console.auth.totp import STEP_MS, code
from stream.log.port import Log
from stream.wall_clock import now_ms
from tests.support.console_pages import AXE, PASSWORD, Desk, Seat, sync_api

pytestmark = pytest.mark.usefixtures("here")

OWN = "mine and nobody else's"


@pytest.fixture
def guarded(desk: Desk, log: Log, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """As a live run's door; a code counts for many minutes, however slow the machine is."""
    monkeypatch.setattr("console.auth.totp._AROUND", tuple(range(-40, 41)))
    desk.users.door = Door()
    desk.users.add("chen", "administrator", "", PASSWORD, now=now_ms())
    return desk


@pytest.fixture
def seats(browser: "sync_api.Browser", guarded: Desk) -> Iterator[list[Seat]]:
    """One at a desk, one at a telephone."""
    phone = Seat(browser, guarded, is_mobile=True, has_touch=True, bypass_csp=True)
    phone.page.set_viewport_size({"width": 390, "height": 844})
    both = [Seat(browser, guarded), phone]
    yield both
    for seat in both:
        seat.context.close()
        assert seat.faults == []
        assert seat.foreign == []


def knock(seat: Seat, name: str, password: str = PASSWORD) -> "sync_api.Page":
    page = seat.page
    page.goto(seat.desk.address)
    page.locator("#login-name").fill(name)
    page.locator("#login-password").fill(password)
    page.locator("#login-form button").click()
    return page


def clear(page: "sync_api.Page") -> None:
    """axe finds nothing wrong with what is shown, and nothing is wider than the screen."""
    if AXE.exists():
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run('#login').then(r => r.violations.map(v => v.id))")
        assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_first_log_in_changes_the_password_and_makes_a_second_key(
    seats: list[Seat], guarded: Desk
) -> None:
    expect, seat = sync_api.expect, seats[0]
    guarded.users.add("wang", "approver", "K-01", PASSWORD, now=now_ms(), change=True)
    page = knock(seat, "wang")
    expect(page.locator("#login-step h2")).to_contain_text("换一个自己的口令")
    page.locator("#login-new").fill("1234567890")
    page.locator("#login-new2").fill("1234567890")
    page.locator("#login-step .main-act").click()
    expect(page.locator("#login-step .said")).to_contain_text("太容易猜")
    page.locator("#login-new").fill(OWN)
    page.locator("#login-new2").fill(OWN)
    seat.shot("door-change")
    page.locator("#login-step .main-act").click()
    expect(page.locator("#login-step h2")).to_contain_text("第二把钥匙")
    seat.shot("door-offer")
    page.reload()  # nothing is lost by it
    page.locator("[data-offer=app]").click()
    expect(page.locator(".qr img")).to_be_visible()
    seat.shot("door-app")
    secret = page.locator("#factor-secret").inner_text().replace(" ", "")
    page.locator("#factor-code").fill(code(b32decode(secret), now_ms() // STEP_MS))
    page.locator("#login-step .main-act").click()
    page.locator("body[data-ready='1']").wait_for()
    expect(page.locator("#who")).to_contain_text("wang")
    assert guarded.users.factors.kind("wang") == "app"


def test_on_a_telephone_in_english_with_a_card(seats: list[Seat], guarded: Desk) -> None:
    expect, seat = sync_api.expect, seats[1]
    seat.context.add_init_script("localStorage.setItem('lang', 'en')")
    page = knock(seat, "wang")
    expect(page.locator("[data-later]")).to_contain_text("3 more")
    clear(page)
    seat.shot("door-phone-offer")
    page.locator("[data-offer=card]").click()
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes li").all_inner_texts()
    clear(page)
    seat.shot("door-phone-card")
    page.locator("#factor-code").fill(codes[0].upper())
    page.locator("#login-step .main-act").click()
    page.locator("body[data-ready='1']").wait_for()
    page.evaluate("localStorage.setItem('lang', 'en')")
    page.locator("#more summary").click()
    page.locator("#who").click()
    expect(page.locator("#login-form")).to_be_visible()
    page = knock(seat, "wang")
    expect(page.locator("#login-step h2")).to_contain_text("the code")
    page.locator("#login-code").fill("wrong")
    page.locator("#login-step .main-act").click()
    expect(page.locator("#login-step .said")).to_contain_text("wrong code")
    clear(page)
    seat.shot("door-phone-code")
    page.locator("#login-code").fill(codes[1])
    page.locator("#login-step .main-act").click()
    page.locator("body[data-ready='1']").wait_for()
    expect(page.locator("#who")).to_contain_text("wang")


def test_a_session_that_ends_asks_again_and_the_draft_stays(
    seats: list[Seat], guarded: Desk
) -> None:
    """In the night, without a telephone: put off, and back at what was being written."""
    expect, seat = sync_api.expect, seats[0]
    page = knock(seat, "wang")
    page.locator("[data-later]").click()
    page.locator("body[data-ready='1']").wait_for()
    page.goto(seat.desk.address + "/#/shift")
    page.locator("#note").fill("桥头水位还在涨")
    guarded.users.sessions.end("wang")
    # the page may hear of the end by itself before the press, and then asks over everything else
    page.locator("[data-send=note]").dispatch_event("click")
    expect(page.locator("#login")).to_be_visible()
    page.locator("#login-name").fill("wang")
    page.locator("#login-password").fill(PASSWORD)
    page.locator("#login-form button").click()
    page.locator("[data-later]").click()
    expect(page.locator(".said", has_text="已记入")).to_be_visible()
    assert [x.detail for x in guarded.users.noted() if x.what == "note"] == ["桥头水位还在涨"]


def test_an_administrator_adds_somebody_and_changes_their_own_key(
    seats: list[Seat], guarded: Desk
) -> None:
    expect, seat = sync_api.expect, seats[0]
    page = knock(seat, "chen")
    page.locator("[data-later]").click()
    page.locator("body[data-ready='1']").wait_for()
    page.goto(seat.desk.address + "/#/account")
    page.get_by_text("新用户…").click()
    page.locator("#account-name").fill("liu")
    page.locator("#account-role").select_option("duty")
    page.locator("#account-officer").fill("D-01")
    page.locator("[data-add]").click()
    once = page.locator("#once-password").inner_text()
    expect(page.locator("tr", has_text="liu").first).to_contain_text("首次登录须换口令")
    expect(page.locator("[data-record]")).to_contain_text("链和签名都对")
    expect(page.locator("#once-password")).to_have_text(once)  # it stays until it is written down
    seat.shot("accounts")
    page.locator("[data-own=factor]").click()
    page.locator("[data-offer=card]").click()
    page.locator("#factor-code").fill(page.locator(".codes li").first.inner_text())
    page.locator("#main form .main-act").click()
    expect(page.locator("#main")).to_contain_text("新的第二把钥匙已生效")
    other = knock(seats[1], "liu", once)
    expect(other.locator("#login-step h2")).to_contain_text("换一个自己的口令")
    other.locator("#login-new").fill(OWN)
    other.locator("#login-new2").fill(OWN)
    other.locator("#login-step .main-act").click()
    other.locator("body[data-ready='1']").wait_for()
    other.goto(guarded.address + "/#/account")
    expect(other.locator("#main h2").first).to_contain_text("我的登录")
    expect(other.locator("[data-add]")).to_have_count(0)
    seats[1].shot("accounts-phone")
