"""Every kind of window rule there is: a file of this package, in whatever room, that defines `KIND`
(or `KINDS`) is one; what it is called is its row of `config/records/rule_kinds.py`."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages

import detectors
from config.records.rule_kinds import RULE_KINDS
from detectors.engine.window_rule import Kind


def _declares(module: str) -> bool:
    """Only such files are imported: others stand behind this registry, or need OpenCV. The bytes are
    looked at as they lie: to decode every file of the folder takes longer than to load all kinds."""
    spec = find_spec(module)
    data = getattr(spec.loader, "get_data", lambda _: b"") if spec else None
    return data is not None and b"\nKIND" in data(spec.origin if spec else "")


def _found() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name in sorted(m.name for m in walk_packages(detectors.__path__, "detectors.")):
        if name == __name__ or not _declares(name):
            continue
        file = import_module(name)
        for kind in (*getattr(file, "KINDS", ()), *filter(None, [getattr(file, "KIND", None)])):
            assert kinds.setdefault(kind.name, kind) is kind, f"{kind.name} is declared twice"
            assert kind.name in RULE_KINDS, (
                f"{kind.name} ({name}) has no row in _ROWS of config/records/rule_kinds.py"
            )
    return kinds


KINDS = _found()
