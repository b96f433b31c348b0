"""What is personal stays out of a pack unless it is named; and what was sent to superiors is in it."""

from pathlib import Path

import msgspec

from config.language import Text
from config.records.level import Action, Level
from dispatch.ledger.writer import ledger_keys
from dispatch.records import Decision, Delivery, Receipt, Report, ReportPart, Route
from fengsui.inquiry.account import Statement
from fengsui.inquiry.verify import verify
from tests.support.after_action import T0, S, receipt
from tests.support.inquiry import (
    INCIDENT,
    NAME,
    NUMBER,
    again,
    by_insider,
    files_of,
    filled,
    lines_of,
    packed,
    records,
    told,
)


def test_what_was_verified_stays_out_wherever_a_report_repeats_it(tmp_path: Path) -> None:
    facts = f"{NAME}（{NUMBER}）在沟口失联，家属已到村委会，" + "救援队正在下游两岸搜寻，" * 12
    by = Decision(
        area="", hazard="", act="verify", by="K-01", decided_at=T0 + 500 * S, reason=facts,
        incident=INCIDENT, hash="h1",
    )  # fmt: skip
    verified = Report(
        incident=INCIDENT, number=2, kind="核报", reported_at=T0 + 500 * S, alerts=("w1/2",),
        text=Text(f"延庆区核报。核实（K-01）：{facts}", f"x. Verified by K-01: {facts}"), by="K-01",
        parts=(ReportPart(name=Text("核实情况", "verified"), words=Text(facts, facts)),),
    )  # fmt: skip
    cut = facts[:120] + "…"
    later = Report(
        incident=INCIDENT, number=3, kind="续报", reported_at=T0 + 600 * S, alerts=("w1/2",),
        text="延庆区续报。",
        parts=(ReportPart(name=Text("灾情损失", "losses"), words=Text(f"第2报核实：{cut}", cut)),),
    )  # fmt: skip
    way = Route(channel="app", text=f"八、灾情损失：第2报核实：{cut}", title="第3报")
    to = Delivery(
        id="r3", alert=f"report:{INCIDENT}:3", version=1, area="", hazard="", level=Level.NONE,
        action=Action.NONE, msg_type="alert", status="exercise", recipient="C-0190",
        audience="internal", routes=(way,), queued_at=T0 + 600 * S, deadline_at=T0 + 1200 * S,
        expires_at=T0 + 9000 * S,
    )  # fmt: skip
    late = Receipt(
        delivery="r3", route=0, state="failed", receipt_at=T0 + 700 * S, detail=f"no {NUMBER}"
    )
    setup, _ = filled(tmp_path, [*records(), by, verified, later, to, late])
    packed(setup, tmp_path / "a.zip")
    for name, body in files_of(tmp_path / "a.zip").items():
        for piece in (NAME, NUMBER, facts[20:32], "救援队正在下游"):
            assert piece.encode() not in body, (name, piece)
    assert verify(tmp_path / "a.zip", []).faults == []
    # numbers never come in, whatever is named
    packed(setup, tmp_path / "b.zip", "words", "carriers")
    files = files_of(tmp_path / "b.zip")
    assert NAME.encode() in files["records.jsonl"]
    assert not [name for name, body in files.items() if NUMBER.encode() in body]
    assert verify(tmp_path / "b.zip", []).faults == []


def test_what_went_to_the_superiors_is_in_it(tmp_path: Path) -> None:
    to = Delivery(
        id="r1", alert=f"report:{INCIDENT}:1", version=1, area="", hazard="", level=Level.NONE,
        action=Action.NONE, msg_type="alert", status="exercise", recipient="C-0190",
        audience="internal", routes=(Route(channel="app", text="初报"),), queued_at=T0 + 480 * S,
        deadline_at=T0 + 1200 * S, expires_at=T0 + 9000 * S,
    )  # fmt: skip
    other = msgspec.structs.replace(to, id="r9", alert=f"report:{INCIDENT}0:1")
    had = receipt("r1", "delivered", T0 + 500 * S)
    setup, _ = filled(tmp_path, [*records(), to, had, other])
    packed(setup, tmp_path / "a.zip")
    found = files_of(tmp_path / "a.zip")
    said = [s.words.en for s in msgspec.json.decode(found["account.json"], type=list[Statement])]
    assert "report 1 to 1 recipient: app 1" in said
    assert not [x for x in said if "warning of to" in x or "1 recipients" in x]
    lines = lines_of(found)
    assert [x for x in lines if b'"id":"r1"' in bytes(x.value)]
    mine = [x for x in lines if b'"delivery":"r1"' in bytes(x.value)]
    assert len(mine) == 1
    assert not [x for x in lines if b'"id":"r9"' in bytes(x.value)]
    private = ledger_keys(setup.folder, setup.live).private
    files = by_insider(
        files_of(tmp_path / "a.zip"), [x for x in lines if x is not mine[0]], private
    )
    assert "它的记录不在包里" in told(verify(again(tmp_path, files, private), []))
