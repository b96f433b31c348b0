"""An incident's reports as a superior reads them: what each part says, where it comes from, what is marked
to be filled in, and that they reach whom the district names, with a receipt."""

import msgspec
import pytest

from config.language import en, zh
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Evidence
from dispatch.address.to_superiors import MOST_BYTES, plain
from dispatch.channels.declared import problems
from dispatch.notices import REPORT
from dispatch.records import Delivery, Receipt, Report
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box, Rules
from stream.records import Run
from tests.support.decide_district import MIN, OTHER, T0, act, mark, real, seen, small, tick
from tests.support.districts import yanqing
from tests.support.roll import said
from tests.support.target import Both

RED, ORANGE, YELLOW, BLUE = Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE
MOVE, PREPARE = Action.MOVE, Action.PREPARE
RULES = Rules(
    live=True, retry_s=(5,), played_within_s=180, answer_within_s=300, areas={"A01": "香屯村"}
)


def slot(minute: float) -> tuple[object, ...]:
    return mark(minute), mark(minute, group=OTHER)


def of(report: Report) -> dict[str, str]:
    """Part -> its words in Chinese."""
    return {zh(p.name): zh(p.words) for p in report.parts}


def told(found: list[Delivery]) -> list[Delivery]:
    return [d for d in found if d.alert.startswith(REPORT)]


def test_the_first_order_is_reported_within_a_minute_and_the_report_says_it_all() -> None:
    both = Both()
    both.feed(*slot(0.5), seen(1, YELLOW, MOVE), seen(1, BLUE, hazard="debris_flow"))
    found = told(both.feed(*slot(2)))
    (report,) = both.line.reports
    assert report.kind == "初报"
    assert report.reported_at - (T0 + MIN) <= MIN
    parts = of(report)
    area = both.line.district.areas["A01"]
    assert parts["时间"] == "20:01起，截至20:02"
    assert parts["灾种"] == "泥石流、山洪"
    assert "香屯村" in parts["地点"]
    assert area.township in parts["地点"]
    assert parts["信息来源"] == "自动监测站"
    assert "60分钟降雨量52.3mm（阈值52mm，20:01）" in parts["起因"]
    assert f"立即转移1处{area.population}人（同村只计一次）" in parts["影响人口"]
    assert parts["已采取措施"].startswith("生效：立即转移1处、黄色1处；预案任务")
    assert parts["下次报告"] == "21:02前"
    gap = next(p for p in report.parts if p.gap)
    assert zh(gap.name) == "灾情损失"
    assert [p.gap for p in report.parts].count(True) == 1
    assert {d.recipient for d in found} == set(both.line.district.channels.reports_to)


def test_the_next_report_says_only_what_changed() -> None:
    both = Both()
    both.feed(*slot(0.5), seen(1, YELLOW, PREPARE), *slot(2))
    both.feed(*slot(62))
    same = of(both.line.reports[-1])
    assert both.line.reports[-1].kind == "续报"
    assert same["变化"] == "预警与上一报相同"
    assert not {"起因", "信息来源", "雨情水情", "影响人口", "灾情损失"} & same.keys()
    both.feed(seen(63, YELLOW, MOVE), seen(63, BLUE, area="A06"), *slot(64))
    parts = of(both.line.reports[-1])
    assert parts["变化"].startswith("升高1处，最高黄色、立即转移（香屯村）；新增1处，最高蓝色（")
    assert "较上报升高" in parts["发展趋势"]
    assert {"影响人口", "已采取措施"} <= parts.keys()
    assert not {"起因", "灾情损失", "地点"} & parts.keys()


def test_what_a_person_verified_stands_as_losses_in_every_later_report() -> None:
    both = Both(district=real())
    both.feed(*slot(0.5), seen(1, YELLOW, MOVE), *slot(2), said(3, "damage"), said(3, "help"))
    both.feed(
        said(4, "moved", people=300),
        act("verify", area="", hazard="", by="D-01", reason="倒房2间，无伤亡"),
    )
    checked = both.line.reports[-1]
    assert checked.kind == "核报"
    parts = of(checked)
    assert parts["核实情况"] == "倒房2间，无伤亡"
    assert parts["核实人"] == "区防汛指挥部 D-01"
    assert parts["信息来源"] == "自动监测站、现场人员报告"
    assert "1处报告转移300人，有据0、未证实300" in parts["影响人口"]
    both.feed(seen(5))
    for minute in range(10, 700, 5):
        both.feed(*slot(minute))
    last = both.line.reports[-1]
    assert last.kind == "终报"
    assert "倒房2间，无伤亡" in of(last)["灾情损失"]
    assert "受损" in of(last)["灾情损失"]
    assert "未核实" in of(last)["灾情损失"]
    assert not any(p.gap for p in last.parts)
    assert "下次报告" not in of(last)
    assert last.next_at is None


def test_who_asked_for_help_is_named_until_the_same_person_is_safe() -> None:
    both = Both()
    both.feed(*slot(0.5), seen(1, YELLOW, MOVE), said(1.5, "help"), *slot(2))
    assert "求助未了：香屯村" in of(both.line.reports[-1])["影响人口"]
    both.feed(said(3, "safe", person="C-0002"), *slot(63))
    assert "影响人口" not in of(both.line.reports[-1]), "somebody else's word ends no cry"
    both.feed(said(64, "safe"), *slot(125))
    assert "求助" not in of(both.line.reports[-1])["影响人口"]


def test_the_text_for_a_group_robot_is_short_enough_whatever_happens() -> None:
    both = Both(district=msgspec.structs.replace(yanqing(), policy=small().policy))
    groups = both.line.district.groups
    both.feed(*(mark(0.5, group=g) for g in groups))
    for hazard in ("flash_flood", "debris_flow"):
        both.feed(*(seen(1, RED, MOVE, area=a, hazard=hazard) for a in both.line.district.areas))
    both.feed(*(mark(2, group=g) for g in groups))
    report = both.line.reports[-1]
    long = msgspec.structs.replace(
        report, parts=(*report.parts, msgspec.structs.replace(report.parts[0], words="险" * 3000))
    )
    for r in (report, long):
        text = plain(both.line.district, r)
        assert len(zh(text).encode()) <= MOST_BYTES
        assert len(en(text).encode()) <= MOST_BYTES
    assert zh(plain(both.line.district, report)).count("\n") >= 9
    assert zh(plain(both.line.district, long)).endswith("全文见打印页")
    assert "【待填】" in zh(plain(both.line.district, report))
    assert "\n十一、下次报告：" in zh(plain(both.line.district, report))


def test_a_report_goes_out_by_each_way_in_its_form_and_none_replaces_another() -> None:
    both = Both()
    found = told(both.feed(*slot(0.5), seen(1, YELLOW, MOVE), *slot(2)))
    found += told(both.feed(seen(3, RED, MOVE), *slot(4)))
    assert len({d.id for d in found}) == len(found) == 4
    assert len({(d.alert, d.recipient) for d in found}) == 4
    city = next(d for d in found if d.recipient == "C-0191")
    app, sms = city.routes
    assert (app.channel, sms.channel) == ("app", "sms")
    assert "一、时间" in zh(app.text)
    assert zh(sms.text).startswith("【延庆防汛】延庆区")
    assert "一、时间" not in zh(sms.text)
    assert (city.status, city.audience, city.area) == ("actual", "internal", "")
    again = told(both.feed(*slot(4)))
    assert again == []


def test_a_report_that_does_not_arrive_is_told_to_the_duty_room() -> None:
    both = Both()
    found = told(both.feed(*slot(0.5), seen(1, YELLOW, MOVE), *slot(2)))
    box = Box()
    apply(RULES, box, Run(name="live", kind="live", district="d", config="c", start_at=T0))
    first = next(d for d in found if d.recipient == "C-0191")
    apply(RULES, box, first)
    out = []
    for n, _ in enumerate(first.routes):
        lost = Receipt(delivery=first.id, route=n, state="failed", receipt_at=T0, permanent=True)
        out += apply(RULES, box, lost)
    out += apply(RULES, box, tick(400))
    notices = [d for d in out if isinstance(d, Delivery)]
    (one,) = notices
    assert "报告没有送达，请电话报告" in zh(one.routes[0].text)
    assert "第1报（初报）" in zh(one.routes[0].text)


def test_a_report_to_nobody_known_is_refused_with_the_config(district: District) -> None:
    wrong = msgspec.structs.replace(district.channels, reports_to=("C-9999",))
    (problem,) = problems(msgspec.structs.replace(district, channels=wrong))
    assert "reports_to" in str(problem)
    assert "C-9999" in str(problem)


@pytest.fixture
def district() -> District:
    return yanqing()


def test_evidence_farthest_beyond_its_limit_is_the_course() -> None:
    both = Both()
    low = Evidence(
        station="R01", quantity="rain", value=80.0, threshold=78.0, window_min=180, observed_at=T0
    )
    high = msgspec.structs.replace(low, value=40.0, threshold=30.0, window_min=30)
    first, second = (
        msgspec.structs.replace(seen(1, YELLOW, PREPARE, area=area), evidence=(e,))
        for area, e in (("A01", low), ("A06", high))
    )
    both.feed(*slot(0.5), first, second, *slot(2))
    assert "30分钟降雨量40mm" in of(both.line.reports[0])["雨情水情"]
