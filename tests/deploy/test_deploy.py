"""What operators deploy, as far as it can be proved without a container engine: files parse, every
service is closed down and pinned, no secret stands in them, units pass systemd's own verifier,
rules and dashboard ask only for metrics that exist. What can be run is in test_deploy_runs.py."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from deploy.parts import needs
from fengsui.files.kafka_config import WRITES, user
from fengsui.run.run_log import STAGES as LINE
from stream import metrics
from tests.support.deploy import COMPOSE, DEPLOY, ROOT, SERVICES

RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/line.json").read_text("utf-8"))
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")

# every metric, as Prometheus sees it, and its labels
METRICS: dict[str, set[str]] = {
    m._name + ("_total" if isinstance(m, Counter) else ""): set(m._labelnames)
    for m in vars(metrics).values()
    if isinstance(m, Counter | Gauge | Histogram)
}
STAGES = (*LINE, "audit")
HISTOGRAMS = {"fengsui_hop_seconds", "fengsui_commit_seconds"}
# labels that Prometheus itself gives
TARGET = {"job", "instance"}


# --- containers ---


def test_every_stage_is_a_service_and_starts_itself() -> None:
    for stage in STAGES:
        assert SERVICES[stage]["command"] == [stage]
        mine = SERVICES[stage]["environment"]
        assert mine["FENGSUI_LOG"] == f"kafka://{user(stage)}@kafka:9092"
        assert mine["FENGSUI_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka_{stage}"


def test_nobody_reaches_kafka_without_a_name_and_a_password_is_in_two_hands() -> None:
    kafka = SERVICES["kafka"]["environment"]
    kinds = dict(x.split(":") for x in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    for place in kafka["KAFKA_LISTENERS"].split(","):
        name, _, at = place.partition("://")
        assert at.startswith("localhost:") or kinds[name] == "SASL_PLAINTEXT", place
    assert kafka["KAFKA_AUTHORIZER_CLASS_NAME"].endswith("StandardAuthorizer")
    assert "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND" not in kafka
    rights = SERVICES["kafka-rights"]
    assert {f"kafka_{p}" for p in WRITES} == set(rights["secrets"])
    for name, service in SERVICES.items():
        held = {x for x in service.get("secrets", []) if x.startswith("kafka_")}
        assert name == "kafka-rights" or held <= {f"kafka_{name}"}, name


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_closed_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0, "runs as root"
    if "profiles" not in service:  # what runs once has no health
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["mem_limit"]
    assert not any("docker.sock" in str(v) for v in service["volumes"])


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image, "no tag"
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag), f"{tag} may become another image"


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_environment(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|TOKEN|SECRET|_KEY|FENGSUI_BROKER", key):
            assert key.endswith("_FILE"), f"{key} is a secret in the environment"
            assert str(value).startswith("/run/secrets/")
        assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{key} carries a password"
    service = SERVICES[name]
    text = " ".join(map(str, [service.get("command", ""), service.get("healthcheck", "")]))
    assert not re.search(r"passw|token", text, re.IGNORECASE)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_declared(name: str) -> None:
    service = SERVICES[name]
    secrets = set(service.get("secrets", []))
    assert secrets <= set(COMPOSE["secrets"])
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    assert ("networks" in service) != ("network_mode" in service)
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    named = {
        str(v).rpartition("/")[2]
        for v in service.get("environment", {}).values()
        if str(v).startswith("/run/secrets/")
    }
    assert named <= secrets, "a file is named that is not handed in"
    for volume in service["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), f"{source} is not in the source tree"
        elif not source.startswith("$"):
            assert source in COMPOSE["volumes"]


def test_every_secret_is_used_and_lies_where_git_does_not_look() -> None:
    used = {s for service in SERVICES.values() for s in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "*" in (DEPLOY / "secrets/.gitignore").read_text().split()


def test_only_the_sender_holds_the_signing_key_and_only_it_goes_out() -> None:
    for stage in STAGES:
        mounts = [str(v).split(":")[:2] for v in SERVICES[stage]["volumes"]]
        holds = [m for m in mounts if m[1] == "/var/lib/fengsui"]
        # archive's are of its own, and sign the ledger only
        assert [m[0] for m in holds] == [s for s in ("send", "archive") if s == stage]
        assert ("outside" in SERVICES[stage]["networks"]) == (stage in ("send", "audit"))
    assert COMPOSE["networks"]["line"]["internal"] is True


def test_only_the_judge_and_the_desk_hold_the_list_of_signers() -> None:
    """Who can write it decides."""
    have = {n for n, s in SERVICES.items() if any("signers:" in str(v) for v in s["volumes"])}
    assert have == {"decide", "console"}
    for name in have:
        assert SERVICES[name]["environment"]["FENGSUI_SIGNERS"] == "/var/lib/fengsui/signers"


def test_the_page_for_residents_can_read_nobodys_number() -> None:
    page, keeper = SERVICES["residents-page"], SERVICES["residents"]
    assert page["networks"] == ["screens"]
    assert "secrets" not in page
    mounted = [str(v) for v in page["volumes"]]
    assert not [v for v in mounted if "contacts" in v]
    assert set(mounted) & {str(v) for v in keeper["volumes"]} == {mounted[0], mounted[1]}
    assert "ports" not in keeper
    unit = (UNITS / "fengsui-residents.service").read_text("utf-8")
    assert "User=fengsui-page" in unit
    assert "LoadCredential" not in unit
    assert "StateDirectory" not in unit
    door = _directives(UNITS / "fengsui-residents-keeper.socket")
    assert (door["SocketGroup"], door["SocketMode"]) == (["fengsui-page"], ["0660"])
    (where,) = door["ListenStream"]
    assert f"--keeper {where}" in unit


def test_what_is_published_beyond_this_machine_is_the_devices_port_only() -> None:
    ports = [p for service in SERVICES.values() for p in service.get("ports", [])]
    own = ("127.0.0.1:", "${FENGSUI_TELEMETRY_LISTEN:-127.0.0.1}:")
    assert [p for p in ports if not p.startswith(own)] == ["8883:8883"]


def test_the_listener_for_telemetry_stations_starts_where_it_is_wanted() -> None:
    listener = SERVICES["telemetry"]
    assert listener["profiles"] == ["telemetry"]
    assert listener["command"] == ["telemetry"]
    assert listener["environment"]["FENGSUI_LOG"] == f"kafka://{user('telemetry')}@kafka:9092"
    assert {str(p).rpartition(":")[2] for p in listener["ports"]} == {"5651/tcp", "5651/udp"}
    assert listener["networks"] == ["line", "devices"]  # stations come in, it does not go out
    assert not any("telemetry" in SERVICES[s]["depends_on"] for s in STAGES)
    given = [
        _directives(f)["FENGSUI_HTTP"][0]
        for f in UNITS.glob("env/*.env")
        if "HTTP" in f.read_text()
    ]
    assert len(set(given)) == len(given)


def test_files_of_a_weather_office_are_read_where_it_is_wanted() -> None:
    reader = SERVICES["weather"]
    assert reader["profiles"] == ["weather"]
    assert reader["command"] == ["weather", "/srv/weather"]
    assert reader["environment"]["FENGSUI_LOG"] == f"kafka://{user('weather')}@kafka:9092"
    assert reader["networks"] == ["line"]
    assert not any("weather" in SERVICES[s]["depends_on"] for s in STAGES)
    unit = (UNITS / "fengsui@weather.service.d" / "folder.conf").read_text("utf-8")
    (start,) = re.findall(r"^ExecStart=(\S+ weather \S+)$", unit, re.MULTILINE)
    assert f"ReadWritePaths={start.split()[-1]}" in unit


def test_the_duty_room_is_a_service_that_no_stage_waits_for() -> None:
    room = SERVICES["console"]
    assert room["ports"] == ["127.0.0.1:8470:8470"]
    assert room["networks"] == ["line", "screens"]  # no way out
    assert room["environment"]["FENGSUI_CONSOLE_PROXY"] == "1"  # cookies travel by TLS alone
    assert not any("console" in SERVICES[s]["depends_on"] for s in STAGES)
    address = (DEPLOY / "systemd/env/console.env").read_text("utf-8").splitlines()[0]
    assert address not in [(DEPLOY / f"systemd/env/{s}.env").read_text().strip() for s in STAGES]


def test_no_warning_waits_for_history() -> None:
    for stage in STAGES:
        assert "influxdb" not in SERVICES[stage]["depends_on"]


# --- the image ---

CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")


def test_the_image_is_locked_and_not_root() -> None:
    stages = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    assert stages == ["node:22-slim", "python:3.12-slim", "python:3.12-slim"]
    assert "pip install --require-hashes -r requirements.lock" in CONTAINERFILE
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\d+):(\d+)$", last, re.MULTILINE) == [("10001", "10001")]
    for source in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", CONTAINERFILE, re.MULTILINE):
        for part in source.split():
            assert (ROOT / part).exists(), f"{part} is copied but not there"


def test_the_image_leaves_out_all_of_development_and_nothing_else() -> None:
    words = re.search(r"pip uninstall --yes \\\n(.*?)\n &&", CONTAINERFILE, re.DOTALL)
    assert words
    removed = set(words[1].replace("\\", "").split())
    runs = needs("fengsui", ("kafka", "influx"), set())
    develops = needs("fengsui", ("kafka", "influx", "dev"), set())
    assert "msgspec" in runs
    left = develops - runs
    assert removed == left | of_the_images_python(left)


def of_the_images_python(parts: set[str]) -> set[str]:
    """What the lock has for Python 3.12 and later alone, which is the image's, and only these ask for."""
    found: set[str] = set()
    asks = {}
    for entry in re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text("utf-8")):
        if "python_full_version >= '3.12'" in entry.partition("\n")[0]:
            via = entry.partition("# via")[2]
            asks[entry.partition("==")[0]] = set(re.findall(r"[a-z0-9][a-z0-9.-]+", via))
    while more := {n for n, by in asks.items() if by and by <= parts | found} - found:
        found |= more
    return found - parts


# --- metrics: rules and dashboard ---

QUERIES = [(r["alert"], r["expr"]) for r in RULES] + [
    (f"panel {p['id']}", t["expr"]) for p in DASHBOARD["panels"] for t in p["targets"]
]


def _metric(name: str) -> str:
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base in HISTOGRAMS else name


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_queries_ask_for_metrics_and_labels_that_exist(where: str, query: str) -> None:
    bare = re.sub(r'"[^"]*"', '""', query)
    for left, right in ("()", "{}", "[]"):
        assert bare.count(left) == bare.count(right)
    names = {_metric(n) for n in re.findall(r"\bfengsui_\w+", bare)}
    assert names <= set(METRICS), f"{where}: {names - set(METRICS)}"
    for name, matchers in re.findall(r"\b(fengsui_\w+|up)\{([^}]*)\}", bare):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert labels <= METRICS.get(_metric(name), set()) | TARGET, f"{where}: {labels}"
    for by in re.findall(r"\bby \(([^)]*)\)", bare):
        labels = {x.strip() for x in by.split(",")} - {"le"}
        shared = set.intersection(*(METRICS[n] for n in names))
        assert labels <= shared | TARGET, f"{where}: by {labels}"
    for histogram in re.findall(r"\bfengsui_(?:hop|commit)_seconds\w*", bare):
        assert histogram.endswith("_bucket"), f"{where}: {histogram} is not a series"
    for counter in re.findall(r"\b(?:rate|increase)\((\w+)", bare):
        assert counter.endswith(("_total", "_bucket")), f"{where}: a rate of a gauge"


def test_alerts_cover_what_operators_must_hear() -> None:
    alerts = {r["alert"]: r for r in RULES}
    assert len(alerts) == len(RULES)
    missing = alerts["FengsuiStageMissing"]["expr"]
    assert set(re.findall(r'stage="(\w+)"', missing)) == set(STAGES)
    for name, metric in {
        "FengsuiStageDown": "fengsui_up",
        "FengsuiLaggingBadly": "fengsui_lag_seconds",
        "FengsuiSilentStations": "fengsui_silent_stations",
        "FengsuiDeadLettersRising": "fengsui_dead_letters_total",
        "FengsuiDeliveriesExpired": "fengsui_deliveries_total",
        "FengsuiAuditUnexplained": "fengsui_audit_unexplained",
    }.items():
        assert metric in alerts[name]["expr"]
    assert alerts["FengsuiAuditorSilent"]["expr"].startswith("absent(fengsui_audit_unexplained)")


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r["alert"])
def test_every_alert_says_what_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    assert re.search(r"[一-鿿]", rule["annotations"]["summary"])
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert f"\n### {rule['alert']}\n" in OPERATIONS


def test_the_alerts_states_are_those_of_receipts() -> None:
    from typing import get_args

    from dispatch.records import State

    for _, query in QUERIES:
        for state in re.findall(r'\bstate="(\w+)"', query):
            assert state in get_args(State)


def test_prometheus_finds_every_stage_both_ways() -> None:
    inside = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    jobs = {j["job_name"]: j for j in inside["scrape_configs"]}
    found = jobs["fengsui"]["dns_sd_configs"][0]
    assert set(found["names"]) == set(STAGES)
    assert SERVICES["ingest"]["environment"]["FENGSUI_HTTP"].endswith(f":{found['port']}")
    outside = yaml.safe_load((DEPLOY / "prometheus/prometheus-systemd.yml").read_text("utf-8"))
    targets = outside["scrape_configs"][0]["static_configs"][0]["targets"]
    given = [
        (DEPLOY / f"systemd/env/{s}.env").read_text().strip().partition("=")[2] for s in STAGES
    ]
    assert targets == given
    assert len(set(given)) == len(STAGES)


def test_the_dashboard_reads_the_provisioned_source() -> None:
    folder = DEPLOY / "grafana/provisioning"
    source = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"][0]
    provider = yaml.safe_load((folder / "dashboards/fengsui.yaml").read_text())["providers"][0]
    assert any(
        v.split(":")[1] == provider["options"]["path"] for v in SERVICES["grafana"]["volumes"]
    )
    used = {t["datasource"]["uid"] for p in DASHBOARD["panels"] for t in p["targets"]}
    assert used == {source["uid"]}
    taken = set()
    for p in DASHBOARD["panels"]:
        g = p["gridPos"]
        cells = {
            (x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])
        }
        assert not cells & taken, f"panel {p['title']} lies on another"
        assert g["x"] + g["w"] <= 24
        taken |= cells


# --- systemd ---

UNITS = DEPLOY / "systemd"


def _directives(file: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in file.read_text("utf-8").splitlines():
        if line and line[0] not in "#;[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_is_closed_down_and_watched() -> None:
    unit = _directives(UNITS / "fengsui@.service")
    for key, value in {
        "Type": "notify",
        "Restart": "always",
        "StartLimitIntervalSec": "0",
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "User": "fengsui",
        "PartOf": "fengsui.target",
    }.items():
        assert unit[key] == [value]
    assert int(unit["WatchdogSec"][0]) > 0
    assert not [e for e in unit["Environment"] if re.search(r"(PASSWORD|TOKEN|BROKER)=", e)]


def test_the_target_wants_every_stage() -> None:
    wants = " ".join(_directives(UNITS / "fengsui.target")["Wants"]).split()
    assert set(wants) - {"network-online.target"} == {
        f"fengsui@{s}.service" for s in (*STAGES, "console")
    }


def test_credentials_go_to_the_stages_that_need_them() -> None:
    given = {
        f.parent.name: f.read_text()
        for f in UNITS.glob("*.service.d/*.conf")
        if f.name != "folder.conf"  # of fengsui@weather: no secret of its own
    }
    assert set(given) == {f"fengsui@{s}.service.d" for s in ("ingest", "send", "archive")}
    for text in given.values():
        loaded = re.search(r"^LoadCredential=(\w+):/etc/fengsui/secrets/\1$", text, re.MULTILINE)
        assert loaded
        assert re.search(rf"^Environment=FENGSUI_\w+_FILE=%d/{loaded[1]}$", text, re.MULTILINE)


def _verified(folder: Path, unit: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{unit}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.servers
def test_the_units_pass_systemds_own_verifier(tmp_path: Path) -> None:
    shutil.copytree(UNITS, tmp_path / "units")
    unit = tmp_path / "units" / "fengsui@.service"
    text = unit.read_text("utf-8")
    unit.write_text(text.replace("/opt/fengsui/bin/fengsui-stage", "/bin/true"), "utf-8")
    own = unit.parent / "fengsui@weather.service.d" / "folder.conf"
    own.write_text(own.read_text("utf-8").replace("/opt/fengsui/bin/fengsui-stage", "/bin/true"))
    for own in unit.parent.glob("fengsui-residents*.service"):
        own.write_text(own.read_text("utf-8").replace("/opt/fengsui/bin/fengsui-stage", "/bin/true"))
    for name in (
        "fengsui.target",
        *(f"fengsui-residents{s}" for s in (".service", "-keeper.service", "-keeper.socket")),
        *(f"fengsui@{s}.service" for s in (*STAGES, "console", "telemetry", "weather")),
    ):
        done = _verified(unit.parent, name)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.write_text(unit.read_text("utf-8").replace("ProtectSystem=strict", "ProtectSystm=strict"))
    assert "ProtectSystm" in _verified(unit.parent, "fengsui@detect.service").stderr


# --- the page ---


def test_the_page_names_commands_that_exist() -> None:
    from fengsui.cli.root import cli

    named = set(re.findall(r"\bfengsui ([a-z][a-z-]+)", OPERATIONS))
    assert named - {"stage"} <= set(cli.commands), named - set(cli.commands)


def test_the_page_tells_every_port_and_every_secret() -> None:
    for port in ("8883", "3000", "9090", "9464", *(str(n) for n in range(9471, 9477))):
        assert port in OPERATIONS
    for secret in COMPOSE["secrets"]:
        assert f"`{secret}`" in OPERATIONS
