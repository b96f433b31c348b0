"""Who answers for the thresholds a run would start with: scored on a record, or signed for, or nobody.

A live run refuses thresholds that were changed and that nobody scored or signed; the run's folder
remembers what it last started with, so that taking `proof.toml` away does not help. The very first
thresholds without any proof may start, since a village without a signature still wants its warning:
that is told each time.
"""

from pathlib import Path

from config.language import Said, Text, en, joined, zh
from config.proof import FILE, Proof, standing
from config.read.problem import Problem
from config.records.district import District
from fengsui.run.setup import Setup
from stream.disk.files import make_folder, write_file
from stream.environment import Usage

_REMEMBERED = "thresholds.version"


def told(proof: Proof) -> Text:
    """An entry in one line."""
    if proof.how == "signed":
        return Text(
            f"{proof.by} 签字 {proof.on}：{proof.reason}",
            f"{proof.by} signed {proof.on}: {proof.reason}",
        )
    return Text(
        f"{proof.by} {proof.on} 回放：{proof.step} 提前 ≥ {proof.min_lead_min:g} min，命"
        f"中 {proof.hits}，漏报 {proof.misses}，空报 {proof.false_alarms}",
        f"{proof.by} hindcast {proof.on}: {proof.step} lead ≥ {proof.min_lead_min:g} "
        f"min, hits {proof.hits}, misses {proof.misses}, false {proof.false_alarms}",
    )


def unproved(district: District) -> Text:
    """What is said of thresholds without any proof.toml."""
    return Text(
        f"⚠ 阈值 {district.rules_version} 未经评分，也无人签字：fengsui sign "
        f"{district.folder} --by ID --reason …",
        f"⚠ thresholds {district.rules_version} were neither scored on a record nor "
        f"signed for: fengsui sign {district.folder} --by ID --reason …",
    )


def doubts(district: District) -> list[Text]:
    """What an exercise says of thresholds that a live run would refuse, or that nobody answers for."""
    _, found, problems = standing(district.folder, district)
    return ["⚠ " + p.text for p in problems] or ([] if found else [unproved(district)])


def start(setup: Setup) -> Said:
    """What to tell at the start of a run. Raises Usage where a live run must not start."""
    district = setup.district
    if not setup.live:
        return joined(doubts(district), "\n") if doubts(district) else ""
    proof, found, problems = standing(district.folder, district)
    memory = setup.folder / _REMEMBERED
    if not found:
        problems = _gone(memory, district)
    if problems:
        raise Usage(
            Text(
                f"{district.folder}: 不启动实战：",
                f"{district.folder}: a live run does not start: ",
            )
            + "; ".join(str(p) for p in problems)
        )
    make_folder(setup.folder)
    write_file(memory, f"{district.rules_version} {'proved' if proof else 'unproved'}\n".encode())
    return (
        Text(f"阈值：{zh(told(proof))}", f"thresholds: {en(told(proof))}")
        if proof
        else unproved(district)
    )


def _gone(memory: Path, district: District) -> list[Problem]:
    """Without proof.toml: had this run had one, or other thresholds?"""
    if not memory.exists():
        return []
    version, how = [*memory.read_text("utf-8").split(), "", ""][:2]
    if how == "proved":
        said = Text("文件不见了，上次启动时还在", "the file is gone, the last start had it")
        return [
            Problem(
                FILE,
                0,
                "",
                said,
                Text(
                    "恢复它，或 fengsui sign DIR --by ID --reason …",
                    "put it back, or fengsui sign DIR --by ID --reason …",
                ),
            )
        ]
    if version != district.rules_version:
        said = Text(
            f"阈值已改动（{version} → {district.rules_version}），没有凭据",
            f"thresholds were changed since the last start ({version} → "
            f"{district.rules_version}), without a proof",
        )
        return [Problem(FILE, 0, "", said, "fengsui sign DIR --by ID --reason …")]
    return []
