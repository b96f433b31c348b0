"""What a hindcast or a tuning came to, in a few lines. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.language import Said, Text, en, zh
from skill.verify.names import said

Json = Mapping[str, Any]


def told(result: Json) -> list[Said]:
    """The result in a few lines: counts, ratios with intervals, lead, and what is to be known."""
    lines: list[Said] = []
    if result.get("rule"):
        lines.append(Text("规则：", "rule: ") + said(result["rule"]))
    lines.append(_counts(Text("结果", "result"), result))
    for skill in result.get("cross_validated") or ():
        lines.append(_counts(Text("未见数据，", "unseen data, ") + said(skill["how"]), skill))
    if result.get("rivals"):
        lines.append(
            Text("各类规则单独在未见数据上：", "each family of rules by itself on data left out:")
        )
        for r in result["rivals"]:
            mark = "★" if r["how"] == result["rule"] else " "
            lines.append(_counts(f"{mark} " + said(r["how"]), r))
    for name, one in (result.get("by_step") or {}).items():
        lines.append(_counts(f"  {name}", one))
    lead = result.get("lead_minutes") or {}
    if lead.get("median") is not None:
        lines.append(
            Text(
                f"提前：中位 {lead['median']:.0f} min（四分位 {lead['q1']:.0f} … "
                f"{lead['q3']:.0f}）",
                f"lead: median {lead['median']:.0f} min (quartiles {lead['q1']:.0f} … "
                f"{lead['q3']:.0f})",
            )
        )
    elif lead.get("reason"):
        lines.append(Text(f"提前：{zh(lead['reason'])}", f"lead: {en(lead['reason'])}"))
    if result.get("auc") is not None:
        lines.append(f"AUC {result['auc']:.3f}")
    for skill in result.get("candidates") or ():
        mark = "★" if skill["delivered"] else " "
        of = Text(f"{mark} 候选 ", f"{mark} candidate ") + said(skill["rule"])
        name = of + " · " + said(skill["how"])
        lines.append(_counts(name, skill) + _ranked(skill))
    for skill in result.get("published") or ():
        name = Text(f"已发表 {skill['rule']}", f"published: {skill['rule']}")
        lines.append(_counts(name, skill) + _ranked(skill))
    lines += _trade_off(result.get("trade_off") or ())
    lines += [Text(f"注：{zh(note)}", f"note: {en(note)}") for note in result.get("notes") or ()]
    if result.get("out"):
        lines.append(Text(f"已写：{result['out']}", f"written: {result['out']}"))
    return lines


def _ranked(one: Json) -> str:
    return "" if one.get("auc") is None else f" · AUC {one['auc']:.2f}"


def _counts(name: Said, one: Json) -> Text:
    def ratio(key: str) -> str:
        value, interval = one.get(key), one.get(f"{key}_interval")
        if value is None:
            return f"{key.upper()} –"
        between = (
            f" ({interval[0]:.2f} … {interval[1]:.2f})" if interval and None not in interval else ""
        )
        return f"{key.upper()} {value:.2f}{between}"

    return Text(
        f"{zh(name)}: 命中 {one['hits']} · 漏报 {one['misses']} · 空报 "
        f"{one['false_alarms']} · {ratio('pod')} · {ratio('far')} · {ratio('csi')}",
        f"{en(name)}: hits {one['hits']} · misses {one['misses']} · false "
        f"{one['false_alarms']} · {ratio('pod')} · {ratio('far')} · {ratio('csi')}",
    )


def _trade_off(steps: Sequence[Json]) -> list[Said]:
    if not steps:
        return []
    lines: list[Said] = [
        Text(
            "取舍：                      阈值    POD   FAR   CSI",
            "trade-off:            threshold    POD   FAR   CSI",
        )
    ]
    for s in steps:
        cells = "  ".join(
            "  – " if s.get(k) is None else f"{s[k]:.2f}" for k in ("pod", "far", "csi")
        )
        lines.append(f"  {s['threshold']:>26.3g}   {cells}")
    return lines
