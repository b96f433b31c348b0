"""The reason in words that a detection gives: which rule said it, or whose warning from outside. Pure."""

from config.language import Text
from config.records.district import District
from config.records.rule_kinds import UPSTREAM, rule_words
from detectors.detection import Detection
from dispatch.grade import Grade


def heard(district: District, detection: Detection) -> Text:
    """What the rule said."""
    rule = rule_words(district, detection.rule)
    if detection.outside:
        rule = _sources(district, detection)
    grade = Grade(detection.level, detection.action).words()
    none = not (detection.level or detection.action)
    if none and detection.rule.startswith(UPSTREAM):
        return Text(f"{rule.zh}已降低或结束，撤回", f"{rule.en} has fallen or ended, withdrawn")
    if detection.inferred and none:
        return Text(f"{rule.zh}：推断不再成立，撤回", f"{rule.en}: no longer concluded, withdrawn")
    doubt = Text("（可疑数据）", " (suspect values)") if detection.suspect else Text("", "")
    return Text(f"{rule.zh}研判{grade.zh}{doubt.zh}", f"{rule.en} evidence: {grade.en}{doubt.en}")


def _sources(district: District, detection: Detection) -> Text:
    """气象局外部预警 / weather office, warning from outside."""
    known = district.sources.source
    names = [known[e.station] for e in detection.evidence if e.station in known]
    return Text(
        "、".join(s.name for s in names) + "外部预警",
        ", ".join([*(s.name_en for s in names), "warning from outside"]),
    )
