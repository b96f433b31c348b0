"""Who answers for the thresholds a run would start with: scored on a record, or signed for, or nobody.

A live run refuses thresholds that were changed and that nobody scored or signed; the run's folder
remembers what it last started with, so that taking `proof.toml` away does not help. The very first
thresholds without any proof may start, since a village without a signature still wants its warning:
that is told each time.
"""

from pathlib import Path

from config.proof import FILE, Proof, standing
from config.read.problem import Problem
from config.records.district import District
from fengsui.run.setup import Setup
from stream.disk.files import write_file
from stream.environment import Usage

_REMEMBERED = "thresholds.version"


def told(proof: Proof) -> str:
    """An entry in one line."""
    if proof.how == "signed":
        return f"{proof.by} 签字 signed {proof.on}：{proof.reason}"
    return (
        f"{proof.by} 回放 hindcast {proof.on}：{proof.step} 提前 lead ≥ {proof.min_lead_min:g} min，"
        f"命中 hits {proof.hits}，漏报 misses {proof.misses}，空报 false {proof.false_alarms}"
    )


def unproved(district: District) -> str:
    """What is said of thresholds without any proof.toml."""
    return (
        f"⚠ 阈值 {district.rules_version} 未经评分，也无人签字 these thresholds were neither scored on a "
        f"record nor signed for: fengsui sign {district.folder} --by ID --reason …"
    )


def doubts(district: District) -> list[str]:
    """What an exercise says of thresholds that a live run would refuse, or that nobody answers for."""
    _, found, problems = standing(district.folder, district)
    return [f"⚠ {p}" for p in problems] or ([] if found else [unproved(district)])


def start(setup: Setup) -> str:
    """What to tell at the start of a run. Raises Usage where a live run must not start."""
    district = setup.district
    if not setup.live:
        return "\n".join(doubts(district))
    proof, found, problems = standing(district.folder, district)
    memory = setup.folder / _REMEMBERED
    if not found:
        problems = _gone(memory, district)
    if problems:
        raise Usage(
            f"{district.folder}: 不启动实战 a live run does not start: "
            + "; ".join(str(p) for p in problems)
        )
    setup.folder.mkdir(parents=True, exist_ok=True)
    write_file(memory, f"{district.rules_version} {'proved' if proof else 'unproved'}\n".encode())
    return f"阈值 thresholds: {told(proof)}" if proof else unproved(district)


def _gone(memory: Path, district: District) -> list[Problem]:
    """Without proof.toml: had this run had one, or other thresholds?"""
    if not memory.exists():
        return []
    version, how = [*memory.read_text("utf-8").split(), "", ""][:2]
    if how == "proved":
        said = "文件不见了，上次启动时还在 the file is gone, the last start had it"
        return [
            Problem(FILE, 0, "", said, "恢复它 put it back, or fengsui sign DIR --by ID --reason …")
        ]
    if version != district.rules_version:
        said = (
            f"阈值已改动（{version} → {district.rules_version}），没有凭据 thresholds were changed since the "
            "last start, without a proof"
        )
        return [Problem(FILE, 0, "", said, "fengsui sign DIR --by ID --reason …")]
    return []
