"""The sealed account of an incident: it is verified by itself alone, and whatever is done to it is found and
named."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.language import en, zh
from dispatch.ledger.writer import ledger_keys
from fengsui.inquiry.account import KINDS, Statement
from fengsui.inquiry.seal import PackManifest, groups
from fengsui.inquiry.software import bill
from fengsui.inquiry.verdict import verdict
from fengsui.inquiry.verify import verify
from fengsui.run.setup import Setup
from stream.environment import Usage
from stream.log.port import Out
from stream.records import encode
from tests.support.after_action import T0, S, receipt
from tests.support.backups import opened
from tests.support.examples import examples
from tests.support.inquiry import (
    INCIDENT,
    NAME,
    NUMBER,
    RUN,
    again,
    by_insider,
    entered,
    files_of,
    filled,
    lines_of,
    packed,
    told,
)
from tests.support.played import ROOT, fengsui


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    return filled(tmp_path_factory.mktemp("pack"))[0]


@pytest.fixture(scope="module")
def pack(run: Setup) -> Path:
    file = run.folder.parent / "pack.zip"
    packed(run, file)
    return file


@pytest.fixture(scope="module")
def key(run: Setup) -> Path:
    return run.folder / "keys" / "ledger.pub"


def test_it_is_whole_with_the_key_and_without(pack: Path, key: Path, run: Setup) -> None:
    found = verify(pack, [key])
    assert found.faults == []
    assert found.given
    assert found.records == found.proven + found.vouched > 30
    words = "\n".join(map(zh, verdict(found)))
    assert "查证包完好" in words
    assert "由 --key 给出" in words
    alone = verify(pack, [])
    assert alone.faults == []
    words = "\n".join(map(en, verdict(alone)))
    assert "the pack's own key" in words
    public = key.read_text().strip()
    assert " ".join(public[i : i + 8] for i in range(0, 64, 8)) in words


def test_what_is_in_it(pack: Path, run: Setup) -> None:
    files = files_of(pack)
    statements = msgspec.json.decode(files["account.json"], type=list[Statement])
    assert {s.kind for s in statements} == set(KINDS)
    lines = lines_of(files)
    for s in statements:  # each rests on records that are there, known at or before what it says
        assert s.rests
        assert all(lines[n - 1].n == n for n in s.rests)
    asked = next(s for s in statements if s.kind == "asked")
    assert asked.at == T0 + 70 * S
    assert "在问 K-01" in asked.words.zh
    (on,) = [lines[n - 1] for n in asked.rests]
    assert (on.topic, on.ledger is not None) == ("alerts", True)
    manifest = msgspec.json.decode(files["manifest.json"], type=PackManifest)
    assert manifest.alerts == ("w1",)
    assert {"config/thresholds_rain.csv", "config/policy.toml"} <= manifest.files.keys()
    assert not [n for n in manifest.files if "contacts" in n]
    # the other incident's warning is no part of it
    assert b'"id":"w2"' not in files["records.jsonl"]
    version = json.loads(files["software/version.json"])
    assert (version["fengsui"], len(version["source_sha256"])) == (manifest.fengsui, 64)


def test_the_bill_of_materials_fits_its_schema() -> None:
    text = bill().decode()
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert {"msgspec", "cryptography"} <= {c["name"] for c in json.loads(text)["components"]}
    assert bill().decode() == text


def test_people_stay_out_unless_they_are_named(pack: Path, run: Setup, tmp_path: Path) -> None:
    for name, body in files_of(pack).items():
        assert NUMBER.encode() not in body, name
        assert NAME.encode() not in body, name
        assert "会商".encode() not in body or name.startswith("config/"), name
    packed(run, tmp_path / "named.zip", "words")
    with_words = files_of(tmp_path / "named.zip")
    assert NAME.encode() in with_words["records.jsonl"]
    assert "会商".encode() in with_words["commission.html"]
    assert b"550 " not in with_words["records.jsonl"]  # what the carrier said was not named
    manifest = msgspec.json.decode(with_words["manifest.json"], type=PackManifest)
    assert (manifest.named, manifest.by, manifest.reason) == (("words",), "K-01", "审计")
    found = verify(tmp_path / "named.zip", [])
    assert found.faults == []
    assert "原话" in "\n".join(map(zh, verdict(found)))


def test_pages_are_whole_in_themselves_and_in_one_language(pack: Path) -> None:
    files = files_of(pack)
    for name in ("commission.html", "commission.en.html", "lawyer.html", "lawyer.en.html"):
        text = files[name].decode()
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        assert "src=" not in text
    assert "逐分钟" in files["commission.html"].decode()
    assert "By the minute" in files["commission.en.html"].decode()
    assert "By the minute" not in files["commission.html"].decode()
    manifest = msgspec.json.decode(files["manifest.json"], type=PackManifest)
    public = " ".join(manifest.key[i : i + 8] for i in range(0, 64, 8))
    assert all(public in files[n].decode() for n in ("commission.html", "lawyer.en.html"))
    # each statement of the one stands on the other
    for s in msgspec.json.decode(files["account.json"], type=list[Statement]):
        assert f'id="s{s.n}"' in files["lawyer.html"].decode()
        assert f"[{s.n}]" in files["commission.html"].decode()


def test_each_kind_of_tampering_is_named(pack: Path, key: Path, tmp_path: Path) -> None:
    files = files_of(pack)
    rows = files["records.jsonl"].splitlines(keepends=True)

    def faults(changed: dict[str, bytes]) -> str:
        return told(verify(again(tmp_path, changed), [key]))

    edited = files["commission.html"].replace("演练".encode(), "实战".encode(), 1)
    assert "commission.html：内容被改" in faults({**files, "commission.html": edited})
    without = {n: b for n, b in files.items() if n != "config/policy.toml"}
    assert "config/policy.toml：缺失" in faults(without)
    assert "added.txt：清单里没有" in faults({**files, "added.txt": b"x"})
    cut_out = faults({**files, "records.jsonl": b"".join(rows[:9] + rows[10:])})
    assert "records.jsonl 第 10 条：第 10 至 10 条被抽去" in cut_out
    tail = faults({**files, "records.jsonl": b"".join(rows[:-2])})
    assert f"清单说有 {len(rows)} 条，现有 {len(rows) - 2} 条：末尾被截去" in tail
    one = rows[9].replace(b'"at":1', b'"at":2', 1)
    assert "第 10 条：内容被改" in faults(
        {**files, "records.jsonl": b"".join([*rows[:9], one, *rows[10:]])}
    )
    moved = [*rows[:8], rows[9], rows[8], *rows[10:]]
    assert "第 9 条" in faults({**files, "records.jsonl": b"".join(moved)})
    ledger = files["ledger/alerts.jsonl"].splitlines(keepends=True)
    assert "ledger：alerts 第 3 条" in faults(
        {**files, "ledger/alerts.jsonl": b"".join(ledger[:2] + ledger[3:])}
    )
    no_manifest = {n: b for n, b in files.items() if n != "manifest.json"}
    assert "manifest.json：缺失" in faults(no_manifest)
    text = files["manifest.json"].replace(b'"reason":""', b'"reason":"x"')
    assert "manifest.json：被改：签名不符" in faults({**files, "manifest.json": text})


def test_what_cannot_be_read_is_not_said_to_be_left_out(
    pack: Path, key: Path, tmp_path: Path
) -> None:
    files = files_of(pack)
    rows = files["records.jsonl"].splitlines(keepends=True)
    out = told(
        verify(again(tmp_path, {**files, "records.jsonl": b"".join(rows[:9] + rows[12:])}), [key])
    )
    assert "第 10 至 12 条被抽去" in out
    assert "没有核对" in out
    assert "被略去" not in out
    assert "末尾被截去" not in out
    less = {n: b for n, b in files.items() if n != "ledger/deliveries.jsonl"}
    out = told(verify(again(tmp_path, less), [key]))
    assert "ledger/deliveries.jsonl：缺失" in out
    assert "没有核对" in out
    assert "它所指的条目" not in out
    body = bytearray(pack.read_bytes())
    with zipfile.ZipFile(pack) as z:
        info = z.getinfo("records.jsonl")
        at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    body[at] ^= 1
    (tmp_path / "flipped.zip").write_bytes(body)
    out = told(verify(tmp_path / "flipped.zip", [key]))
    assert "封签与档案不符" in out
    assert "records.jsonl：内容被改" in out
    assert "被略去" not in out
    assert "末尾被截去" not in out
    # a tail that was cut where lines end: what the ledger has of it is named
    out = told(verify(again(tmp_path, {**files, "records.jsonl": b"".join(rows[:-3])}), [key]))
    assert "末尾被截去" in out
    assert "它的记录不在包里" in out


def test_another_key_is_named(pack: Path, key: Path, tmp_path: Path) -> None:
    files, other = files_of(pack), Ed25519PrivateKey.generate().private_bytes_raw()
    forged = again(tmp_path, by_insider(files, lines_of(files), other), other)
    found = verify(forged, [key])
    assert "由另一把钥匙签名" in told(found)
    # its pages name the key that they were made with
    assert "commission.html：不是包里的记录和表所说的" in told(verify(forged, []))
    # who trusts the pack's own key alone cannot tell one made with care, and is told so
    mine = Ed25519PrivateKey.from_private_bytes(other).public_key().public_bytes_raw().hex()
    theirs = groups(key.read_text().strip()).encode()
    pages = {n: b.replace(theirs, groups(mine).encode()) for n, b in files.items() if ".html" in n}
    forged = again(tmp_path, by_insider({**files, **pages}, lines_of(files), other), other)
    assert verify(forged, []).faults == []
    assert "逐组对照" in "\n".join(map(zh, verdict(verify(forged, []))))


def test_who_holds_the_key_cannot_leave_a_record_out_that_the_ledger_has(
    pack: Path, run: Setup, key: Path, tmp_path: Path
) -> None:
    private = ledger_keys(run.folder, run.live).private
    files = files_of(pack)
    lines = lines_of(files)
    held = next(x for x in lines if b'"act":"hold"' in bytes(x.value))
    less = again(tmp_path, by_insider(files, [x for x in lines if x is not held], private), private)
    assert held.ledger is not None
    assert f"台账 alerts 第 {held.ledger[1]} 条（decision）属于本事件，它的记录不在包里" in told(
        verify(less, [key])
    )
    # nor say in a record something else than its entry says
    lied = msgspec.structs.replace(
        held, value=msgspec.Raw(bytes(held.value).replace(b'"by":"K-01"', b'"by":"K-02"'))
    )
    other = [lied if x is held else x for x in lines]
    found = verify(again(tmp_path, by_insider(files, other, private), private), [key])
    assert "与台账条目所记不符" in told(found)
    # nor change one that is there whole
    whole = next(x for x in lines if x.topic == "observations" and not x.left_out)
    lied = msgspec.structs.replace(
        whole, value=msgspec.Raw(bytes(whole.value).replace(b"1", b"2", 1))
    )
    other = [lied if x is whole else x for x in lines]
    found = verify(again(tmp_path, by_insider(files, other, private), private), [key])
    assert f"第 {whole.n} 条：与它在日志里的 SHA-256 不符" in told(found)


@given(data=st.data())
@examples(100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_to_the_file_is_found(
    pack: Path, tmp_path: Path, data: st.DataObject
) -> None:
    body = pack.read_bytes()
    at = data.draw(st.integers(0, len(body) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "more", "front", "drop"])):
        case "flip":
            changed = (
                body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
            )
        case "cut":
            changed = body[:at]
        case "more":
            changed = body + data.draw(st.binary(min_size=1, max_size=40))
        case "front":
            changed = data.draw(st.binary(min_size=1, max_size=40)) + body
        case _:
            changed = body[:at] + body[at + data.draw(st.integers(1, 200)) :]
    file = tmp_path / "changed.zip"
    file.write_bytes(changed)
    try:
        assert verify(file, []).faults
    except Usage as e:
        assert "查证包" in str(e)


def test_a_folder_that_was_unpacked(pack: Path, key: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack) as z:
        z.extractall(tmp_path / "out")
    found = verify(tmp_path / "out", [key])
    assert found.faults == []
    assert "解开的文件夹" in "\n".join(map(zh, verdict(found)))
    (tmp_path / "out" / "config" / "policy.toml").write_text("x")
    (tmp_path / "out" / "account.json").unlink()
    (tmp_path / "out" / "account.json").symlink_to("/dev/null")
    words = told(verify(tmp_path / "out", [key]))
    assert "config/policy.toml：内容被改" in words
    assert "account.json：内容被改" in words


def test_what_came_since_is_no_fault_and_what_the_ledger_lacks_is_told(tmp_path: Path) -> None:
    setup, _ = filled(tmp_path)
    with opened(setup) as log:
        log.append([Out("deliveries", "k", encode(receipt("b1", "played", T0 + 900 * S)))])
    made = packed(setup, tmp_path / "a.zip")
    assert made.manifest.unentered == 1
    found = verify(tmp_path / "a.zip", [])
    assert found.faults == []
    assert "还没有其中 1 条" in "\n".join(map(zh, verdict(found)))
    with opened(setup) as log:
        entered(setup, log)
    assert packed(setup, tmp_path / "b.zip").manifest.unentered == 0


def test_the_commands(run: Setup, key: Path, tmp_path: Path) -> None:
    state, out = run.folder.parent, tmp_path / "p.zip"
    done = fengsui(state, "investigate", INCIDENT, "--run", RUN, "--out", str(out), FENGSUI_LANG="")
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    there = fengsui(state, "investigate", INCIDENT, "--run", RUN, "--out", str(out))
    assert there.returncode == 2
    assert "不覆盖" in there.stderr
    nameless = fengsui(
        state, "investigate", INCIDENT, "--run", RUN, "--out", str(out), "--with", "words"
    )
    assert nameless.returncode == 2
    assert "--by" in nameless.stderr
    # on a machine that has nothing but the program
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    copy = empty / "p.zip"
    copy.write_bytes(out.read_bytes())
    alone = subprocess.run(
        [sys.executable, "-m", "fengsui", "audit", "p.zip", "--key", str(key)],
        cwd=empty, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert (alone.returncode, alone.stderr) == (0, "")
    assert "查证包完好" in alone.stdout
    assert [p.name for p in empty.iterdir()] == ["p.zip"]
    copy.write_bytes(out.read_bytes()[:-1])
    assert fengsui(state, "audit", str(copy)).returncode == 1
    copy.write_bytes(b"nothing")
    assert fengsui(state, "audit", str(copy)).returncode == 2
