"""What program made a pack: its version, a digest of its own source, and every package that it stood on, as a
CycloneDX 1.6 bill of materials of what is installed here.

`make sbom` writes the bill of what a release is locked to; this one says what really ran.
"""

import hashlib
import platform
import uuid
from importlib.metadata import Distribution, distributions, version
from pathlib import Path

import msgspec

_ROOT = Path(__file__).parents[2]
_ROOMS = ("config", "stream", "ingest", "detectors", "dispatch", "skill", "console", "fengsui")


def about() -> dict[str, object]:
    """Version, the digest of the source, the interpreter and the system."""
    return {
        "fengsui": version("fengsui"),
        "source_sha256": source_digest(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def source_digest() -> str:
    """SHA-256 over the names and bytes of the program's own files and templates, in order."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted(p for p in (_ROOT / room).rglob("*") if p.suffix in (".py", ".j2")):
            body = file.read_bytes()
            name = file.relative_to(_ROOT).as_posix()
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()


def bill() -> bytes:
    """The bill of materials, JSON; the same packages give the same bytes."""
    found = {(_name(d), d.version): d for d in distributions() if _name(d)}
    parts = [_component(*key) for key in sorted(found) if key[0] != "fengsui"]
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "component": {**_component("fengsui", version("fengsui")), "type": "application"}
        },
        "components": parts,
    }
    named = uuid.uuid5(uuid.NAMESPACE_URL, msgspec.json.encode(made).decode())
    made["serialNumber"] = f"urn:uuid:{named}"
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def _name(d: Distribution) -> str:
    return str(d.metadata["Name"] or "").lower().replace("_", "-")


def _component(name: str, held: str) -> dict[str, str]:
    purl = f"pkg:pypi/{name}@{held}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": held, "purl": purl}
