"""A backup that is damaged or forged, a run that is not new: refused by name, and nothing is written."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.files.backup import ORDER, take, verify
from fengsui.files.restore import restore
from stream.environment import Usage
from stream.log.port import Corrupt, Out
from tests.support.backups import CONFIG, DISTRICT, NOW, at, opened
from tests.support.examples import examples


def rewritten(file: Path, into: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """FILE with its members changed, or left out (None)."""
    with tarfile.open(file) as old, tarfile.open(into, "w:gz") as new:
        for info in old:
            body = old.extractfile(info)
            assert body is not None
            found = change(info.name, body.read())
            if found is not None:
                fresh = tarfile.TarInfo(info.name)
                fresh.size = len(found)
                new.addfile(fresh, io.BytesIO(found))
    return into


def refused(file: Path, tmp_path: Path, *words: str) -> None:
    """`Corrupt` with these words, and nothing was written."""
    with pytest.raises(Corrupt) as e:
        restore(file, "exercise-x", at(tmp_path / "new"))
    for word in words:
        assert word in str(e.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["records/alerts/0.jsonl", "config/rules.toml", "records/observations/1.jsonl"]
)
def test_a_damaged_member_is_named(whole: Path, tmp_path: Path, name: str) -> None:
    def flip(n: str, body: bytes) -> bytes:
        return body.replace(b"1", b"2", 1) if n == name else body

    refused(rewritten(whole, tmp_path / "x.tar.gz", flip), tmp_path, name)
    gone = rewritten(whole, tmp_path / "y.tar.gz", lambda n, b: None if n == name else b)
    refused(gone, tmp_path, name, "missing")


def with_member(file: Path, into: Path, info: tarfile.TarInfo, body: bytes, listed: bool) -> Path:
    """FILE and one more member; listed: the manifest was forged to know it."""

    def change(name: str, old: bytes) -> bytes:
        if name != "manifest.json" or not listed:
            return old
        manifest = json.loads(old)
        digest = hashlib.sha256(body).hexdigest()
        manifest["members"][info.name] = {"sha256": digest, "size": len(body)}
        return json.dumps(manifest).encode()

    rewritten(file, into, change)
    plain = gzip.decompress(into.read_bytes())
    raw = io.BytesIO(plain)
    with tarfile.open(fileobj=raw, mode="a:") as tar:
        info.size = len(body)
        tar.addfile(info, io.BytesIO(body))
    into.write_bytes(gzip.compress(raw.getvalue(), 1))
    return into


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    "name",
    ["../evil.toml", "config/../../evil.toml", "/tmp/evil.toml", "config/a/../../../evil",
     "config/.hidden", "records/alerts/../0.jsonl", "notes.txt"],
)  # fmt: skip
def test_a_member_that_would_leave_its_place_is_refused(
    whole: Path, tmp_path: Path, name: str, listed: bool
) -> None:
    file = with_member(whole, tmp_path / "x.tar.gz", tarfile.TarInfo(name), b"x", listed)
    refused(file, tmp_path, name)
    assert not list(tmp_path.parent.rglob("evil*"))


def test_links_and_doubles_are_refused(whole: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo("config/zz.toml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    refused(with_member(whole, tmp_path / "l.tar.gz", link, b"", True), tmp_path, "zz.toml")
    double = tarfile.TarInfo("config/rules.toml")
    refused(with_member(whole, tmp_path / "d.tar.gz", double, b"", False), tmp_path, "twice")


@pytest.mark.parametrize("district", ["../x", "a/b", "", "."])
def test_a_forged_district_does_not_become_a_path(
    whole: Path, tmp_path: Path, district: str
) -> None:
    def change(name: str, body: bytes) -> bytes:
        if name != "manifest.json":
            return body
        return json.dumps({**json.loads(body), "district": district}).encode()

    refused(rewritten(whole, tmp_path / "x.tar.gz", change), tmp_path, "manifest.json", "district")


@examples(25)
@given(where=st.floats(0.0, 0.999), cut_off=st.booleans())
def test_a_file_that_is_damaged_anywhere_is_refused(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, where: float, cut_off: bool
) -> None:
    body = bytearray(whole.read_bytes())
    place = 12 + int(where * (len(body) - 12))  # before it: gzip's time and system, of no weight
    body[place] ^= 0xFF
    file = tmp_path_factory.mktemp("d") / "x.tar.gz"
    file.write_bytes(body[:place] if cut_off else body)
    with pytest.raises((Corrupt, Usage)):
        verify(file)


def test_only_into_a_new_run_of_its_kind_and_shape(
    storm: Path, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(Usage, match="has records already"):
        restore(whole, "exercise-a", at(storm))
    with pytest.raises(Usage, match="kind"):
        restore(whole, "live", at(tmp_path))
    assert not (tmp_path / "live").exists()
    with opened(at(tmp_path)(DISTRICT, "exercise-one")) as log:
        log.append([Out("dead-letters", "k", b"{}")])
    with pytest.raises(Usage, match="dead-letters"):
        restore(whole, "exercise-one", at(tmp_path))
    with pytest.raises(Usage, match="nothing to back up"):
        take(at(tmp_path)(DISTRICT, "exercise-none"), CONFIG, tmp_path / "n.tar.gz", NOW)
    assert not (tmp_path / "n.tar.gz").exists()
    assert list(tmp_path.glob(".backup-*")) == []


def test_a_run_whose_records_are_gone_is_not_new(whole: Path, tmp_path: Path) -> None:
    with opened(at(tmp_path)(DISTRICT, "exercise-old")) as log:
        log.append([Out("cases", "k", b"{}", 0)])
        consumer = log.join("cases", "decide", "t")
        consumer.poll(0.1)
        consumer.commit(0, 1, [])
        consumer.close()
        log.trim(int(time.time() * 1000) + 10**12)
        assert log.read("cases", 0, 0) == []
    with pytest.raises(Usage, match="has records already"):
        restore(whole, "exercise-old", at(tmp_path))


def test_while_a_stage_holds_its_group_nothing_is_restored(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fengsui.files.restore._JOIN_S", 0.5)
    monkeypatch.setattr("stream.log.sqlite_group.LEASE_S", 600.0)  # held for as long as it takes
    setup = at(tmp_path)(DISTRICT, "exercise-held")
    with opened(setup) as log:
        consumer = log.join("cases", "decide", "t")
        consumer.poll(0.1)
        with pytest.raises(Usage, match="decide/cases"):
            restore(whole, "exercise-held", at(tmp_path))
        assert not any(any(log.ends(t)) for t in ORDER)
        consumer.close()


def test_a_password_in_the_tables_or_the_url_is_left_out(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    head = config / "district.toml"
    head.write_text(head.read_text() + "\n# kafka://u:geheim-1@h:9092?token=geheim-2\n")
    (config / ".env").write_text("PASSWORD=geheim-3")
    (config / "device.key").write_text("geheim-4")
    first = at(tmp_path)(DISTRICT, "exercise-p")
    with opened(first) as log:
        log.append([Out("cases", "k", b"{}", 0)])
    manifest = take(first, config, tmp_path / "p.tar.gz", NOW)
    assert b"geheim" not in gzip.decompress((tmp_path / "p.tar.gz").read_bytes())
    assert manifest.redacted == ["config/district.toml"]
