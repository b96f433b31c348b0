"""A re-check (抽查): some of those who answered for an area are called again with a new code, whoever they are.
An officer asks for it, the draw is nobody's. Pure."""

from collections.abc import Mapping

from config.checks.officers import covers
from config.language import Text
from config.records.district import District
from dispatch.decide.act import ActResult
from dispatch.decide.apply import unknown
from dispatch.decide.authority import deciders
from dispatch.decide.plan.tasks import Course
from dispatch.decide.policy import authority
from dispatch.proving.draw import candidates
from dispatch.records import Decision

_RIGHT = "prepare"  # whoever may order people to get ready may ask whether they did


def rechecked(district: District, courses: Mapping[str, Course], decision: Decision) -> ActResult:
    """What comes of it."""

    def no(zh: str, en: str) -> ActResult:
        return ActResult("refused", "recheck", Text(zh, en))

    why = unknown(district, decision)
    if why is not None:
        return ActResult("refused", "recheck", why)
    course, area = courses.get(decision.alert), district.areas.get(decision.area)
    if course is None or area is None or course.area != area.id or course.over_at:
        return no("所指预警不在进行中", "that warning is not open")
    officer = district.officers[decision.by]
    offices = deciders(authority(district.policy, course.hazard, _RIGHT))
    if officer.office not in offices or not covers(officer, area):
        return no(
            f"{decision.by}无权抽查{area.name}", f"{decision.by} may not re-check {area.name_en}"
        )
    if not district.policy.proving.code:
        return no(
            "本区叫应不要确认码，无从抽查：policy.toml 写 [proving] code = true",
            "answers need no code here, so none can be asked again: [proving] code = true in policy.toml",
        )
    if not candidates(district, area.id):
        return no("本区没有责任人可抽", "nobody answers for this area")
    return ActResult(
        "done", "recheck", Text("已抽查，名单由决定的散列抽出", "drawn by the hash of this decision")
    )
