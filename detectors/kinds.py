"""Every kind of window rule there is: a file of this folder that defines `KIND` (or `KINDS`) is one,
so that a rule is added without touching another file."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import detectors
from detectors.kind import Kind


def _declares(module: str) -> bool:
    """Only such files are imported: others stand behind this registry, or need OpenCV."""
    spec = find_spec(module)
    source = getattr(spec.loader, "get_source", lambda _: "")(module) if spec else ""
    return "\nKIND" in (source or "")


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
