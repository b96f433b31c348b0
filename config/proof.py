"""What a district's thresholds rest on: `proof.toml`, one entry each time they were scored on a record
or signed for. Changed thresholds or rules that have neither are refused by `fengsui check` and by
the start of a live run.

Each entry names the digest of the one before it, so that one that was edited or taken out shows. It
is no cryptographic signature: it names who answers, and an honest `git log` of the folder says when.
"""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from config.language import Text
from config.read.problem import Problem
from config.read.tables import read_toml
from config.records.district import District, RainThreshold, StageThreshold
from config.records.reaches import Reach
from config.records.row import Row
from config.records.rules import Rules

FILE = "proof.toml"
_HEAD = """\
# 阈值凭据：每次改动阈值或规则，须有一次回放评分，或有人签字。由命令写入；手改会被发现并拒绝。
# What the thresholds rest on: each change needs a hindcast or a signature. Written by the commands
# below; an entry that was edited or taken out by hand is noticed, and the folder is refused.
#   fengsui hindcast DIR --observations CSV --events CSV --record --by ID
#   fengsui sign DIR --by ID --reason TEXT
"""


class Proof(Row, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry. rules: `District.rules_version` of what it speaks for; on: date, UTC. Counts and
    digests of the two files are those of a hindcast. seal: see `sealed`."""

    rules: str
    how: Literal["hindcast", "signed"]
    by: str
    on: str
    reason: str = ""
    observations_sha256: str = ""
    events_sha256: str = ""
    step: str = ""
    min_lead_min: float = 0.0
    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    seal: str = ""


class Proofs(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """proof.toml."""

    proof: tuple[Proof, ...] = ()


class Standing(NamedTuple):
    """How the present thresholds stand: the newest entry that speaks for them, or None; whether there
    is a file at all; and what is wrong."""

    proof: Proof | None
    found: bool
    problems: list[Problem]


_written = json.JSONEncoder(sort_keys=True).encode
_PLAIN = frozenset((str, int, float, bool, type(None)))
# fields whose default is made anew for each record ({}), since this digest is written: empty, they must
# not change it. Older fields of that kind stand in every digest, and stay.
_MADE = frozenset({"beside"})


def rules_version(
    rain: Sequence[RainThreshold],
    stage: Sequence[StageThreshold],
    rules: Rules,
    reaches: Sequence[Reach] = (),
) -> str:
    """A hash of what decides levels: both tables of thresholds, rules.toml and reaches.csv, as loaded.
    A comment, a source, another order of rows or columns, or a default written out changes nothing; nor
    does a parameter that a later version of this program adds."""
    named = (rain, stage, reaches) if reaches else (rain, stage)
    tables = [sorted(_written(_stated(row)) for row in t) for t in named]
    body = _written([*tables, _stated(rules)])
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _stated(value: Any) -> Any:
    """Without what is at its default, and without sources."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, msgspec.Struct):
        held = {name: (getattr(value, name), default) for name, default in _fields(type(value))}
        return {name: _stated(v) for name, (v, default) in held.items() if v != default}
    if isinstance(value, list | tuple):
        return [_stated(v) for v in value]
    return msgspec.to_builtins(value)


@cache
def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    """Names and defaults of a record's fields; a table has hundreds of rows of one kind."""
    fields = [f for f in msgspec.structs.fields(kind) if f.name != "source"]
    return [(f.name, f.default_factory() if f.name in _MADE else f.default) for f in fields]


def sealed(previous: str, proof: Proof) -> Proof:
    """The entry as the next link after the seal `previous`."""
    bare = msgspec.structs.replace(proof, seal=previous)
    body = msgspec.json.encode(bare, order="sorted")
    return msgspec.structs.replace(proof, seal=hashlib.sha256(body).hexdigest()[:16])


def standing(folder: Path, district: District) -> Standing:
    """Read proof.toml. Without one there is nothing to refuse: `proof` is None, `found` False."""
    if not (folder / FILE).exists():
        return Standing(None, False, [])
    problems: list[Problem] = []
    entries = read_toml(folder / FILE, Proofs, problems)
    if entries is None:
        return Standing(None, True, problems)
    previous = ""
    for n, entry in enumerate(entries.proof, 1):
        if entry.seal != sealed(previous, entry).seal:
            said = Text(
                f"第 {n} 条被改过，或其前有一条被删",
                f"entry {n} was edited, or one before it taken out",
            )
            todo = Text(
                "恢复原文件（如 git checkout），或 fengsui sign DIR …",
                "put the file back (e.g. git checkout), or: fengsui sign DIR …",
            )
            return Standing(None, True, [Problem(FILE, 0, "seal", said, todo)])
        previous = entry.seal
    mine = [p for p in entries.proof if p.rules == district.rules_version]
    if mine:
        return Standing(mine[-1], True, [])
    said = Text(
        f"阈值或规则已改动（{district.rules_version}），没有回放评分，也没有人签字",
        f"thresholds or rules were changed ({district.rules_version}), and nobody "
        "scored or signed them",
    )
    todo = Text(
        "fengsui hindcast DIR --observations … --events … --record --by ID，或 "
        "fengsui sign DIR --by ID --reason …",
        "fengsui hindcast DIR --observations … --events … --record --by ID, or "
        "fengsui sign DIR --by ID --reason …",
    )
    return Standing(None, True, [Problem(FILE, 0, "proof", said, todo)])


def add(folder: Path, proof: Proof) -> Path:
    """Write one entry behind the others. A chain that is broken begins anew with it, and the file
    says so: what stood before is kept as comments."""
    path = folder / FILE
    before = path.read_bytes().decode("utf-8", "replace") if path.exists() else _HEAD
    previous = _last_seal(before)
    if previous is None:
        broken = "\n".join(
            x if x.startswith("#") else f"# {x}".rstrip() for x in before.splitlines()
        )
        before, previous = (
            f"{broken}\n# ↑ 链已断，不再作数 the chain was broken: no longer counted",
            "",
        )
    entry = msgspec.to_builtins(sealed(previous, proof))
    lines = ["[[proof]]", *(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in entry.items())]
    path.write_text(f"{before.rstrip()}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _last_seal(text: str) -> str | None:
    """Of the last entry; "" without one, None where the chain or the file is broken."""
    try:
        entries = msgspec.convert(tomllib.loads(text), Proofs).proof
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return None
    previous = ""
    for entry in entries:
        if entry.seal != sealed(previous, entry).seal:
            return None
        previous = entry.seal
    return previous
