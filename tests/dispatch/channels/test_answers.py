"""What HTTP gateways and push services say under status 200: a yes must be said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apprise
import msgspec
import pytest
from apprise.plugins.bark import NotifyBark
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.serverchan import NotifyServerChan
from apprise.plugins.wecombot import NotifyWeComBot
from hypothesis import given
from hypothesis import strategies as st

from config.load import load
from config.records.channels import Channels
from config.records.district import District
from dispatch.channels import SendError
from dispatch.channels.by_apprise.url import ByUrl
from dispatch.channels.declared import problems, unjudged
from dispatch.channels.http.gateway import Gateway
from dispatch.channels.http.response import at, read, says_no, taken, text_of
from tests.support.examples import examples
from tests.support.gateway import Far, parcel, row

ROOT = Path(__file__).parents[3]
FIELDS: dict[str, Any] = {"fields": {"to": "{to}", "text": "{text}"}}


@pytest.fixture
def far() -> Iterator[Far]:
    found = Far()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def district() -> District:
    return load(ROOT / "config" / "yanqing")


def outcome(far: Far, district: District, body: bytes, **more: Any) -> str:
    """accepted, again, never or busy; with the id, if there is one."""
    far.body = body
    try:
        told = Gateway(district, row(far.url, **FIELDS, **more), "").send(parcel())
    except SendError as e:
        assert "19900000001" not in e.detail
        return "busy" if e.wait_s else "never" if e.permanent else "again"
    return " ".join(["accepted", *(r.removeprefix("gw|") for r in told.refs)])


# --- rules


TEXT: dict[str, Any] = {
    "ok_text": r"OK|0(?:,|$)",
    "id_text": r"^(?:OK: ?|0,)(\S+)",
    "busy_values": ("ERR: 88", "-88"),
    "permanent_values": ("ERR: 404",),
}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"OK: 77", "accepted 77"),
        (b"0,77", "accepted 77"),
        (b" 0\r\n", "accepted"),
        ("\ufeff0,77".encode(), "accepted 77"),
        (b'<?xml version="1.0"?><string xmlns="http://x/">0,77</string>', "accepted 77"),
        (b'"OK: 77"', "accepted 77"),
        (b"ERR: 301,0", "again"),
        (b"ERR: 404,0", "never"),
        (b"ERR: 88", "busy"),
        (b"-88", "busy"),
        (b"01", "again"),
        (b"", "again"),
        (b"<html>OK</html>", "again"),
        (b"19900000001 is blocked", "again"),
        ("余额不足".encode("gb18030"), "again"),
    ],
)
def test_an_answer_in_a_line_of_text(
    far: Far, district: District, body: bytes, wanted: str
) -> None:
    assert outcome(far, district, body, **TEXT) == wanted


XML: dict[str, Any] = {
    "ok_field": "returnstatus",
    "ok_values": ("Success",),
    "id_field": "taskID",
    "permanent_values": ("Blocked",),
}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("<r><returnstatus>Success</returnstatus><taskID>77</taskID></r>", "accepted 77"),
        ('<a:r xmlns:a="u"><a:returnstatus> Success </a:returnstatus></a:r>', "accepted"),
        ('<r returnstatus="Success" taskID="77"/>', "accepted 77"),
        ("<r><returnstatus>Faild</returnstatus><taskID>0</taskID></r>", "again"),
        ("<r><returnstatus>Blocked</returnstatus></r>", "never"),
        ("<r/>", "again"),
        ("<r><returnstatus>Success", "again"),
        ("<!DOCTYPE r><r><returnstatus>Success</returnstatus></r>", "again"),
        ('{"returnstatus": "Success", "taskID": 77}', "accepted 77"),
    ],
)
def test_an_answer_in_xml(far: Far, district: District, body: str, wanted: str) -> None:
    assert outcome(far, district, body.encode(), **XML) == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"code": " 0 "}', "accepted"),
        (b'{"Code": 0}', "accepted"),
        (b'{"code": 0.0}', "accepted"),
        (b'<r code="0"/>', "accepted"),
        (b'{"code": "00"}', "again"),
        (b'{"code": null}', "again"),
        (b'{"code": false}', "again"),
        (b'{"code": 17, "CODE": 0}', "again"),
        (b'{"cOde": 0, "coDe": 17}', "again"),
        (b'{"error": {"code": 0}}', "again"),
        (b'[{"code": 0}]', "again"),
    ],
)
def test_one_code_in_every_spelling(far: Far, district: District, body: bytes, wanted: str) -> None:
    assert outcome(far, district, body, ok_field="code", ok_values=("0",)) == wanted


def test_xml_in_the_coding_of_its_declaration() -> None:
    body = '<?xml version="1.0" encoding="GB2312"?><r><m>成功</m></r>'.encode("gb2312")
    assert at(read(body), "m") == at(read(body), "r.m") == "成功"


# --- no rule


@pytest.mark.parametrize(
    "body",
    [
        b"ERR: 301,0",
        b"error",
        b"-2",
        b"-1,no credit",
        b"FAILED: template",
        b'"fail"',
        "发送失败：签名不符".encode(),
        "余额不足".encode("gb18030"),
        b'{"success": false}',
        b'{"data": {"ok": false}}',
        b'{"errcode": 310000, "errmsg": "keywords not in content"}',
        b'{"error_code": 22}',
        b'{"error": {"code": 50002}}',
        b'{"error": "no money"}',
        b'{"status": "fail", "code": 113}',
        b'[{"result": "FAILED"}]',
        b"<r><returnstatus>Faild</returnstatus></r>",
        b"<r><success>false</success></r>",
        b"<!DOCTYPE html><html><body>please log in</body></html>",
        b"  <HTML>",
        b"<!-- proxy --><html><head><title>log in</title></head></html>",
        b"<div>please log in</div>",
        b"<head><title>log in",
        b"",
        b" \r\n",
        b"null",
        b"false",
        b"{}",
        b"[]",
        b"100",
        b"KO",
        b"not ok",
        b"Access denied",
        b"Service Unavailable",
        b"username or password error",
        "签名不存在".encode(),
        b'{"code": 17}',
        b'{"code": "1", "msg": ""}',
        b'{"code": "17", "success": true}',
        b'{"data": {"code": "17"}}',
        b'[{"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "x"}]',
        b'{"result": {"statusCode": "160040"}}',
        b'{"status": 500}',
        b'{"success": null}',
        b'{"is_success": "F"}',
        b'{"msg": "invalid password"}',
        '{"message": "余额不足"}'.encode(),
        b"<r><code>2</code></r>",
        b"<result>-3</result>",
        b'<e:Envelope xmlns:e="u"><e:Body><e:Fault><faultcode>x</faultcode></e:Fault></e:Body></e:Envelope>',
    ],
)
def test_what_says_no_is_no_yes_without_a_rule(far: Far, district: District, body: bytes) -> None:
    assert outcome(far, district, body) == "again"


@pytest.mark.parametrize(
    "body",
    [
        b"0: Accepted for delivery",
        b"0",
        b"OK",
        b'{"code": 0}',
        b'{"error": 0, "msg": "ok"}',
        b'{"error": null, "errors": []}',
        b'{"errcode": 0, "errmsg": "ok"}',
        b'{"errcode": "00000"}',
        b'{"success": true, "status": "success"}',
        b'{"code": "000000"}',
        b'{"code": 200, "data": {"id": 12}}',
        b'{"Code": "OK", "Message": "OK"}',
        "<r><code>2</code><msg>提交成功</msg></r>".encode(),
        b'{"messages": [{"status": {"groupName": "PENDING", "id": 26}}]}',
        b'{"sid": "SM1", "status": "queued", "error_code": null}',
        b'{"id": "m1"}',
        b"20251129101112",
        "发送成功，失败 0 条".encode(),
    ],
)
def test_what_says_yes_is_taken_without_a_rule_and_says_so(
    far: Far, district: District, body: bytes
) -> None:
    far.body = body
    told = Gateway(district, row(far.url, **FIELDS), "").send(parcel())
    assert told.state == "accepted"
    assert "无判据" in told.detail


def with_rows(district: District, *rows: Any) -> District:
    return msgspec.structs.replace(district, channels=Channels(carrier=rows))


def test_check_names_a_row_that_judges_nothing_and_rules_that_cannot_be(
    district: District,
) -> None:
    bare = row("http://10.0.0.1/x", **FIELDS)
    (words,) = unjudged(with_rows(district, bare))
    assert "carrier gw" in words
    assert "无判据" in words
    assert problems(with_rows(district, bare)) == []
    for good in (TEXT, XML):
        settled = with_rows(district, row("http://10.0.0.1/x", **FIELDS, **good))
        assert list(unjudged(settled)) == []
        assert problems(settled) == []
    for wrong in (
        {"ok_text": "("},
        {"ok_text": "OK", "id_text": "no group"},
        {"ok_text": "OK", "ok_field": "code", "ok_values": ("0",)},
    ):
        assert problems(with_rows(district, row("http://10.0.0.1/x", **FIELDS, **wrong)))


@examples(300)
@given(st.binary(max_size=200) | st.sampled_from([b"[" * 5000, b'"\\ud800"', b'{"id": "\\ud800"}']))
def test_any_answer_is_read(body: bytes) -> None:
    says_no(body)
    text_of(body).encode("utf-8", "replace")
    for rule in ({}, TEXT, XML, {"id_field": "id"}):
        try:
            taken(row("http://x", **rule), body).encode()
        except SendError as e:
            str(e.detail).encode()


# --- services of apprise, whose URLs are turned to this machine


SERVICES: dict[str, tuple[Any, str, str, bytes, bytes]] = {
    # class, its URL at ours, the URL template, its yes, its no
    "dingtalk": (
        NotifyDingTalk, "/robot/send?access_token={token}", "dingtalk://abcdefgh12345678",
        b'{"errcode":0,"errmsg":"ok"}', b'{"errcode":310000,"errmsg":"keywords not in content"}',
    ),
    "wecombot": (
        NotifyWeComBot, "/cgi-bin/webhook/send?key={key}", "wecombot://botkey-1234",
        b'{"errcode":0,"errmsg":"ok"}', b'{"errcode":93000,"errmsg":"invalid webhook url"}',
    ),
    "feishu": (
        NotifyFeishu, "/open-apis/bot/v2/hook/{token}/", "feishu://abcdefgh12345678",
        b'{"code":0,"msg":"success"}', b'{"code":19021,"msg":"sign match fail"}',
    ),
    "lark": (
        NotifyLark, "/open-apis/bot/v2/hook/", "lark://abcdefgh-1234-5678-1234-abcdefghijkl",
        b'{"StatusCode":0,"StatusMessage":"success"}', b'{"code":9499,"msg":"Bad Request"}',
    ),
    "schan": (
        NotifyServerChan, "/{token}.send", "schan://SCT123456",
        b'{"code":0,"message":""}', b'{"code":40001,"message":"bad key"}',
    ),
    "bark": (NotifyBark, "", "bark://HOST/device", b'{"code":200}', b'{"code":400}'),
}  # fmt: skip


@pytest.fixture
def service(far: Far, request: Any, monkeypatch: pytest.MonkeyPatch) -> ByUrl:
    kind, path, url, _, _ = SERVICES[request.param]
    base = far.url.removesuffix("/send")
    if path:
        monkeypatch.setattr(kind, "notify_url", base + path)
    monkeypatch.setattr(apprise.NotifyBase, "request_rate_per_sec", 0)
    monkeypatch.setattr(kind, "request_rate_per_sec", 0)
    url = url.replace("HOST", base.removeprefix("http://"))
    return ByUrl("push", url, "", 60, per_minute=10_000)


def said(far: Far, service: ByUrl, body: bytes) -> str:
    far.body = body
    far.got.clear()
    try:
        state = service.send(parcel()).state
    except SendError as e:
        state = "busy" if e.wait_s else "no"
    assert far.got, "it was asked"
    return state


@pytest.mark.parametrize(
    ("service", "name"), [(n, n) for n in SERVICES], indirect=["service"], ids=list(SERVICES)
)
def test_a_service_that_says_no_under_200_has_not_delivered(
    far: Far, service: ByUrl, name: str
) -> None:
    _, _, _, yes, no = SERVICES[name]
    assert said(far, service, yes) == "accepted"
    for body in (no, b"", b"<html>please log in</html>", b'{"errmsg": "ok"}', b"[]"):
        assert said(far, service, body) == "no", body
    assert said(far, service, yes) == "accepted", "an earlier no is forgotten"


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}'),
        ("wecombot", b'{"errcode":45009,"errmsg":"api freq out of limit"}'),
    ],
    indirect=["service"],
)
def test_too_much_at_once_is_waited_out(far: Far, service: ByUrl, body: bytes) -> None:
    assert said(far, service, body) == "busy"


def test_a_no_of_any_other_service_is_a_no_too(far: Far) -> None:
    push = ByUrl("push", far.url.replace("http://", "json://"), "", 60)
    assert said(far, push, b'{"success": false}') == "no"
    assert said(far, push, b"ERR: 301,0") == "no"
    assert said(far, push, b'{"success": true}') == "accepted"
    assert said(far, push, b"") == "accepted"
