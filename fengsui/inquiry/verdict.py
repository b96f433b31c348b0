"""What was found in a pack, in lines. Pure."""

from collections.abc import Iterator

from config.language import Said, Text, each, text_of
from fengsui.files.export import moment
from fengsui.inquiry.account import ranges
from fengsui.inquiry.left_out import NAMED
from fengsui.inquiry.seal import PackManifest, groups
from fengsui.inquiry.verify import PackFindings

_SHOWN = 40  # faults


def verdict(found: PackFindings) -> Iterator[Said]:
    """Faults first, each with `!`; then what was trusted, and what the pack cannot say. What stands in the pack
    is another's: no character of it moves the cursor or begins a line."""
    for said in _lines(found):
        yield each(said, _printable)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\u3000" else "\ufffd" for c in text)


def _when(at: int) -> str:
    """A moment that whoever signed wrote, whatever it is."""
    try:
        return moment(at)
    except (ValueError, OverflowError, OSError):
        return str(at)


def _lines(found: PackFindings) -> Iterator[Said]:
    for words in found.faults[:_SHOWN]:
        yield "! " + text_of(words)
    if (more := len(found.faults) - _SHOWN) > 0:
        yield Text(f"! 还有 {more} 处", f"! and {more} more")
    m = found.manifest
    if m is None:
        return
    if not found.faults:
        yield Text(
            f"查证包完好：{m.district} {m.run} {m.incident}，{found.records} 条记录，{m.statements} 条陈述",
            f"the pack is whole: {m.district} {m.run} {m.incident}, {found.records} records, "
            f"{m.statements} statements",
        )
        yield from _counts(found)
    yield from _whose(found, m)
    yield from _limits(found, m)


def _counts(found: PackFindings) -> Iterator[Said]:
    yield Text(
        f"  {found.proven} 条与日志逐字节相符；{found.records - found.proven} 条有未附的字段，其中 "
        f"{found.vouched} 条由台账条目担保（代号、级别、状态、时刻）",
        f"  {found.proven} are byte for byte as in the log; of {found.records - found.proven} fields were "
        f"left out, {found.vouched} of these are vouched for by their entry of the ledger (ids, levels, "
        "states, times)",
    )
    if more := found.records - found.proven - found.vouched:
        yield Text(
            f"  {more} 条有未附的字段，台账不记这类记录或还没有：只有做包的人担保",
            f"  {more} have fields left out and no entry of the ledger: only whoever made the pack vouches",
        )
    if found.retold:
        yield Text(
            "  陈述和各页由包里的记录和表重做，逐字节相同",
            "  statements and pages were made again of the records and tables here, and are the same bytes",
        )
    else:
        yield Text(
            "  陈述和各页没有重做（做包的是另一版程序，或包里的表缺了人就读不成）：它们说什么由做包的人担保",
            "  statements and pages were not made again (another build made the pack, or its tables cannot be "
            "read without people): whoever made it vouches for what they say",
        )
    if found.proofs is not None:
        p = found.proofs
        none = Text(f"，{p.none} 个无签名", f", {p.none} have none") if p.none else Text("", "")
        yield Text(
            f"  人的决定（整个台账）：{p.right} 个签名相符{none.zh}",
            f"  people's decisions (in the whole ledger): {p.right} signatures fit{none.en}",
        )


def _whose(found: PackFindings, m: PackManifest) -> Iterator[Said]:
    """Which key was trusted, and how to tell whether rightly."""
    why = Text("没有写谁要的", "who wished it was not said")
    if m.by or m.reason:
        why = Text(f"{m.by} 要的：{m.reason}", f"wished by {m.by}: {m.reason}")
    yield Text(
        f"制作于 {_when(m.made_at)}，Fengsui {m.fengsui}；{why.zh}",
        f"made at {_when(m.made_at)} by Fengsui {m.fengsui}; {why.en}",
    )
    yield Text(f"签名公钥：{groups(m.key)}", f"signed with the key {groups(m.key)}")
    if found.given:
        yield Text(
            "所信的公钥：由 --key 给出的那一把",
            "trusted: the key that was given with --key",
        )
        return
    yield Text(
        "! 所信的公钥：包里自带的。这只说明包前后一致，不说明是谁做的：能改一切的人可以用自己的钥匙另做一包。",
        "! trusted: the pack's own key. That shows that the pack agrees with itself, not who made it: who can "
        "change everything can make another with a key of their own.",
    )
    yield Text(
        "  请用电话或当面，与值班单位存档的 keys/ledger.pub 逐组对照上面的公钥；或用存档的一份重查：--key "
        "ledger.pub",
        "  Compare the key above group by group, by telephone or in person, with keys/ledger.pub as the duty "
        "office has it on file; or verify again with that file: --key ledger.pub",
    )


def _limits(found: PackFindings, m: PackManifest) -> Iterator[Said]:
    if not found.sealed:
        yield Text(
            "注：这是解开的文件夹，只按清单核对；整个档案的封签在 zip 上",
            "note: this is an unpacked folder, verified by its manifest; the seal over the whole archive is "
            "on the zip",
        )
    for name in m.named:
        words = NAMED.get(name, Text(name, name))
        yield Text(f"注：附有个人信息：{words.zh}", f"note: holds personal data: {words.en}")
    if found.alone:
        which = ranges(found.alone)
        yield Text(
            f"注：制作时台账还没有其中 {len(found.alone)} 条记录（第 {which} 条）：只有做包的人担保",
            f"note: {len(found.alone)} of its records ({which}) were not in the ledger yet when it was made: "
            "only whoever made it vouches for them",
        )
    if m.configs and m.configs != (m.config,):
        yield Text(
            f"注：当时的配置版本是 {' '.join(m.configs)}，包里的表是 {m.config}",
            f"note: the configuration in force was {' '.join(m.configs)}, the tables here are {m.config}",
        )
    cut = sorted(t for t, starts in m.kept_since.items() if any(starts))
    if cut:
        names = " ".join(cut)
        yield Text(
            f"注：制作时日志里更早的 {names} 已过保留期",
            f"note: when it was made, older records of {names} had passed their retention",
        )
