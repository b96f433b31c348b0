"""The shape of the house: imports point one way, pure files stay pure, files stay small, and the
documents name real paths."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("config", "ingest", "detectors", "dispatch", "console", "fengsui")
PACKAGES = (*ORDER, "simulators")
SOURCES = sorted(
    p
    for package in PACKAGES
    for p in (ROOT / package).rglob("*.py")
    if "node_modules" not in p.parts
)
# what simulators may use beside themselves
SIMULATORS_MAY = (
    "config",
    "ingest.observation",
    "ingest.mqtt",
    "ingest.rights",
    # a node's judgement: the simulated loudspeakers are it with other hands
    "dispatch.node_wire",
    "dispatch.node_trust",
    "dispatch.node_kept",
    "dispatch.node_rules",
)
# each third-party client lives in one file
HOMES = {
    "paho": "ingest/mqtt.py",
    "kafka": "ingest/log/kafka",
    "influxdb_client": "ingest/history/influx",
    "apprise": "dispatch/channels/",
    "amqtt": "ingest/broker_door.py",
    "smpplib": "dispatch/channels/smpp_link.py",
    "cv2": "detectors/camera_picture.py",
}
# a pure file has no clock, network, disk or randomness of its own
IMPURE = {
    "time",
    "random",
    "socket",
    "subprocess",
    "threading",
    "requests",
    "http",
    "sqlite3",
    "asyncio",
    "secrets",
    "uuid",
}
PURE = (
    "config/level.py",
    "config/quantity.py",
    "config/district.py",
    "config/authority.py",
    "config/carriers.py",
    "config/rules.py",
    "config/door.py",
    "config/row.py",
    "config/sources.py",
    "config/gateways.py",
    "config/plans.py",
    "ingest/observation.py",
    "ingest/stage.py",
    "ingest/identify.py",
    "ingest/rights.py",
    "ingest/quality.py",
    "ingest/decode/*.py",
    "ingest/people_form.py",
    "ingest/cap.py",
    "ingest/people.py",
    "ingest/people_page.py",
    "detectors/*.py",
    "detectors/skill/*.py",
    "dispatch/alert.py",
    "dispatch/policy.py",
    "dispatch/decide.py",
    "dispatch/incident.py",
    "dispatch/ledger.py",
    "dispatch/chain.py",
    "dispatch/target.py",
    "dispatch/sound.py",
    "dispatch/tasks.py",
    "dispatch/downstream.py",
    "dispatch/sample.py",
    "dispatch/reach.py",
    "dispatch/coverage.py",
    "dispatch/text.py",
    "dispatch/wording.py",
    "dispatch/word_check.py",
    "dispatch/headline.py",
    "dispatch/evidence_words.py",
    "dispatch/local_time.py",
    "dispatch/validity.py",
    "dispatch/sms_length.py",
    "dispatch/address.py",
    "dispatch/outbox.py",
    "dispatch/box.py",
    "dispatch/merge.py",
    "dispatch/beside.py",
    "dispatch/ends.py",
    "dispatch/together.py",
    "dispatch/never_sent.py",
    "dispatch/agenda.py",
    "dispatch/channels/lane.py",
    "dispatch/channels/answer.py",
    "dispatch/channels/smpp_text.py",
    "dispatch/channels/smpp_pdu.py",
    "dispatch/channels/smpp_receipt.py",
    "dispatch/carrier_id.py",
    "dispatch/case.py",
    "dispatch/mistaken.py",
    "dispatch/version.py",
    "dispatch/order.py",
    "dispatch/act.py",
    "dispatch/rise.py",
    "dispatch/fall.py",
    "dispatch/life.py",
    "dispatch/entitled.py",
    "dispatch/spoken.py",
    "dispatch/not_reached.py",
    "dispatch/person_word.py",
    "dispatch/roll.py",
    "dispatch/node_*.py",
    "dispatch/cap_xml.py",
    "dispatch/cap_answer.py",
    "dispatch/cap_fields.py",
    "dispatch/neighbours.py",
    "dispatch/concerned.py",
    "dispatch/asked.py",
    "console/view.py",
    "console/flags.py",
    "console/resources.py",
    "console/reached.py",
    "console/rolled.py",
    "console/drills.py",
    "console/delivery.py",
    "console/resend.py",
    "console/shift.py",
    "console/handover.py",
    "console/health.py",
    "console/stations.py",
    "console/subscribers.py",
    "console/audit.py",
    "console/ways.py",
    "console/totp.py",
    "console/password_rules.py",
    "console/geojson.py",
    "console/openapi.py",
    "fengsui/inline.py",
    "fengsui/explain.py",
    "fengsui/explain_words.py",
    "fengsui/skill_ledger.py",
    "fengsui/hops.py",
    "fengsui/after_action.py",
    "fengsui/after_reached.py",
    "fengsui/after_lanes.py",
    "fengsui/after_figure.py",
)
FILE_LINES = 400
FUNCTION_LINES = 75
# files of more than one concern are found by their names
FORBIDDEN = {"core", "common", "utils", "util", "helpers", "models", "types", "manager", "misc"}


def modules(path: Path) -> set[str]:
    """Every module that a file imports, whole names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by whole name, not relative"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    package = name(path).split("/")[0]
    for module in modules(path):
        top = module.split(".")[0]
        if top not in PACKAGES or top == package:
            continue
        if package == "simulators":
            allowed = any(module == m or module.startswith(m + ".") for m in SIMULATORS_MAY)
        elif top == "simulators":
            allowed = package == "fengsui"
        else:
            allowed = ORDER.index(top) < ORDER.index(package)
        assert allowed, f"{name(path)} imports {module}: imports point the other way"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_third_party_clients_live_in_one_file_each(path: Path) -> None:
    for module in modules(path):
        home = HOMES.get(module.split(".")[0])
        assert home is None or name(path).startswith(home), f"{name(path)} imports {module}"


PURE_FILES = sorted({p for pattern in PURE for p in ROOT.glob(pattern)})


def test_every_pure_pattern_matches_a_file() -> None:
    for pattern in PURE:
        assert list(ROOT.glob(pattern)), f"{pattern} names no file"


@pytest.mark.parametrize("path", PURE_FILES, ids=name)
def test_pure_files_stay_pure(path: Path) -> None:
    for module in modules(path):
        assert module.split(".")[0] not in IMPURE, f"{name(path)} imports {module}"
    calls = {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
    }
    assert not calls & {"datetime.now", "datetime.utcnow", "date.today", "os.urandom"}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert path.stem not in FORBIDDEN, f"{name(path)}: name what it is for"
    assert text.count("\n") <= FILE_LINES, f"{name(path)} is longer than {FILE_LINES} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{name(path)}: {node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{name(path)}: no docstring"


DOCS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "config").glob("**/*.md")),
]


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_documents_name_real_paths(path: Path) -> None:
    for quoted in re.findall(r"`([a-z_]+/[A-Za-z0-9_./-]*)`", path.read_text()):
        if quoted.split("/")[0] in (*PACKAGES, "tests", "docs", "deploy", "bench"):
            assert (ROOT / quoted).exists(), f"{name(path)} names {quoted}, which does not exist"


def test_the_schemas_in_the_documents_are_those_of_the_records() -> None:
    from fengsui.schema import schema

    written = (ROOT / "docs" / "records.schema.json").read_text("utf-8")
    assert written == schema(), "run: python -m fengsui.schema > docs/records.schema.json"
