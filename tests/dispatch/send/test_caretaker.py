"""What send does for the nodes beside warnings: keys, time, mandates, reports; with a real broker
and the real stage."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from config.language import en, zh
from config.load import load
from config.records.district import District
from config.records.level import Action
from config.records.quantity import QUANTITIES
from console.model.view import View
from dispatch.nodes.keys import Ring, key_set, read_key, renew, revoke, root_keys, sender_keys
from dispatch.nodes.mandate import Grant, mandate
from dispatch.nodes.protocol import (
    Beacon,
    Hello,
    KeySet,
    Mandate,
    NodeReport,
    Noted,
    opened,
    sign,
    what_of,
)
from dispatch.nodes.seal import unsealed
from dispatch.records import Delivery
from fengsui.status.nodes import TEST_LATE_MS, node_lines
from ingest.identify import Register
from ingest.observation import Flag, Observation, Observations
from ingest.stage import Intake
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Mqtt
from tests.support.node_hands import public_of
from tests.support.played import fengsui
from tests.support.send import T0, Stage, run_of, until
from tests.support.servers import free_port

ROOT = Path(__file__).parents[3]
P = "fengsui/exercise/yanqing"
NODE_KEY, BOX = b"n" * 32, b"x" * 32
DAY = 86_400_000


@pytest.fixture(scope="module")
def district() -> District:
    found = load(ROOT / "config" / "yanqing")
    box = X25519PrivateKey.from_private_bytes(BOX).public_key().public_bytes_raw()
    nodes = {**found.nodes}
    nodes["N001"] = msgspec.structs.replace(nodes["N001"], sign_key=public_of(NODE_KEY))
    nodes["N003"] = msgspec.structs.replace(nodes["N003"], box_key=box.hex())
    return msgspec.structs.replace(found, nodes=nodes)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield found.url
    found.stop()


class Ear:
    """Everything that goes to the nodes."""

    def __init__(self, url: str, name: str) -> None:
        self.mqtt = Mqtt(url, name)
        self.mqtt.wait_connected(90)
        self.mqtt.subscribe([f"{P}/node/+/command", f"{P}/beacon", f"{P}/keys"], 90)
        self.got: list[tuple[str, bytes]] = []

    def heard(self, what: str, topic: str = "") -> list[bytes]:
        batch = self.mqtt.get_batch(0.05)
        self.got += [(m.topic, m.payload) for m in batch]
        self.mqtt.ack(batch)
        return [p for t, p in self.got if what_of(p) == what and t.endswith(topic)]


def report(**more: Any) -> NodeReport:
    fields: dict[str, Any] = {
        "node": "N001", "kind": "exercise", "act": "N001-1-1", "state": "played",
        "mandate_at": T0, "area": "A01", "hazard": "flash_flood", "action": Action.MOVE,
        "text": "立即转移", "quantity": "rain", "window_min": 60, "count": 412,
        "lost_at": T0 - 900_000, "began_at": T0 - 60_000, "detail": "21.0 s, line 0.10",
    }  # fmt: skip
    return NodeReport(**{**fields, **more})


def test_send_tells_the_time_hands_out_keys_and_mandates_and_takes_note_of_acts(
    tmp_path: Path, district: District, broker: str
) -> None:
    ear = Ear(broker, "ear")
    grant = Grant(by="u1", reason="汛期", granted_at=T0, until_at=T0 + 30 * DAY)
    (tmp_path / "mandate.json").write_bytes(msgspec.json.encode(grant))
    stage = Stage(tmp_path, district, broker, run_of())
    try:
        stage.put(run_of())
        stage.marks(T0)
        until(lambda: ear.heard("mandate", "N001/command"), "a mandate", 60)
        until(lambda: ear.heard("beacon", "/beacon") and ear.heard("keys"), "time and keys", 60)
        sender = [sender_keys(tmp_path).public]
        root = [read_key(tmp_path / "keys" / "root.pub")]
        (beacon,) = ear.heard("beacon", "/beacon")
        assert opened(beacon, Beacon, "exercise", sender) == Beacon(kind="exercise", beacon_at=T0)
        found = opened(ear.heard("keys")[0], KeySet, "exercise", root)
        assert isinstance(found, KeySet) and [k.public for k in found.keys] == [sender[0].hex()]
        given = opened(ear.heard("mandate", "N001/command")[0], Mandate, "exercise", sender)
        assert isinstance(given, Mandate) and given.issued_at == T0
        assert given.valid_until_at == T0 + 7 * DAY
        # sealed for the node that asks for it
        until(lambda: [t for t, _ in ear.got if "N003/" in t] or ear.heard(""), "N003's", 60)
        sealed = next(p for t, p in ear.got if "N003/" in t)
        assert b"mandate" not in sealed
        assert what_of(unsealed(BOX, "N003", sealed) or b"") == "mandate"

        hello = Hello(node="N001", keys=0, mandate_at=0, nonce="00ff")
        ear.mqtt.publish(f"{P}/node/N001/hello", msgspec.json.encode(hello))
        until(lambda: ear.heard("beacon", "N001/command"), "an answer", 60)
        mine = opened(ear.heard("beacon", "N001/command")[0], Beacon, "exercise", sender)
        assert mine == Beacon(kind="exercise", beacon_at=T0, nonce="00ff")
        until(lambda: len(ear.heard("mandate", "N001/command")) == 2, "the mandate again", 60)

        told = sign(NODE_KEY, report())
        ear.mqtt.publish(f"{P}/node/N001/report", told)
        until(lambda: _deliveries(stage), "the duty room's notice", 60)
        (notice,) = [d for d in _deliveries(stage) if d.recipient == "duty:N001"]
        assert "acted alone" in notice.routes[0].title
        # not before send itself has read it back: till then the same report is as new
        until(lambda: stage.states(notice.id) == ["delivered"], "the duty room sees it", 60)
        assert ear.heard("noted") == []
        ear.mqtt.publish(f"{P}/node/N001/report", told)
        until(lambda: ear.heard("noted", "N001/command"), "noted once the log has it", 60)
        noted = opened(ear.heard("noted")[0], Noted, "exercise", sender)
        assert isinstance(noted, Noted) and noted.acts == ("N001-1-1/played",)
        text = notice.routes[0].text
        assert notice.status == "exercise" and zh(text).startswith("（演练）")
        assert en(text).startswith("EXERCISE.") and "Xiangtun" in en(text)
        assert "香屯村" in text and "立即转移" in text and "rain 60 min 41.2 mm" in text

        # what is not proved is seen, not believed
        for node, payload in (
            ("N001", sign(b"z" * 32, report(act="forged"))),
            ("N002", sign(NODE_KEY, report(node="N002", act="no key"))),
            ("N001", sign(NODE_KEY, report(kind="live", act="live"))),
            ("N001", sign(NODE_KEY, report(node="N002", act="for another"))),
            ("N001", b"\xff{"),
        ):
            ear.mqtt.publish(f"{P}/node/{node}/report", payload)
        for name, payload in (
            ("N009", msgspec.json.encode(hello)),
            ("N001", b"{}"),
            ("N999", msgspec.json.encode(hello)),
        ):
            ear.mqtt.publish(f"{P}/node/{name}/hello", payload)
        until(lambda: len(stage.letters()) == 8, "dead letters", 60)
        assert sorted(stage.letters()) == sorted(
            ["bad_signature", "bad_signature", "wrong_kind", "wrong_node", "bad_payload",
             "wrong_node", "bad_payload", "unknown_station"]
        )  # fmt: skip
        assert len(_deliveries(stage)) == 1

        # withdrawn: every node's mandate ends; and the sender's key is changed under way
        ended = msgspec.structs.replace(grant, until_at=T0 + 1)
        (tmp_path / "mandate.json").write_bytes(msgspec.json.encode(ended))
        renew(tmp_path, "exercise", T0 + 60_000, root_keys(tmp_path).private, DAY)
        stage.marks(T0 + 60_000)
        until(lambda: len(ear.heard("mandate", "N001/command")) == 3, "the withdrawal", 60)
        fresh = [sender_keys(tmp_path).public]
        assert fresh != sender
        last = opened(ear.heard("mandate", "N001/command")[2], Mandate, "exercise", fresh)
        assert isinstance(last, Mandate) and last.clauses == () and last.issued_at > T0
    finally:
        ear.mqtt.close()
        stage.close()


def _deliveries(stage: Stage) -> list[Delivery]:
    return [r for r in stage.records() if isinstance(r, Delivery)]


# --- keys


def test_rotation_revocation_and_a_root_that_was_taken_away(tmp_path: Path) -> None:
    ring = Ring(tmp_path, "live")
    first = sender_keys(tmp_path).public.hex()
    assert ring.keys.version == 1 and not ring.refresh()
    root = root_keys(tmp_path).private
    found = renew(tmp_path, "live", T0, root, DAY)
    second = sender_keys(tmp_path).public.hex()
    assert [(k.public, k.until_at) for k in found.keys] == [(second, None), (first, T0 + DAY)]
    assert ring.refresh() and public_of(ring.private) == second
    assert [k.public for k in revoke(tmp_path, "live", T0, root, first[:12]).keys] == [second]
    found = revoke(tmp_path, "live", T0, root, second[:12])
    assert [k.public for k in found.keys] == [sender_keys(tmp_path).public.hex()] != [second]
    assert found.version == 4
    with pytest.raises(ValueError, match="is not one of"):
        revoke(tmp_path, "live", T0, root, "00")
    with pytest.raises(ValueError, match="another root"):
        renew(tmp_path, "live", T0, b"q" * 32, DAY)
    (tmp_path / "keys" / "root.key").unlink()
    Ring(tmp_path, "live")  # send needs no root
    with pytest.raises(ValueError, match="--root"):
        root_keys(tmp_path)


def test_an_exercise_cannot_hold_a_live_key(tmp_path: Path) -> None:
    """Copied into its folder, the live keys are refused before anything starts."""
    Ring(tmp_path / "live", "live")
    shutil.copytree(tmp_path / "live", tmp_path / "exercise-x")
    with pytest.raises(ValueError, match="wrong_kind"):
        Ring(tmp_path / "exercise-x", "exercise")


def test_a_crash_in_a_rotation_loses_no_key(tmp_path: Path) -> None:
    """Between any two writes: send goes on with a key that the newest set names."""
    Ring(tmp_path, "live")
    place, root = tmp_path / "keys", root_keys(tmp_path).private
    old = (place / "sender.key").read_bytes()
    renew(tmp_path, "live", T0, root, 0)
    new = (place / "sender.key").read_bytes()
    (place / "sender.key").replace(place / "sender.next")  # as it stood before the last step
    (place / "sender.key").write_bytes(old)
    (place / "sender.key").chmod(0o600)
    assert Ring(tmp_path, "live").private.hex().encode() == new.strip()
    (place / "sender.key").write_bytes(old)
    with pytest.raises(ValueError, match="keys rotate"):
        Ring(tmp_path, "live")


def test_a_key_set_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    Ring(tmp_path, "live")
    file = tmp_path / "keys" / "keyset.json"
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2'))
    with pytest.raises(ValueError, match=r"keyset\.json"):
        key_set(tmp_path, "live")


# --- mandates


def test_a_mandate_is_the_wet_rows_of_the_district(district: District) -> None:
    grant = Grant(by="u1", reason="r", granted_at=T0, until_at=T0 + DAY)
    found = mandate(district, district.nodes["N001"], grant, "live", T0)
    assert found is not None and found.valid_until_at == T0 + DAY
    limits = [
        t.move_mm for t in district.rain
        if t.area == "A01" and t.wetness == "wet" and t.window_min == 60 and t.move_mm
    ]  # fmt: skip
    (clause,) = [
        c for c in found.clauses
        if c.action == Action.MOVE and c.window_min == 60 and c.quantity == "rain"
    ]  # fmt: skip
    assert clause.count == QUANTITIES["rain"].count(min(limits))
    assert len(sign(b"k" * 32, found)) < 16_384
    for node in district.nodes.values():
        made = mandate(district, node, grant, "exercise", T0)
        assert made is not None and made.move_text.startswith("（演练）")
        assert "立即转移" in made.move_text and "准备转移" in made.prepare_text
        assert len(made.move_text) < 110


# --- what nodes say of themselves


def test_a_nodes_status_becomes_observations_and_the_rest_dead_letters(
    district: District, tmp_path: Path
) -> None:
    from stream.disk.blobs import FrameStore
    from stream.mqtt.client import Message

    intake = Intake(district, run_of(), FrameStore(tmp_path))
    body = {"time": T0 / 1000, "battery": 93.5, "mains": 1, "door": 0, "self_test": 1, "key_set": 4}
    outs = intake.records(
        [
            Message(f"{P}/node/N001/status", msgspec.json.encode(body), 1, 1),
            Message(f"{P}/node/N001/status", b'{"mains": 2, "mood": 1, "battery": "full"}', 2, 1),
            Message(f"{P}/node/N001/status", b"[1]", 3, 1),
            Message(f"{P}/node/N999/status", b'{"battery": 1}', 4, 1),
            Message(f"{P}/node/N001/status", b"{" + b" " * 300_000, 5, 1),
        ]
    )
    records = [msgspec.json.decode(o.value) for o in outs]
    (batch,) = [r for r in records if r["type"] == "observations"]
    assert dict(zip(batch["quantity"], batch["value"], strict=True)) == {
        "battery": 935, "mains": 2, "door": 0, "self_test": 1, "key_set": 4,
    }  # fmt: skip
    assert sorted(r["reason"] for r in records if r["type"] == "dead_letter") == [
        "bad_payload", "bad_value", "oversize", "unknown_station", "wrong_quantity",
    ]  # fmt: skip
    assert ("N001", "door") in Register(district).quantity


def test_status_names_nodes_that_need_a_visit(district: District) -> None:
    def said(at: int, **values: int) -> Observations:
        items = [
            Observation(station="N001", quantity=q, observed_at=at, value=v, flag=Flag.GOOD)
            for q, v in values.items()
        ]
        return Observations.of("g", at, items)

    view = View()
    assert list(node_lines(view, district, T0 + TEST_LATE_MS, T0)) == []
    overdue = list(node_lines(view, district, T0 + TEST_LATE_MS + 1, T0))
    assert len(overdue) == len(district.nodes) and "last never" in overdue[0]
    late = T0 + TEST_LATE_MS + 1
    view.take(said(late, self_test=1, mains=1, door=0, refused_commands=0))
    assert not [x for x in node_lines(view, district, late, T0) if "N001" in x]
    view.take(said(late + 1, self_test=0, mains=0, door=1, refused_commands=3))
    view.take(said(late, self_test=1, mains=1, door=0, refused_commands=0))  # late evidence
    lines = [x for x in node_lines(view, district, late, T0) if "N001" in x]
    assert [x.zh.split()[0] for x in lines] == ["自检失败", "市电中断", "箱门打开", "拒绝指令"]


# --- commands


def test_keys_and_mandates_by_command(tmp_path: Path) -> None:
    done = fengsui(tmp_path, "keys", "show")
    assert done.returncode == 0 and "v1" in done.stdout, done.stderr
    done = fengsui(tmp_path, "keys", "rotate")
    assert done.returncode == 0 and "v2" in done.stdout and "until" in done.stdout
    done = fengsui(tmp_path, "keys", "revoke", "zz")
    assert done.returncode == 2 and "is not one of" in done.stderr
    done = fengsui(tmp_path, "mandate", "grant", "--by", "u1", "--reason", "汛期", "--after", "5")
    assert done.returncode == 2 and "--after" in done.stderr
    done = fengsui(tmp_path, "mandate", "grant", "--by", "u1", "--reason", "汛期")
    assert done.returncode == 0
    assert "u1: 汛期" in fengsui(tmp_path, "mandate", "show").stdout
    assert fengsui(tmp_path, "mandate", "withdraw", "--by", "u2", "--reason", "r").returncode == 0
    assert "none in force" in fengsui(tmp_path, "mandate", "show").stdout
    history = (tmp_path / "live" / "mandate.history.jsonl").read_text().splitlines()
    assert len(history) == 2 and '"u2"' in history[1]
