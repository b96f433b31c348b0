"""What lies on the map of Situation beside the areas, and what may be taken off it."""

import msgspec
import pytest

from config.records.basemap import NO_BACKDROP
from config.records.level import Action, Level
from dispatch.grade import Grade
from stream.log.port import Log, Out
from stream.records import Tick, encode
from tests.support.console_pages import Desk, Seat, cases, comes_true, red, sync_api
from tests.support.decide_district import MIN, T0, seen, yanqing

pytestmark = pytest.mark.usefixtures("here")

LAYERS = [
    "地形（示意）", "雨区（由雨量站推算）", "河道", "乡镇", "小流域", "监测站、摄像机", "喇叭",
    "队 队伍", "物 物资", "避 避难场所", "险 风险源",
]  # fmt: skip


def test_relief_channels_and_resources_are_layers_and_warnings_lie_above_all(
    seat: Seat,
    log: Log,
) -> None:
    expect = sync_api.expect
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"))
    page = seat.enter("screen")
    relief = page.locator("img.terrain")
    expect(relief).to_be_visible()
    expect(relief).to_have_js_property("complete", True)
    assert relief.evaluate("e => e.naturalWidth") == 640
    page.get_by_role("button", name="图层").focus()  # by the keyboard, as by the mouse
    page.keyboard.press("Enter")
    boxes = page.locator(".leaflet-control-layers-overlays label")
    expect(boxes).to_have_text(LAYERS)
    boxes.nth(0).hover()  # a click that comes with the mouse's arrival opens the list, no more
    boxes.nth(0).locator("input").uncheck()
    expect(relief).to_have_count(0)
    boxes.nth(8).locator("input").check()
    expect(page.locator(".resource.supplies").first).to_be_visible()
    for n in range(1, 11):  # without stations, and with all that a district has
        boxes.nth(n).locator("input").set_checked(n > 6)
    cases(log, red("A02"))
    marks = page.locator(".leaflet-marker-pane .mark")
    expect(marks).to_have_count(2)
    above = "es => Math.min(...es.map((e) => Number(e.style.zIndex)))"
    below = "es => Math.max(...es.map((e) => Number(e.style.zIndex)))"
    assert marks.evaluate_all(above) > page.locator(".leaflet-marker-pane .resource").evaluate_all(
        below
    )
    seat.shot("situation-layers")


def test_a_district_without_outline_relief_or_channels_has_a_map(
    desk: Desk,
    browser: "sync_api.Browser",
    log: Log,
) -> None:
    district = desk.setup.district
    dry = {k: msgspec.structs.replace(b, course=()) for k, b in district.basins.items()}
    bare = msgspec.structs.replace(district, backdrop=NO_BACKDROP, basins=dry)
    desk.stop()
    desk.setup = type(desk.setup)(**{**vars(desk.setup), "district": bare})
    desk.start()
    bare_seat = Seat(browser, desk)
    page = bare_seat.enter("screen")
    cases(log, red("A01"))
    sync_api.expect(page.locator("[data-area=A01]")).to_be_visible()
    sync_api.expect(page.locator("img.terrain")).to_have_count(0)
    bare_seat.context.close()
    assert bare_seat.faults == []


def test_on_the_narrowest_phone_in_english_nothing_is_cut_off(
    seat: Seat,
    log: Log,
) -> None:
    cases(log, red("A01"), seen(40, Level.BLUE, area="A02"), seen(40, Level.YELLOW, area="A03"))
    page = seat.enter("wang")
    sync_api.expect(page.locator("#counts .waiting")).to_be_visible()
    page.locator("#more summary").click()
    page.locator("#lang").click()
    sync_api.expect(page.locator(".town", has_text="Dazhuangke")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 640})  # WCAG 2.2, 1.4.10
    comes_true(page, "document.documentElement.scrollWidth <= 320")
    heights = "es => es.map((e) => e.getBoundingClientRect()).map((r) => [r.height, r.right])"
    for height, right in page.locator("#counts > *").evaluate_all(heights):
        assert height < 40, "one line each"
        assert right <= 320
    seat.shot("situation-320")


def test_a_village_is_found_by_its_bare_name(seat: Seat) -> None:
    expect = sync_api.expect
    page = seat.enter("screen")
    find, one = page.locator("#find"), page.locator(".one")
    find.fill("沙门村")
    find.press("Enter")
    expect(one.locator("h2")).to_contain_text("沙门村")
    find.fill("shamen")
    find.press("Enter")
    expect(one.locator("h2")).to_contain_text("沙门村")
    find.fill("大庄科")  # a township: its villages to choose from
    find.press("Enter")
    expect(one.locator("[data-hit=A02]")).to_contain_text("沙门村")
    one.locator("[data-hit=A01]").click()
    expect(one.locator("h2")).to_contain_text("香屯村")
    find.fill("没有这样的地方")
    find.press("Enter")
    expect(one).to_contain_text("没有这个地方")
    find.fill("R01")
    find.press("Enter")
    expect(one.locator("h3")).to_contain_text("R01")


def test_no_warning_and_nothing_heard_is_no_quiet_night(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    page = seat.enter("screen")
    expect(page.locator("#counts")).to_contain_text("无生效预警")
    later = encode(Tick(clock_at=T0 + 6 * 60 * MIN))
    log.append([Out("observations", "x", later), Out("cases", "x", later)])
    expect(page.locator("#counts [data-blind]")).to_contain_text("全区无数据，不等于平安")
    expect(page.locator("#map .mark.on-dark")).to_have_count(len(yanqing().areas))
    seat.shot("blind")


def test_an_orange_to_prepare_stands_below_a_red(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(
        log, seen(40, Level.YELLOW, Action.PREPARE, area="A01"), seen(40, Level.YELLOW, area="A02"),
        seen(40, Level.BLUE, Action.MOVE, area="A03"), seen(40, Level.RED, area="A04"),
    )  # fmt: skip
    page = seat.enter("li", "/#/warnings")
    expect(page.locator("[data-warning]")).to_have_count(4)
    rows = page.locator("[data-warning] .what").all_inner_texts()
    names = [yanqing().areas[a].name for a in ("A04", "A03", "A01", "A02")]
    assert [n for row in rows for n in names if n in row] == names


def test_the_order_of_lists_is_the_same_everywhere() -> None:
    grades = [Grade(Level.RED), Grade(Level.BLUE, Action.MOVE), Grade(Level.ORANGE, Action.PREPARE)]
    grades += [Grade(Level.ORANGE), Grade(Level.YELLOW, Action.PREPARE), Grade(Level.YELLOW)]
    worst_first = sorted(grades, key=lambda g: [-n for n in g.rank])
    assert worst_first[0] == Grade(Level.BLUE, Action.MOVE)
    assert worst_first[1] == Grade(Level.RED)
    assert worst_first[-1] == Grade(Level.YELLOW)


# names and marks that are seen and lie over one another
OVER = """(kinds) => {
  const all = [...document.querySelectorAll(kinds)].filter((e) => e.checkVisibility());
  const boxes = all.map((e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); });
  const over = [];
  boxes.forEach((a, n) => boxes.slice(0, n).forEach((b, k) => {
    if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom) over.push(all[n].textContent + all[k].textContent);
  }));
  return over;
}"""  # noqa: E501

# every name that is there now; the map writes them anew once it has come to rest
MARKED = """() => {
  document.querySelectorAll(".town, .village-name, .river-name").forEach((e) => { e.dataset.before = ""; });
  document.getElementById("map").focus();
}"""


def test_no_name_lies_over_another_and_the_worst_is_named_first(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    areas = list(yanqing().areas)
    cases(log, red("A17"), *(seen(40, Level.YELLOW, area=a) for a in areas[:16]))
    page = seat.enter("wang")
    expect(page.locator(".valley-mark", has_text="1 待批")).to_have_count(1)
    assert page.evaluate(OVER, ".town, .valley-mark") == []
    page.locator("#find").fill("A17")
    page.locator("#find").press("Enter")
    expect(page.locator(".one h2")).to_contain_text(yanqing().areas["A17"].name)
    for _ in range(3):  # the map turns round what is chosen, from afar to close by
        page.evaluate(MARKED)
        page.keyboard.press("+")
        comes_true(page, "document.querySelector('[data-before]') === null")
        assert page.evaluate(OVER, ".town, .village-name, .river-name") == []
    expect(page.locator(".village-name").first).to_be_visible()
    seat.shot("map-names")


def test_the_worst_village_gets_its_name_before_a_larger_one_beside_it(seat: Seat) -> None:
    page = seat.enter("wang")
    found = page.evaluate("""async () => {
      const { uncrowded, apart } = await import("/static/labels.js");
      const map = { latLngToContainerPoint: ([lat, lon]) => ({ x: lon, y: lat }) };
      const one = (words, x, y) => ({ at: [y, x], words, dx: 0, dy: 0 });
      const taken = [[290, 300, 400, 320]], mark = (y) => ({ at: [y, y], w: 40, h: 20 });
      const villages = [one("最急", 100, 100), one("大村", 110, 105), one("远村", 300, 100)];
      const names = uncrowded(map, villages, 60, taken), marks = [mark(0), mark(5), mark(200)];
      const under = uncrowded(map, [one("标记下", 300, 310)], 60, taken);
      apart(map, marks);
      return [names.kept.map((x) => x.words), under.kept.length, marks.map((m) => m.dy)];
    }""")
    assert found == [["最急", "远村"], 0, [0, 23, 0]]
