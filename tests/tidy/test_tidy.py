"""The shape of the house: imports point one way between packages and between the rooms of a package,
pure rooms stay pure, files, functions and folders stay small, one test module uses nothing of another,
and the documents name real paths.

Each test goes through the whole house and tells everything that it found."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from tests.support import rooms

ROOT = Path(__file__).parents[2]
# what a package may import beside itself: whole names of packages, or of modules of them
LINE = ("config", "stream", "ingest", "detectors", "dispatch")
MAY: dict[str, tuple[str, ...]] = {
    "config": (),
    "stream": LINE[:1],
    "ingest": LINE[:2],
    "detectors": LINE[:3],
    # what is decided, said and sent rests on what was detected, never on how
    "dispatch": (*LINE[:3], "detectors.detection"),
    # how good forecasts were: beside the line, and never in its way
    "skill": (*LINE[:4], "dispatch.records", "dispatch.grade"),
    # the world outside: it speaks the wire's language and knows nothing of how the line decides
    "simulators": (
        "config",
        "stream.mqtt",
        "stream.records",
        "ingest.observation",
        "ingest.telemetry.codec",
        # how often a camera is looked through is one rule for real and simulated ones
        *("ingest.camera.pace", "ingest.camera.jpeg"),
        # a node's judgement: the simulated loudspeakers are it with other hands
        "dispatch.nodes.protocol",
        "dispatch.nodes.trust",
        "dispatch.nodes.memory",
        "dispatch.nodes.judgement",
        "skill.verify.truth",
    ),
    "console": LINE,
    # the box in the village: not a part of the county's command
    "loudspeaker": ("config", "stream", "dispatch.nodes", "dispatch.grade", "dispatch.records"),
    "fengsui": (*LINE, "skill", "simulators", "console", "loudspeaker"),
    "bench": (*LINE, "skill", "simulators", "console", "loudspeaker", "fengsui"),
}
PACKAGES = tuple(MAY)
# the rooms of a package and the files at its root, each of which imports those before it alone
ROOMS: dict[str, tuple[str, ...]] = {
    "config": ("language", "geometry", "records", "read", "proof", "checks", "load", "scenarios"),
    "stream": (
        *("environment", "oplog", "wall_clock", "limits", "disk", "pace", "metrics"),
        *("records", "log", "mqtt", "http", "clock", "history", "guard", "stages"),
    ),
    "ingest": (
        *("observation", "decode", "waveform", "gross_range", "repeats", "identify"),
        *("batches", "pictures", "cap", "people"),
        *("telemetry", "camera", "weather", "archive", "stage"),
    ),
    "detectors": (
        *("detection", "engine", "quality", "rain", "statistics", "water", "camera", "setup"),
        *("memory", "statements", "screening", "messages", "stage"),
    ),
    "dispatch": (
        *("proving", "records", "grade", "notices", "geography", "words", "nodes", "people"),
        *("ledger", "signatures", "decide", "channels", "cap", "address", "send"),
    ),
    "skill": ("verify", "seismic", "series", "forecast", "tables", "report", "public"),
    "console": ("model", "pages", "acts", "auth", "things", "routes", "api", "app", "serve"),
    "fengsui": (
        *("pictures", "run", "files", "explain", "review", "status", "inquiry", "doctor", "play"),
        *("storms", "upgrade", "cli", "__main__"),
    ),
    "bench": ("baseline", "load", "servers", "cases", "kills", "tune", "against", "run", "command", "__main__"),
}
# each third-party client lives in one place
HOMES = {
    "paho": "stream/mqtt/client.py",
    "kafka": "stream/log/kafka",
    "influxdb_client": "stream/history/influx",
    "apprise": "dispatch/channels/",
    "amqtt": "stream/mqtt/broker_process.py",
    "smpplib": "dispatch/channels/smpp/",
    "cv2": "detectors/camera/picture.py",
    "obspy": "ingest/waveform/",
    "gmssl_pyx": "dispatch/channels/platform/signer.py",
    "cbor2": "ingest/decode/senml_cbor.py",
    "av": "ingest/camera/rtsp.py",
    "eccodes": "ingest/weather/bufr.py",
}
# what is pure has no clock, network, disk or randomness of its own
IMPURE = {
    *("time", "random", "socket", "subprocess", "threading", "requests", "http", "sqlite3"),
    *("asyncio", "secrets", "uuid"),
}
PURE = (
    *("config/language.py", "config/geometry.py", "config/records/*.py", "config/checks/**/*.py"),
    *("stream/records.py", "stream/limits.py", "stream/stages/stage.py", "stream/log/port.py"),
    *("ingest/observation.py", "ingest/identify.py", "ingest/gross_range.py", "ingest/decode/*.py"),
    *("ingest/cap/interpret.py", "ingest/cap/decode.py", "ingest/cap/places.py"),
    *("ingest/people/subscriber.py", "ingest/people/words/*.py"),
    *("ingest/people/reports.py", "ingest/people/form.py", "ingest/people/page.py"),
    *("stream/mqtt/access.py", "stream/mqtt/sparkplug.py", "ingest/telemetry/sparkplug/host.py"),
    "detectors/**/*.py",
    *("dispatch/*.py", "dispatch/address/*.py", "dispatch/decide/**/*.py"),
    *("dispatch/geography/*.py", "dispatch/proving/*.py", "dispatch/words/*.py", "dispatch/send/outbox/*.py"),
    *("dispatch/ledger/chain.py", "dispatch/ledger/decisions.py", "dispatch/signatures/proof.py"),
    *("dispatch/cap/message.py", "dispatch/cap/acknowledgements.py"),
    *("dispatch/cap/national_fields.py", "dispatch/cap/neighbours.py"),
    *(f"dispatch/nodes/{f}.py" for f in ("standalone", "memory", "mandate", "report")),
    *(f"dispatch/nodes/{f}.py" for f in ("judgement", "seal", "trust", "protocol")),
    *("dispatch/channels/rate_and_breaker.py", "dispatch/channels/message_id.py"),
    *("dispatch/channels/status_words.py", "dispatch/channels/http/response.py"),
    "dispatch/channels/platform/ebd/*.py",
    *(f"dispatch/channels/by_apprise/{f}.py" for f in ("limits", "parts")),
    *(f"dispatch/channels/smpp/{f}.py" for f in ("text", "pdu", "receipt")),
    *(f"dispatch/channels/sip/{f}.py" for f in ("call", "control", "declared")),
    "dispatch/channels/modem/spool_file.py",
    *("dispatch/people/evacuation_roll.py", "dispatch/people/outings.py"),
    *(f"dispatch/people/residents/{f}.py" for f in ("words", "villages", "texts", "message", "page", "sheet")),
    *("ingest/camera/pace.py", "ingest/camera/digest.py", "ingest/camera/jpeg.py"),
    *("ingest/waveform/seconds.py", "ingest/telemetry/codec/**/*.py", "skill/seismic/*.py"),
    *("ingest/telemetry/things/*.py", "console/things/*.py"),
    *("ingest/telemetry/lorawan/*.py", "ingest/weather/value.py", "ingest/weather/table.py"),
    *("skill/verify/*.py", "skill/series/**/*.py", "skill/tables/*.py", "skill/forecast/*.py"),
    *("skill/tables/rows/*.py", "skill/report/outcomes.py", "skill/report/ledger_json.py"),
    *("console/model/*.py", "console/acts/resend.py", "console/auth/totp.py"),
    *("console/auth/password_rules.py", "console/api/geojson.py", "stream/http/openapi.py"),
    *(f"console/pages/{f}.py" for f in ("situation", "warnings", "delivery", "handover")),
    *(f"console/pages/{f}.py" for f in ("stations", "resources", "subscribers", "drills")),
    *(f"console/pages/{f}.py" for f in ("channels", "precedents", "storm")),
    *("fengsui/explain/*.py", "fengsui/play/in_memory.py", "fengsui/pictures/keeping.py"),
    *(f"fengsui/storms/{f}.py" for f in ("account", "invariants", "weather", "post", "drill")),
    *(f"fengsui/review/{f}.py" for f in ("after_action", "figure", "lanes", "reach")),
    *("fengsui/review/step_times.py", "fengsui/review/slo.py", "fengsui/upgrade/account.py"),
    *(f"fengsui/review/incident/{f}.py" for f in ("annex", "facts", "names", "villages")),
    *(f"fengsui/inquiry/{f}.py" for f in ("known", "moment", "moment_words", "span")),
    *(f"fengsui/doctor/{f}.py" for f in ("heard", "letters", "near", "numbers", "words", "case", "uses")),
    *("fengsui/doctor/page.py", "fengsui/doctor/promises.py", "fengsui/doctor/wrong/*.py"),
)
FILE_LINES, FUNCTION_LINES, FOLDER_ENTRIES = 400, 75, 15
# files of more than one concern are found by their names
FORBIDDEN = {"core", "common", "utils", "util", "helpers", "models", "types", "manager", "misc"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def sources() -> tuple[Path, ...]:
    found = (p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
    return tuple(sorted(p for p in found if "node_modules" not in p.parts))


def modules_of_tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


@cache
def known() -> frozenset[str]:
    """Whole names of all our modules and packages."""
    return frozenset(
        name(p).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for p in sources()
    )


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports: of ours the module, of others the whole name."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: import by whole name, not relative"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known() or node.module not in known() else node.module)
    return frozenset(m for m in found if m)


def room(module: str) -> str:
    """`dispatch.send.outbox.state` stands in the room `send` of dispatch."""
    return [*module.split("."), ""][1]


def dotted(path: Path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_imports_point_one_way_between_packages() -> None:
    wrong = []
    for path in sources():
        package = name(path).split("/")[0]
        for module in imports(path):
            top = module.split(".")[0]
            if top not in PACKAGES or top == package:
                continue
            if not any(module == m or module.startswith(m + ".") for m in MAY[package]):
                wrong.append(f"{name(path)} imports {module}: {package} may not")
    assert not wrong, "\n".join(wrong)


def test_imports_point_one_way_between_rooms() -> None:
    wrong = []
    for path in sources():
        package, here = name(path).split("/")[0], room(dotted(path))
        order = ROOMS.get(package)
        if order is None or not here:
            continue
        if here not in order:
            wrong.append(f"{name(path)} stands in no room that this test knows")
            continue
        for module in imports(path):
            there = room(module)
            if module.split(".")[0] != package or there == here or there not in order:
                continue
            if order.index(there) > order.index(here):
                wrong.append(f"{name(path)} imports {module}: {there} stands above {here}")
    assert not wrong, "\n".join(wrong)


def test_no_two_files_need_each_other() -> None:
    """No circle, however long, among all files."""
    needs = {
        dotted(p): {m for m in imports(p) if m in known() and m != dotted(p)} for p in sources()
    }
    while free := [m for m, of in needs.items() if not of & needs.keys()]:
        for m in free:
            del needs[m]
    assert not needs, f"these need each other: {sorted(needs)}"


def test_third_party_clients_live_in_one_place_each() -> None:
    wrong = [
        f"{name(path)} imports {module}, whose home is {HOMES[module.split('.')[0]]}"
        for path in sources()
        for module in imports(path)
        if not name(path).startswith(HOMES.get(module.split(".")[0], name(path)))
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_files_stay_pure() -> None:
    wrong = [f"{pattern} names no file" for pattern in PURE if not list(ROOT.glob(pattern))]
    for path in sorted({p for pattern in PURE for p in ROOT.glob(pattern)}):
        wrong += [
            f"{name(path)} imports {module}"
            for module in imports(path)
            if module.split(".")[0] in IMPURE
        ]
        calls = {
            f"{node.func.value.id}.{node.func.attr}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        }
        asked = calls & {"datetime.now", "datetime.utcnow", "date.today", "os.urandom"}
        wrong += [f"{name(path)} calls {call}" for call in sorted(asked)]
    assert not wrong, "\n".join(wrong)


CODECS = ("ingest/telemetry/codec", "dispatch/channels/platform/ebd")


def test_each_codec_could_be_a_package_of_its_own() -> None:
    wrong = [
        f"{name(path)} imports {module}"
        for here in CODECS
        for path in sorted((ROOT / here).rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] in PACKAGES and not module.startswith(here.replace("/", ".") + ".")
    ]
    assert not wrong, "\n".join(wrong)


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in sources():
        if path.stem in FORBIDDEN:
            wrong.append(f"{name(path)}: name what it is for")
        if (lines := path.read_text().count("\n")) > FILE_LINES:
            wrong.append(f"{name(path)} has {lines} lines")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    wrong.append(f"{name(path)}: {node.name} has {length} lines")
    assert not wrong, "\n".join(wrong)


@cache
def folders() -> set[Path]:
    return {q for p in sources() for q in p.parents if q != ROOT and ROOT in q.parents}


def entries(folder: Path) -> list[Path]:
    """Modules and rooms in it."""
    return [
        p
        for p in folder.iterdir()
        if (p.suffix == ".py" and p.stem != "__init__") or p in folders()
    ]


def test_a_folder_holds_about_a_dozen_entries() -> None:
    wrong = [
        f"{name(folder)} has {held} entries"
        for folder in sorted(folders())
        if (held := len(entries(folder))) > FOLDER_ENTRIES
    ]
    assert not wrong, "\n".join(wrong)


def test_a_public_class_name_means_one_thing_in_its_package() -> None:
    stands: dict[tuple[str, str], list[str]] = {}
    for path in sources():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                stands.setdefault((name(path).split("/")[0], node.name), []).append(name(path))
    wrong = [f"{n} in {files}" for (_, n), files in stands.items() if len(files) > 1]
    assert not wrong, "\n".join(wrong)


def test_every_room_and_module_says_what_it_is_for() -> None:
    wrong = [name(p) for p in sources() if not ast.get_docstring(tree(p))]
    wrong += [f"{name(f)}/__init__.py" for f in folders() if not (f / "__init__.py").exists()]
    assert not wrong, f"no docstring: {wrong}"


def test_no_test_module_uses_another() -> None:
    wrong = []
    for path in modules_of_tests():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module and path.stem.startswith("test_"):
                last = node.module.split(".")[-1]
                if node.module.startswith("tests.") and last.startswith("test_"):
                    wrong.append(f"{name(path)} imports {node.module}: share it in tests/support")
    assert not wrong, "\n".join(wrong)


def test_no_test_hides_another_of_its_name() -> None:
    """In one module the second function of a name replaces the first, which then never runs."""
    wrong = []
    for path in modules_of_tests():
        bodies = [tree(path), *(n for n in ast.walk(tree(path)) if isinstance(n, ast.ClassDef))]
        for body in bodies:
            names = Counter(n.name for n in body.body if isinstance(n, ast.FunctionDef))
            wrong += [
                f"{name(path)}: {n} stands {k} times"
                for n, k in names.items()
                if k > 1 and n.startswith("test_")
            ]
    assert not wrong, "\n".join(wrong)


def documents() -> list[Path]:
    found = [*(ROOT / "docs").glob("**/*.md"), *(ROOT / "config").glob("**/*.md")]
    return [p for p in (*ROOT.glob("*.md"), *sorted(found)) if p.name != "CHANGELOG.md"]


def test_documents_name_real_paths() -> None:
    wrong = []
    for path in documents():
        for quoted in re.findall(r"`([a-z_]+/[A-Za-z0-9_./-]*)`", path.read_text()):
            ours = quoted.split("/")[0] in (*PACKAGES, "tests", "docs", "deploy")
            if ours and "NAME" not in quoted and not (ROOT / quoted).exists():
                wrong.append(f"{name(path)} names {quoted}, which does not exist")
    assert not wrong, "\n".join(wrong)


def test_the_schemas_in_the_documents_are_those_of_the_records() -> None:
    from fengsui.files.schema import schema

    written = (ROOT / "docs" / "records.schema.json").read_text("utf-8")
    assert written == schema(), "run: python -m fengsui.files.schema > docs/records.schema.json"


def test_the_architecture_has_a_line_for_each_room() -> None:
    assert rooms.written() == rooms.rooms(), "run: python -m tests.support.rooms"
    chinese = rooms.chinese()
    assert [f"| `{n}/`" for n in chinese] == re.findall(
        r"^\| `[a-z_/]+/`", rooms.rooms(), re.MULTILINE
    )
    assert rooms.TO_WRITE not in chinese.values(), "docs/architecture.md: write the new room's row"


# where CONTRIBUTING sends whoever adds something
TABLES = (
    *("config/records/quantity.py", "ingest/decode/dialects.py", "stream/mqtt/access.py"),
    *("config/records/rule_kinds.py", "bench/baseline/window_rules.py", "config/records/channels.py"),
    *("dispatch/channels/declared.py", "dispatch/channels/status_words.py"),
    *("dispatch/words/channel_names.py", "console/pages/feed.py", "console/app.py"),
    "console/api/routes.py",
)
ADDED_TO = (
    *("ingest/decode/", "detectors/rain/", "detectors/water/", "detectors/statistics/"),
    *("detectors/camera/", "dispatch/channels/", "console/pages/"),
)
ROW_LINES = 10  # that a row, its function and its import take


def test_there_is_room_where_something_is_added() -> None:
    """Whoever fills the last place makes the next one, not the newcomer who follows the page."""
    page = (ROOT / "CONTRIBUTING.en.md").read_text("utf-8")
    wrong = [f"CONTRIBUTING.en.md: no `{n}`" for n in TABLES + ADDED_TO if f"`{n}`" not in page]
    for table in TABLES:
        lines = (ROOT / table).read_text("utf-8").count("\n")
        if lines + ROW_LINES > FILE_LINES:
            wrong.append(f"{table} has {lines} lines: make room for a row")
    for folder in ADDED_TO:
        if (held := len(entries(ROOT / folder))) >= FOLDER_ENTRIES:
            wrong.append(f"{folder} has {held} entries: make a room within it")
    assert not wrong, "\n".join(wrong)
