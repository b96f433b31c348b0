"""A place that was ordered to move and of which nobody says how many did is named: silence is news."""

import msgspec

from config.language import en, zh
from config.records.level import Action
from dispatch.decide.reports.memory import Incident
from dispatch.decide.reports.parts import parts
from dispatch.records import Alert
from fengsui.review.reach import proved
from fengsui.review.step_times import gather
from ingest.observation import PersonSays
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.roll import alert, said

DISTRICT = yanqing()
A01, A02, A03 = (DISTRICT.areas[a] for a in ("A01", "A02", "A03"))
ORDERS = (
    alert(),
    alert(id="al-2", area="A02"),
    alert(id="al-3", area="A03", action=Action.PREPARE),
)
REPORT = said(20, "moved", people=5)


def people(kind: str, *told: PersonSays | Alert, transfer: bool = True) -> tuple[str, str]:
    proving = msgspec.structs.replace(DISTRICT.policy.proving, transfer=transfer)
    policy = msgspec.structs.replace(DISTRICT.policy, proving=proving)
    incident = Incident("i", T0)
    for x in (*ORDERS, *told):
        incident.take(x) if isinstance(x, Alert) else incident.hear(x)
    found = parts(
        msgspec.structs.replace(DISTRICT, policy=policy), incident, kind, T0 + 60 * MIN, None, {}
    )
    words = next(p.words for p in found if en(p.name) == "people")
    return zh(words), en(words)


def test_the_first_report_names_every_place_with_an_order_and_no_word() -> None:
    for transfer in (True, False):
        words, english = people("初报", transfer=transfer)
        both = A01.population + A02.population
        assert f"已令转移而无人报告人数：2处{both}人" in words
        assert A01.name in words and A02.name in words and A03.name not in words
        assert f"nobody has reported how many did, 2 places with {both} people" in english


def test_who_reported_is_not_named_and_who_did_not_still_is() -> None:
    for transfer in (True, False):
        words, _ = people("续报", REPORT, transfer=transfer)
        assert f"无人报告人数：1处{A02.population}人，{A02.name}" in words


def test_the_last_report_still_names_them_when_all_is_lifted() -> None:
    lifted = [
        msgspec.structs.replace(
            a, version=9, msg_type="cancel", level=0, action=0, sent_at=T0 + 50 * MIN
        )
        for a in ORDERS
    ]
    assert f"无人报告人数：1处{A02.population}人，{A02.name}" in people("终报", REPORT, *lifted)[0]


def test_after_the_event_they_count_as_not_reached_and_are_named() -> None:
    records = [*ORDERS, REPORT]
    found = proved(DISTRICT, records, gather(records))
    assert found.unreported == ("A02",)
    assert found.not_reached == A01.population - 5 + A02.population
    nobody = proved(DISTRICT, [*ORDERS], gather([*ORDERS]))
    assert nobody.moved_proven == 0
    assert set(nobody.unreported) == {"A01", "A02"}
    assert nobody.not_reached == A01.population + A02.population
