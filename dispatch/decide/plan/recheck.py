"""A re-check (抽查): some of those who answered for an area are called again with a new code, whoever they are.
An officer asks for it, the draw is nobody's. Pure."""

from collections.abc import Mapping

from config.language import Text
from config.records.district import District
from dispatch.decide.act import ActResult
from dispatch.decide.plan.open_warning import why_not
from dispatch.decide.plan.tasks import Course
from dispatch.proving.draw import candidates
from dispatch.records import Decision


def rechecked(district: District, courses: Mapping[str, Course], decision: Decision) -> ActResult:
    """What comes of it."""
    why = why_not(
        district,
        courses,
        decision,
        lambda a: Text(
            f"{decision.by}无权抽查{a.name}", f"{decision.by} may not re-check {a.name_en}"
        ),
    )
    if why is None and not district.policy.proving.code:
        why = Text(
            "本区叫应不要确认码，无从抽查：policy.toml 写 [proving] code = true",
            "answers need no code here, so none can be asked again: [proving] code = true in policy.toml",
        )
    if why is None and not candidates(district, decision.area):
        why = Text("本区没有责任人可抽", "nobody answers for this area")
    if why is not None:
        return ActResult("refused", "recheck", why)
    return ActResult(
        "done",
        "recheck",
        Text("已抽查，名单由决定的散列抽出", "drawn by the hash of this decision"),
    )
