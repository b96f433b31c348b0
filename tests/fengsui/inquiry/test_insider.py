"""What whoever holds the key, and can sign what they like, cannot do to a pack; and what a stranger's pack
cannot do to whoever audits it."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.language import en, zh
from dispatch.ledger.writer import ledger_keys
from dispatch.records import Receipt
from fengsui.inquiry.chain import Chained
from fengsui.inquiry.seal import MANIFEST
from fengsui.inquiry.verdict import verdict
from fengsui.inquiry.verify import PackFindings, verify
from fengsui.run.setup import Setup
from stream.records import encode
from tests.support.after_action import T0, S
from tests.support.inquiry import again, by_insider, files_of, filled, lines_of, packed, told


class Pack:
    """A pack whole, and what an insider makes of it."""

    def __init__(self, setup: Setup, file: Path) -> None:
        packed(setup, file)
        self.files, self.place = files_of(file), file.parent
        self.lines = lines_of(self.files)
        self.private = ledger_keys(setup.folder, setup.live).private

    def line(self, *words: str) -> Chained:
        return next(x for x in self.lines if all(w.encode() in bytes(x.value) for w in words))

    def with_lines(self, lines: list[Chained], **more: object) -> PackFindings:
        made = by_insider(self.files, lines, self.private, **more)
        return verify(again(self.place, made, self.private), [])

    def instead(self, was: Chained, **more: object) -> PackFindings:
        lied = msgspec.structs.replace(was, **more)
        return self.with_lines([lied if x is was else x for x in self.lines])


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    place = tmp_path_factory.mktemp("insider")
    return Pack(filled(place)[0], place / "p.zip")


def test_a_record_cannot_hide_from_the_ledger(pack: Pack) -> None:
    held = pack.line('"type":"alert"', '"version":2', '"id":"w1"')
    blue = msgspec.Raw(bytes(held.value).replace(b'"level":4', b'"level":1'))
    assert bytes(blue) != bytes(held.value)
    # by saying that the ledger has no entry of it
    found = pack.instead(held, value=blue, left_out=("reason",), ledger=None)
    assert f"第 {held.n} 条：台账有它的条目，它却不指" in told(found)
    # nor by saying that a level is what people typed
    found = pack.instead(held, value=blue, left_out=("level", "action"))
    assert f"第 {held.n} 条：有一个写作未附的字段不是可以不附的" in told(found)
    # nor put other words where some were left out
    typed = pack.line('"act":"hold"')
    assert typed.left_out
    words = bytes(typed.value).replace("〔原话未附〕".encode(), "同意发布".encode())
    assert "还有字" in told(pack.instead(typed, value=msgspec.Raw(words)))


def test_a_record_that_the_ledger_never_had_is_counted_and_named(pack: Pack) -> None:
    value = encode(Receipt(delivery="b2", route=0, state="played", receipt_at=T0 + 480 * S))
    made_up = Chained(
        n=0, topic="deliveries", partition=0, offset=99, key="k", at=T0 + 480 * S,
        digest=hashlib.sha256(value).hexdigest(), value=msgspec.Raw(value),
    )  # fmt: skip
    assert "实有 1 条" in told(pack.with_lines([*pack.lines, made_up]))
    found = pack.with_lines([*pack.lines, made_up], unentered=1)
    assert f"第 {len(pack.lines) + 1} 条）：只有做包的人担保" in "\n".join(map(zh, verdict(found)))


def test_nothing_is_in_it_twice_nor_moved(pack: Pack) -> None:
    many = len(pack.lines)
    twice = told(pack.with_lines([*pack.lines, pack.lines[-1]]))
    assert f"第 {many + 1} 条：在日志里的位置不在上一条之后" in twice
    moved = [*pack.lines[:-2], pack.lines[-1], pack.lines[-2]]
    assert f"第 {many} 条：在日志里的位置不在上一条之后" in told(pack.with_lines(moved))


def test_one_key_sealed_it_and_signed_it(pack: Pack) -> None:
    other = Ed25519PrivateKey.generate().private_bytes_raw()
    found = verify(again(pack.place, pack.files, other), [])
    assert "由另一把钥匙签名" in told(found)


def test_what_a_stranger_wrote_moves_no_cursor_and_ends_no_audit(pack: Pack) -> None:
    bad = "x\n查证包完好：一切\x1b[2K"
    found = pack.with_lines(pack.lines, made_at=10**18, by=bad, reason=bad)
    found.faults.append(bad)
    for words in (*map(zh, verdict(found)), *map(en, verdict(found))):
        assert words.replace("\u3000", "").isprintable()
    found = verify(again(pack.place, {**pack.files, bad: b""}, pack.private), [])
    assert all(zh(x).isprintable() for x in found.faults)
    newer = pack.with_lines(pack.lines, format=9)
    assert newer.manifest is None
    assert "用做它的那一版核对" in told(newer)
    # no file is unpacked beyond what the manifest says of it
    large = pack.files["account.json"] + b" " * (1 << 20)
    out = told(verify(again(pack.place, {**pack.files, "account.json": large}, pack.private), []))
    assert out.count("\n") == 0
    assert "account.json：内容被改" in out
    huge = {**pack.files, MANIFEST: b" " * (20 << 20)}
    assert "manifest.json" in told(verify(again(pack.place, huge, pack.private), []))


def test_statements_and_pages_say_what_the_records_say(pack: Pack) -> None:
    whole = pack.with_lines(pack.lines)
    assert (whole.faults, whole.retold) == ([], True)
    assert "逐字节相同" in "\n".join(map(zh, verdict(whole)))

    def told_of(**changed: bytes) -> str:
        files = {**pack.files, **{n.replace("__", "."): b for n, b in changed.items()}}
        made = by_insider(files, pack.lines, pack.private)
        return told(verify(again(pack.place, made, pack.private), []))

    page = pack.files["commission.html"].replace("演练".encode(), "实战".encode(), 1)
    assert "commission.html：不是包里的记录和表所说的" in told_of(commission__html=page)
    other = pack.files["account.json"].replace("发给".encode(), "未发".encode(), 1)
    assert other != pack.files["account.json"]
    assert "account.json：不是包里的记录和表所说的" in told_of(account__json=other)
    # another build may word it otherwise: nothing is said of it, and that this was not looked at
    version = pack.files["software/version.json"].replace(
        b'"source_sha256": "', b'"source_sha256": "0'
    )
    files = {**pack.files, "software/version.json": version, "commission.html": page}
    made = by_insider(files, pack.lines, pack.private)
    found = verify(again(pack.place, made, pack.private), [])
    assert (found.faults, found.retold) == ([], False)
    assert "没有重做" in "\n".join(map(zh, verdict(found)))
