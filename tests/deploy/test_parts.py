"""What Fengsui is made of: the bill of materials names all that is locked and fits its schema, and the
notices of third parties fit what is locked and installed."""

import json
import re
from functools import cache
from importlib.metadata import Distribution, version
from pathlib import Path

import pytest
from license_expression import get_spdx_licensing

from deploy import parts as parts_module
from deploy.parts import ROOT, Part, locked, notices, parts, sbom
from tests.support.deploy import SERVICES

PARTS = parts()
GIVEN = [p for p in PARTS if p.use != "development"]  # to whoever gets the image or an extra
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
licences = cache(get_spdx_licensing)  # every licence that SPDX knows, read once


def test_every_line_of_the_locks_is_a_part_and_carries_its_checksums() -> None:
    names = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", LOCK, re.MULTILINE)
    assert len(names) > 100
    assert [f"{n}=={v}" for n, v, _ in locked()] == names
    assert sum(len(p.hashes) for p in PARTS if p.kind == "pypi") == LOCK.count("--hash=sha256:")
    pages = json.loads((ROOT / "console/package-lock.json").read_text("utf-8"))["packages"]
    assert {p.name for p in PARTS if p.kind == "npm"} == {
        n.rpartition("node_modules/")[2] for n in pages if n
    }
    images = {f"{p.name}:{p.version}" for p in PARTS if p.kind == "container"}
    ours = f"fengsui:{version('fengsui')}"
    assert {s["image"] for s in SERVICES.values()} - {ours} <= images


@pytest.mark.parametrize("part", GIVEN, ids=lambda p: f"{p.kind}-{p.name}-{p.version}")
def test_what_is_given_to_others_has_a_licence_that_is_known(part: Part) -> None:
    own = part.licence.startswith("LicenseRef-")
    assert own or not licences().validate(part.licence).errors, part.licence


def valid(text: str) -> object:
    """By the schema of CycloneDX: None, or what is wrong."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def test_the_bill_of_materials_is_one_and_names_every_part() -> None:
    text = sbom()
    assert valid(text) is None
    found = json.loads(text)
    assert found["bomFormat"] == "CycloneDX"
    assert found["metadata"]["component"]["name"] == "fengsui"
    scopes = {"image": "required", "development": "excluded"}
    mine = {(c["purl"].rpartition("@")[0], c["version"], c["scope"]) for c in found["components"]}
    assert len(mine) == len(PARTS)
    for p in PARTS:
        kind = "docker" if p.kind == "container" else p.kind
        name = p.name.replace("@", "%40")  # as a purl writes the scope of an npm package
        assert (f"pkg:{kind}/{name}", p.version, scopes.get(p.use, "optional")) in mine
    broken = text.replace('"CycloneDX"', '"Another"')
    assert valid(broken) is not None


def test_the_notices_fit_the_lock() -> None:
    written = (ROOT / "THIRD-PARTY.md").read_text("utf-8")
    assert written == notices(), "run: make notices"
    for p in GIVEN:
        assert f"| {p.name} ({p.kind}) | {p.version} | {p.licence} |" in written


def test_an_extra_is_known_from_the_project_s_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment may have been made before the extra was."""
    found = parts_module._installed

    def older(name: str) -> Distribution | None:
        assert name != "fengsui", "what was installed of ourselves is not asked"
        return found(name)

    monkeypatch.setattr(parts_module, "_installed", older)
    assert "obspy" in parts_module.ours(("seismic",)) - parts_module.ours(())


def test_who_must_be_named_is_named_and_travels_with_the_image_and_the_wheel() -> None:
    lesser = [p.name for p in GIVEN if "LGPL" in p.licence]
    assert sorted(lesser) == ["crc32c", "obspy", "smpplib"]
    words = (ROOT / "THIRD-PARTY.md").read_text("utf-8").partition("\n## ")[0]
    assert all(name in words for name in lesser)
    assert not [p for p in GIVEN if p.use != "server" and re.search(r"(?<!L)GPL", p.licence)]
    assert '"THIRD-PARTY.md"' in (ROOT / "pyproject.toml").read_text("utf-8")
    copied = (ROOT / "deploy/Containerfile").read_text("utf-8")
    assert "THIRD-PARTY.md" in copied
    assert "!THIRD-PARTY.md" in (ROOT / "deploy/Containerfile.dockerignore").read_text("utf-8")


def test_ci_makes_it_and_the_page_on_security_says_how_to_report() -> None:
    assert "make sbom" in (ROOT / ".ci/run").read_text("utf-8")
    page = Path(ROOT / "SECURITY.md").read_text("utf-8")
    assert "Report a vulnerability" in page
    assert "@" not in page  # no invented address
    assert version("fengsui").partition(".")[0] + ".x" in page
