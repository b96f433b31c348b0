#!/usr/bin/env python3
"""What Fengsui is made of that is not ours: the SBOM, and the notices of third parties.

    python deploy/parts.py sbom FILE       CycloneDX 1.6 JSON, held against its schema
    python deploy/parts.py notices FILE    THIRD-PARTY.md, with its tables as they are now

From the lock files (requirements.lock, console/package-lock.json), the images of deploy/compose.yaml,
and the licences that the installed packages state. Needs the environment of development.
"""

import json
import re
import sys
import tomllib
from base64 import b64decode
from datetime import datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import yaml
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
IMAGE = ("kafka", "influx")  # the extras that the image has
OPTIONAL = ("broadcast", "bufr", "camera", "camera-rtsp", "figures", "seismic")
# what the packages' own metadata leaves out or says in prose
_LICENCES = {
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "decorator": "BSD-2-Clause",
    "influxdb-client": "MIT",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "matplotlib": "LicenseRef-matplotlib",
    "mdurl": "MIT",
    "obspy": "LGPL-3.0-only",
    "eccodeslib": "Apache-2.0",  # the wheels of ECMWF's libraries name none; the projects do
    "eckitlib": "Apache-2.0",
    "opencv-python-headless": "Apache-2.0",
    "pwdlib": "MIT",
    "scipy": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "shellingham": "ISC",
    "signxml": "Apache-2.0",
    "smpplib": "LGPL-3.0-only",
}
# of the servers beside it: nothing of them is in our image
_SERVERS = {
    # what the image rests on: CPython, and Debian with its own in /usr/share/doc/*/copyright
    "python": "PSF-2.0",
    "apache/kafka": "Apache-2.0",
    "eclipse-mosquitto": "EPL-2.0 OR BSD-3-Clause",
    "influxdb": "MIT",
    "prom/prometheus": "Apache-2.0",
    "grafana/grafana": "AGPL-3.0-only",
}


class Part(NamedTuple):
    """kind: pypi, npm or container. use: image, optional, development, server. hashes: hex digests by
    algorithm, as the lock file has them."""

    kind: str
    name: str
    version: str
    licence: str
    use: str
    hashes: tuple[tuple[str, str], ...] = ()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, version and SHA-256 of its files, of requirements.lock. A package may stand there in two
    versions, for two versions of Python."""
    found = []
    text = (ROOT / "requirements.lock").read_text("utf-8")
    for entry in re.split(r"\n(?=[a-z0-9])", text):
        if head := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
            found.append((canonical(head[1]), head[2], tuple(hashes)))
    return found


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # of another platform, or a marker that does not hold
        return None


def needs(name: str, extras: tuple[str, ...], seen: set[str]) -> set[str]:
    """`name` and all that it needs on this machine."""
    told = _installed(name)
    if told is None:
        return seen
    seen.add(canonical(name))
    for line in told.metadata.get_all("Requires-Dist") or []:
        need = Requirement(line)
        holds = any(
            need.marker is None or need.marker.evaluate({"extra": e}) for e in ("", *extras)
        )
        if holds and canonical(need.name) not in seen:
            needs(need.name, tuple(need.extras), seen)
    return seen


def ours(extras: tuple[str, ...]) -> set[str]:
    """All that Fengsui needs with these extras: by what pyproject.toml says now, for what was installed may
    be older."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"]]
    lines += [line for e in extras for line in project["optional-dependencies"][e]]
    seen: set[str] = set()
    for need in map(Requirement, lines):
        if need.marker is None or need.marker.evaluate():
            needs(need.name, tuple(need.extras), seen)
    return seen


def licence(name: str) -> str:
    """As SPDX where the package says so; "" where nobody knows."""
    told = _installed(name)
    if name in _LICENCES or told is None:
        return _LICENCES.get(name, "")
    words = told.metadata["License-Expression"] or told.metadata["License"] or ""
    return {
        "MIT license": "MIT",
        "Apache License 2.0": "Apache-2.0",
        "Apache 2.0": "Apache-2.0",
        "Apache License Version 2.0": "Apache-2.0",
        "BSD": "BSD-3-Clause",
    }.get(words, words)


def python_parts() -> list[Part]:
    image = ours(IMAGE)
    optional = ours((*IMAGE, *OPTIONAL)) - image
    found = []
    for name, number, hashes in locked():
        use = "image" if name in image else "optional" if name in optional else "development"
        digests = tuple(("SHA-256", h) for h in hashes)
        found.append(Part("pypi", name, number, licence(name), use, digests))
    return found


def page_parts() -> list[Part]:
    """The console's JavaScript."""
    lock = json.loads((ROOT / "console/package-lock.json").read_text("utf-8"))
    found = []
    for place, told in lock["packages"].items():
        if not place:
            continue
        kind, _, digest = told["integrity"].partition("-")
        hexed = b64decode(digest).hex()
        algorithm = {"sha512": "SHA-512", "sha256": "SHA-256"}[kind]
        use = "development" if told.get("dev") else "image"
        name = place.rpartition("node_modules/")[2]
        found.append(
            Part("npm", name, told["version"], told["license"], use, ((algorithm, hexed),))
        )
    return found


def server_parts() -> list[Part]:
    """The images that are not ours: of compose, and the one that ours is built on."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))["services"]
    images = {s["image"] for s in services.values()} - {f"fengsui:{version('fengsui')}"}
    base = (ROOT / "deploy/Containerfile").read_text("utf-8").rpartition("\nFROM ")[2].split()[0]
    found = []
    for image in sorted({*images, base}):
        name, _, tag = image.rpartition(":")
        use = "image" if image == base else "server"
        found.append(Part("container", name, tag, _SERVERS[name], use))
    return found


def parts() -> list[Part]:
    return [*python_parts(), *page_parts(), *server_parts()]


_SCOPE = {
    "image": ComponentScope.REQUIRED,
    "optional": ComponentScope.OPTIONAL,
    "development": ComponentScope.EXCLUDED,
    "server": ComponentScope.OPTIONAL,
}


def sbom(wheel: str = "", number: UUID | None = None, at: datetime | None = None) -> str:
    """The bill of materials. wheel: its SHA-256, where it is the bill of one; number, at: of the bill itself,
    where it shall be the same each time. Raises ValueError: it does not fit the schema."""
    make = LicenseFactory()
    ours = Component(
        name="fengsui", version=version("fengsui"), type=ComponentType.APPLICATION,
        licenses=[make.make_from_string("Apache-2.0")], bom_ref="fengsui",
        purl=PackageURL("pypi", None, "fengsui", version("fengsui")),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel)] if wheel else [],
    )  # fmt: skip
    bom, made = Bom(serial_number=number), []
    if at is not None:
        bom.metadata.timestamp = at
    bom.metadata.component = ours
    for p in parts():
        kind = "docker" if p.kind == "container" else p.kind
        space, _, name = p.name.rpartition("/")
        purl = PackageURL(kind, space or None, name, p.version)
        made.append(
            Component(
                name=name,
                group=space or None,
                version=p.version,
                purl=purl,
                bom_ref=purl.to_string(),
                scope=_SCOPE[p.use],
                type=ComponentType.CONTAINER if kind == "docker" else ComponentType.LIBRARY,
                licenses=[make.make_from_string(p.licence)] if p.licence else [],
                hashes=[HashType(alg=HashAlgorithm(a), content=h) for a, h in p.hashes],
            )
        )
    for component in made:
        bom.components.add(component)
    bom.register_dependency(ours, [c for c in made if c.scope is not ComponentScope.EXCLUDED])
    text = str(JsonV1Dot6(bom).output_as_string(indent=1))
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"not CycloneDX: {wrong}")
    return text + "\n"


_SECTIONS = {
    "image": "在镜像里 In the image",
    "optional": "可选 Optional extras (broadcast, bufr, camera, figures, seismic)",
    "server": "旁边的服务器，不在镜像里 Servers beside it, not in the image",
}


def notices() -> str:
    """THIRD-PARTY.md, its words as they stand and the tables anew. What only development needs is given
    to nobody and stands in the SBOM."""
    words = (ROOT / "THIRD-PARTY.md").read_text("utf-8").partition("\n## ")[0]
    out, every = [words], parts()
    for use, title in _SECTIONS.items():
        out.append(f"\n## {title}\n\n| | 版本 version | 许可 licence |\n|---|---|---|\n")
        rows = sorted((p for p in every if p.use == use), key=lambda p: (p.kind, p.name.lower()))
        out += [f"| {p.name} ({p.kind}) | {p.version} | {p.licence} |\n" for p in rows]
    return "".join(out)


if __name__ == "__main__":
    what, file = sys.argv[1:]
    Path(file).write_text({"sbom": sbom, "notices": notices}[what](), "utf-8")
