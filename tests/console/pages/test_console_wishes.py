"""Who subscribed and left of late, by day, village and language, and what the limits refused: counts alone."""

from pathlib import Path

import msgspec
import pytest

from console.model.view import View
from console.pages.subscribers import wished
from console.routes.sources import People
from dispatch.people.contact_store import ContactStore
from dispatch.people.residents.allowance import Allowance, Limit, Tally
from dispatch.people.residents.wishes import KEPT_DAYS, Wishes, day_of
from dispatch.people.signed_choices import signed
from ingest.people.subscriber import Subscriber
from stream.log.port import Log, Out
from stream.records import encode
from tests.support.console_pages import Desk, Seat, sync_api
from tests.support.decide_district import T0, yanqing

DAY = 86_400_000
TODAY = "2025-07-26"


def says(ident: str, areas: tuple[str, ...], at: int = T0, lang: str = "zh") -> Subscriber:
    return Subscriber(id=ident, said_at=at, way="page", areas=areas, lang=lang)  # type: ignore[arg-type]


def test_who_came_and_left_is_counted_by_village_and_language_once() -> None:
    view = View()
    view.wishes.proves = lambda s: s.id != "S-F"
    for s in (
        says("S-1", ("A01",)), says("S-1", ("A01",), T0 + 1), says("S-2", ("A01", "A02"), lang="en"),
        says("S-2", ("A02",), T0 + 2, "en"), says("S-9", (), T0 + 3), says("S-1", ("A05",), T0 - 9),
        says("S-1", (), T0 + DAY), says("S-F", ("A01", "A02", "A03")),
    ):  # fmt: skip
        view.take(s)
    today, later = day_of(T0), day_of(T0 + DAY)
    found = wished(view.wishes, [Tally(today, "number", 5, 2, 3), Tally(today, "all", 9, 0, 9)])
    assert [d["day"] for d in found] == ["2025-07-27", TODAY]
    rows = {(r["area"], r["lang"]): (r["came"], r["left"]) for r in found[1]["rows"]}
    assert rows == {
        ("A01", "zh"): (1, 0),
        ("A01", "en"): (1, 1),
        ("A02", "en"): (1, 0),
        ("", "zh"): (0, 1),
    }
    assert found[1]["refused"] == {"number": 2}
    assert later == today + 1 and found[0]["rows"] == [
        {"area": "A01", "lang": "zh", "came": 0, "left": 1}
    ]


def test_days_end() -> None:
    wishes = Wishes()
    wishes.proves = lambda _: True
    for n in range(KEPT_DAYS + 5):
        wishes.take(says(f"S-{n}", ("A01",), T0 + n * DAY))
    assert len(wishes.counts) == KEPT_DAYS


def test_what_the_limits_refused_is_read_from_the_store_and_a_spoilt_one_is_nothing(
    tmp_path: Path,
) -> None:
    assert People(yanqing(), None).tallies() == [] == People(yanqing(), tmp_path).tallies()
    share = Allowance(tmp_path)
    for _ in range(3):
        share.lets([Limit("number", "m", 1)], T0)
    share.close()
    (tally,) = People(yanqing(), tmp_path).tallies()
    assert (tally.kind, tally.let, tally.refused) == ("number", 1, 2)
    (tmp_path / "residents.db").write_bytes(b"spoilt" * 100)
    assert People(yanqing(), tmp_path).tallies() == []


@pytest.mark.usefixtures("here")
def test_the_page_shows_the_days_and_counts_nobody_who_was_forged(
    log: Log, desk: Desk, seat: Seat
) -> None:
    expect = sync_api.expect
    with ContactStore(desk.setup.folder) as store:
        store.put([next(iter(yanqing().contacts.values()))])
        key = store.signing_key
    some = [says("S-1", ("A01",)), says("S-2", ("A01",), lang="en"), says("S-1", (), T0 + 5)]
    told = [signed(s, key, desk.setup.district.id) for s in some]
    told += [signed(says(f"S-{n}", ("A02",)), bytes(range(32)), desk.setup.district.id) for n in range(3, 9)]
    told += [says("S-9", ("A03",)), msgspec.structs.replace(told[0], areas=("A04",), said_at=T0 + 9)]
    log.append([Out("alerts", s.id, encode(s)) for s in told])
    page = seat.enter("screen", "/#/subscribers")
    row = page.locator("tr", has=page.get_by_role("rowheader", name=TODAY))
    expect(row).to_contain_text("2")
    row.locator("summary").click()
    expect(row.locator("li").first).to_contain_text("香屯村")
    expect(row.locator("li")).to_have_count(2)
    row.scroll_into_view_if_needed()
    seat.shot("subscribers-days")
    expect(page.locator("body")).not_to_contain_text("S-1")
