"""What waits for a person's decision, in words: on which warning, for whom, until when, who may decide."""

from collections.abc import Iterator

from config.language import Said, Text, en, zh
from config.records.district import District
from config.records.level import HAZARD_ZH
from dispatch.decide.authority import deciders, entitled
from dispatch.decide.policy import authority
from dispatch.grade import grade_of
from dispatch.records import Alert
from dispatch.words.local_time import local

NOBODY = Text(
    "没有 officers.csv：实战中任何人都不能发布、升降或解除",
    "there is no officers.csv: in a live run nobody may release, raise, lower or cancel a warning",
)


def questions(district: District, alert: Alert) -> Iterator[Said]:
    """Lines of what waits on one warning."""
    area = district.areas.get(alert.area)
    place = f"{area.township}{area.name}" if area else alert.area
    yield f"  {alert.area} {place} {HAZARD_ZH.get(alert.hazard, alert.hazard)} v{alert.version}"
    for q in alert.questions:
        until = local(q.deadline_at, district.timezone) if q.deadline_at else "-"
        signed = (
            Text(f"，已署名 {', '.join(q.signed)}", f", signed {', '.join(q.signed)}")
            if q.signed
            else ""
        )
        if q.what in ("lower", "cancel"):
            yield Text(
                f"    {q.what}: 待另一人确认{zh(signed)}",
                f"    {q.what}: another must confirm{en(signed)}",
            )
            continue
        words = grade_of(q.what).words()
        asked = ", ".join(q.called) or "-"
        state = (
            Text("待补正", "to be mended")
            if alert.state == "returned"
            else Text(f"在问 {asked}", f"asked {asked}")
        )
        yield Text(
            f"    {words.zh}：{zh(state)}，至 {until}{zh(signed)}",
            f"    {words.en}: {en(state)} until {until}{en(signed)}",
        )
        if area is not None:
            who = authority(district.policy, alert.hazard, q.what)
            may = entitled(district, alert.area, deciders(who))
            yield Text(f"      有权：{may.zh}", f"      may decide: {may.en}")
            if who.through:
                more = entitled(district, alert.area, who.through)
                yield Text(
                    f"      可记录电话批准、发布：{more.zh}",
                    f"      may record an approval and release: {more.en}",
                )
