"""Every kind of window rule there is: a file of this folder that defines `KIND` (or `KINDS`) is one,
so that a rule is added without touching another file."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import detectors
from detectors.kind import Kind


def _declares(module: str) -> bool:
    """Only such files are imported: others stand behind this registry, or need OpenCV. The bytes are
    looked at as they lie: to decode every file of the folder takes longer than to load all kinds."""
    spec = find_spec(module)
    data = getattr(spec.loader, "get_data", lambda _: b"") if spec else None
    return data is not None and b"\nKIND" in data(spec.origin if spec else "")


def _found() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name in sorted(f"detectors.{m.name}" for m in iter_modules(detectors.__path__)):
        if name == __name__ or not _declares(name):
            continue
        file = import_module(name)
        for kind in (*getattr(file, "KINDS", ()), *filter(None, [getattr(file, "KIND", None)])):
            assert kinds.setdefault(kind.name, kind) is kind, f"{kind.name} is declared twice"
    return kinds


KINDS = _found()
