"""The wheel of a commit: the same bytes wherever it is built, and what says where it comes from. Another
program than ours reads the signed statement: securesystemslib, where it is installed."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fengsui.cli.root import cli
from fengsui.files.provenance import PREDICATE, STATEMENT, opened

ROOT = Path(__file__).parents[2]
VENDOR = Path("console/static/vendor")
pytestmark = pytest.mark.servers  # git, and setuptools as a process of its own


def build(tree: Path, out: Path, *words: str, **env: str) -> dict[str, bytes]:
    done = subprocess.run(
        [sys.executable, "deploy/wheel.py", "--out", str(out), *words],
        cwd=tree, env={**os.environ, **env}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {p.name: p.read_bytes() for p in sorted(out.iterdir())}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release.pem"
    words = [sys.executable, str(ROOT / "deploy/wheel.py"), "key", str(file)]
    subprocess.run(words, check=True, capture_output=True)
    assert file.stat().st_mode & 0o777 == 0o600
    return file


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    if not (ROOT / VENDOR).is_dir() or not (ROOT / ".git").exists():
        pytest.skip("make console/static/vendor/ready, in a clone")
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out, "--key", str(key))
    return out


def test_two_places_give_the_same_bytes(dist: Path, key: Path, tmp_path: Path) -> None:
    other = tmp_path / "somewhere else"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(other)], check=True)
    shutil.copytree(ROOT / VENDOR, other / VENDOR)
    for file in other.rglob("*.py"):
        file.chmod(0o600)
    theirs = build(
        other, tmp_path / "out", "--key", str(key), TZ="Asia/Shanghai", PYTHONHASHSEED="7"
    )
    ours = {p.name: p.read_bytes() for p in sorted(dist.iterdir())}
    assert sorted(theirs) == sorted(ours)
    assert [n for n in ours if theirs[n] != ours[n]] == []


def test_the_statement_binds_the_wheel_its_sdist_its_bill_and_the_commit(
    dist: Path, key: Path
) -> None:
    statement = opened(
        (dist / "provenance.intoto.json").read_bytes(), key.with_suffix(".pub").read_bytes()
    )
    assert (statement.type_, statement.predicateType) == (STATEMENT, PREDICATE)
    (wheel,) = dist.glob("*.whl")
    names = {s.name for s in statement.subject}
    assert names == {wheel.name, f"{wheel.name.partition('-py3')[0]}.tar.gz", "sbom.cdx.json"}
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    built = statement.predicate["buildDefinition"]
    assert built["externalParameters"]["commit"] == head
    needed = {d["uri"] for d in built["resolvedDependencies"]}
    assert any(n.startswith("pkg:pypi/msgspec@") for n in needed)
    bill = json.loads((dist / "sbom.cdx.json").read_bytes())
    (digest,) = bill["metadata"]["component"]["hashes"]
    assert digest["content"] == {s.name: s.digest["sha256"] for s in statement.subject}[wheel.name]
    with zipfile.ZipFile(wheel) as packed:
        inside = packed.namelist()
    assert "console/static/vendor/leaflet.js" in inside
    assert not any(n.startswith(("tests/", "bench/")) for n in inside)


def asked(file: Path, key: Path, *words: str) -> Result:
    return CliRunner().invoke(
        cli, ["verify-wheel", str(file), "--key", str(key), *words], env={"FENGSUI_LANG": "en"}
    )


def test_a_changed_byte_is_refused(dist: Path, key: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    public, beside = key.with_suffix(".pub"), dist / "provenance.intoto.json"
    done = asked(wheel, public)
    assert (done.exit_code, "built from commit" in done.output) == (0, True)
    body = bytearray(wheel.read_bytes())
    for at in (0, len(body) // 2, len(body) - 1):
        body[at] ^= 1
        changed = tmp_path / wheel.name
        changed.write_bytes(body)
        body[at] ^= 1
        done = asked(changed, public, "--provenance", str(beside))
        assert (done.exit_code, "was changed" in done.output) == (1, True)
    renamed = tmp_path / "other-0.1.0-py3-none-any.whl"
    renamed.write_bytes(body)
    assert asked(renamed, public, "--provenance", str(beside)).exit_code == 1


def test_what_another_has_signed_is_refused(dist: Path, key: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    stranger = tmp_path / "stranger.pem"
    words = [sys.executable, str(ROOT / "deploy/wheel.py"), "key", str(stranger)]
    subprocess.run(words, check=True, capture_output=True)
    done = asked(wheel, stranger.with_suffix(".pub"))
    assert (done.exit_code, "has not signed" in done.output) == (1, True)
    envelope = json.loads((dist / "provenance.intoto.json").read_bytes())
    for part in ("payload", "payloadType"):
        forged = tmp_path / "forged.json"
        forged.write_text(json.dumps({**envelope, part: envelope[part][:-4] + "AAAA"}))
        done = asked(wheel, key.with_suffix(".pub"), "--provenance", str(forged))
        assert done.exit_code == 1, part
    unsigned = asked(wheel, key.with_suffix(".pub"), "--provenance", str(dist / "provenance.json"))
    assert unsigned.exit_code == 1


def test_securesystemslib_reads_it_too(dist: Path, key: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    told = json.loads((dist / "provenance.intoto.json").read_bytes())
    public = load_pem_public_key(key.with_suffix(".pub").read_bytes())
    known = SSlibKey.from_crypto(public, keyid=told["signatures"][0]["keyid"])
    assert list(Envelope.from_dict(told).verify([known], 1)) == [known.keyid]
