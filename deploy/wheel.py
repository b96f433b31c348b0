#!/usr/bin/env python3
"""Builds the wheel and the sdist of a commit, the same bytes each time, with what says where they come from.

    python deploy/wheel.py [--out dist] [--key release.pem]     what stands committed, at HEAD
    python deploy/wheel.py key release.pem                      a key to sign with, and release.pub beside it

In OUT: fengsui-VERSION-py3-none-any.whl, fengsui-VERSION.tar.gz, sbom.cdx.json and provenance.json, a
statement of SLSA's provenance over the three; with a key signed in a DSSE envelope
(provenance.intoto.json). Times are those of the commit (SOURCE_DATE_EPOCH); files come from git and, as
they are locked, from npm, never from what lies about. Needs the environment of development.
"""

import argparse
import gzip
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
from deploy.parts import locked, page_parts, sbom
from fengsui.files.provenance import (
    BUILD_TYPE,
    PREDICATE,
    STATEMENT,
    ProvenanceStatement,
    Subject,
    key_id,
    sealed,
)

ROOT = Path(__file__).parent.parent
VENDOR = "console/static/vendor"
LOCKS = ("requirements.lock", "console/package-lock.json", "deploy/compose.yaml")
_BUILD = "from setuptools import build_meta as b; import sys; b.{what}(sys.argv[1])"


def git(*words: str) -> bytes:
    words = ("git", "-C", str(ROOT), *words)
    done = subprocess.run(words, capture_output=True, check=True)  # noqa: S603  # the machine's git
    return done.stdout


def source(folder: Path, commit: str) -> None:
    """The commit's files, and the pages' third-party JavaScript, with one mode each."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit))) as tar:
        tar.extractall(folder, filter="data")
    shutil.copytree(
        ROOT / VENDOR, folder / VENDOR, ignore=shutil.ignore_patterns("ready"), dirs_exist_ok=True
    )
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def same_tar(body: bytes, epoch: int) -> bytes:
    """An sdist in one order, with one time and owner: setuptools writes those of the machine."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(body)) as old,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda m: m.name):
            member.mtime, member.uid, member.gid = epoch, 0, 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=epoch)


def built(commit: str, epoch: int) -> dict[str, bytes]:
    """Name -> bytes of wheel and sdist."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="fengsui-wheel-") as place:
        tree, out = Path(place) / "source", Path(place) / "out"
        tree.mkdir()
        out.mkdir()
        source(tree, commit)
        env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"}
        env.pop("PYTHONPATH", None)
        for what in ("build_sdist", "build_wheel"):  # the sdist first: it leaves no build/ behind
            subprocess.run(  # noqa: S603  # setuptools
                [sys.executable, "-c", _BUILD.format(what=what), str(out)],
                cwd=tree, env=env, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        for file in sorted(out.iterdir()):
            body = file.read_bytes()
            found[file.name] = same_tar(body, epoch) if file.suffix == ".gz" else body
    return found


def statement(files: dict[str, bytes], commit: str, epoch: int) -> ProvenanceStatement:
    """Nothing in it is of this machine or moment, so it too is the same each time."""
    digest = {n: hashlib.sha256(b).hexdigest() for n, b in files.items()}
    locks = {
        name: hashlib.sha256(git("show", f"{commit}:{name}")).hexdigest()
        for name in LOCKS
    }
    needed = [{"uri": "git+fengsui", "digest": {"gitCommit": commit}}]
    needed += [{"uri": name, "digest": {"sha256": d}} for name, d in locks.items()]
    needed += [
        {"uri": f"pkg:pypi/{n}@{v}", "annotations": {"sha256": list(hashes)}}
        for n, v, hashes in locked()
    ]
    needed += [
        {"uri": f"pkg:npm/{p.name}@{p.version}", "digest": {a.lower().replace("-", ""): h}}
        for p in page_parts()
        for a, h in p.hashes
        if p.use == "image"
    ]
    return ProvenanceStatement(
        STATEMENT,
        [Subject(n, {"sha256": d}) for n, d in sorted(digest.items())],
        PREDICATE,
        {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"commit": commit, "command": "make wheel"},
                "internalParameters": {
                    "SOURCE_DATE_EPOCH": epoch,
                    "python": platform.python_version(),
                },
                "resolvedDependencies": needed,
            },
            "runDetails": {"builder": {"id": "urn:fengsui:builder:deploy/wheel.py"}},
        },
    )


def make(out: Path, key: Path | None) -> None:
    """Everything into `out`."""
    commit = git("rev-parse", "HEAD").decode().strip()
    epoch = int(git("show", "-s", "--format=%ct", commit))
    if git("status", "--porcelain", "--", *LOCKS).strip():
        raise SystemExit("先提交锁文件 commit first: " + ", ".join(LOCKS))
    if git("status", "--porcelain", "--untracked-files=no").strip():
        print("! 有未提交的改动，不在里面 uncommitted changes are not in it", file=sys.stderr)
    os.umask(0o022)
    files = built(commit, epoch)
    (wheel,) = (b for n, b in files.items() if n.endswith(".whl"))
    number, at = uuid5(NAMESPACE_URL, f"fengsui:{commit}"), datetime.fromtimestamp(epoch, UTC)
    files["sbom.cdx.json"] = sbom(hashlib.sha256(wheel).hexdigest(), number, at).encode()
    told = statement(files, commit, epoch)
    files["provenance.json"] = msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
    if key is not None:
        private = load_pem_private_key(key.read_bytes(), None)
        assert isinstance(private, Ed25519PrivateKey), "an Ed25519 key is wanted"
        files["provenance.intoto.json"] = sealed(told, private)
    out.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (out / name).write_bytes(body)
        print(f"{hashlib.sha256(body).hexdigest()}  {out / name}")
    if key is None:
        print("! 没有签名 not signed: --key release.pem", file=sys.stderr)


def new_key(file: Path) -> None:
    """A private key that only its owner may read, and the public one beside it."""
    key = Ed25519PrivateKey.generate()
    file.touch(0o600, exist_ok=False)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key()
    file.with_suffix(".pub").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    print(key_id(public), file.with_suffix(".pub"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["key"]:
        new_key(Path(sys.argv[2]))
    else:
        read = argparse.ArgumentParser()
        read.add_argument("--out", type=Path, default=ROOT / "dist")
        read.add_argument("--key", type=Path)
        asked = read.parse_args()
        make(asked.out, asked.key)
