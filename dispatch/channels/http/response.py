"""What a gateway says under status 2xx: JSON, XML or a line of text. Pure.

A row of channels.toml says what a yes is (`ok_field`, `ok_text`), and then nothing else is one. Without
a rule, what says no by itself is a no (a field that everybody calls an error, a word of failure, a web
page), and so is what leaves a yes unsaid: nothing at all, or a code that is not one of success. Rather
a message twice than one that nobody has. `fengsui check` names such a row.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from lxml import etree

from config.language import Said, Text
from config.records.channels import Carrier as Settings
from dispatch.channels import SendError
from dispatch.channels.http.post import LONGEST
from stream.limits import Unreadable, number, read_json

_NOT_TAKEN = Text("网关未收：", "not taken: ")
_WEB_PAGE = Text("答复是网页，也许要登录", "a web page answered, perhaps a log-in")
_BOM = b"\xef\xbb\xbf"
_VALUE = 400  # characters of one field of an answer
_DEEP = 4
_any = msgspec.json.Decoder()
_PAGE = re.compile(
    r"\s*(?:(?:<\?xml[^>]*>|<!--.{0,2000}?-->)\s*)*<(?:!doctype\s+html|html|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_OF_PAGES = frozenset(
    {"head", "title", "meta", "script", "div", "center", "table", "form", "h1", "p"}
)
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NO_TEXT = re.compile(
    r"[\W_]*(?:(?:err|error|fail|failed|failure|invalid|denied|unauthori[sz]ed|forbidden|rejected|"
    r"exception|no credit|nok)\b|-\d)",
    re.IGNORECASE,
)
_NO_ZH = re.compile(
    r"失败|错误|不足|欠费|未授权|无权限|无效|拒绝|不存在|不正确|不合法|超限|已过期|异常|未通过"
)
_NO_WORD = re.compile(
    r"\b(?:error|fail(?:ed|ure)?|invalid|denied|unauthori[sz]ed|forbidden|rejected|unavailable|"
    r"insufficient|exception|expired|blocked|nack|ko|not (?:ok|accepted|allowed|found|sent))\b",
    re.IGNORECASE,
)
_YES_WORD = re.compile(
    r"成功|\b(?:ok|success(?:ful(?:ly)?)?|accepted|queued|submitted)\b", re.IGNORECASE
)
_CODES = frozenset({"errcode", "errorcode"})  # names of fields, small and without _ and -
_ERRORS = frozenset({"error", "errors", "err", "errormessage", "fault", "faultcode", "faultstring"})
_YES = frozenset({"success", "issuccess", "successful", "succeeded", "ok", "accepted", "sent"})
_NOT_YES = frozenset({"false", "0", "no", "n", "f", "fail", "failed", ""})
# whose value is 0 or a word of success where all is well …
_CODED = frozenset(
    {"code", "ret", "retcode", "returncode", "statuscode", "resultcode", "responsecode", "respcode"}
    | {"rescode", "rspcod", "errno", "subcode", "bizcode"}
)
_WELL = frozenset({"ok", "success", "true", "200", "201", "202", "accepted", "succeed"})
# … and where it is explained
_SAID = frozenset(
    {"msg", "message", "errmsg", "desc", "description", "remark", "reason", "info", "returnmsg"}
    | {"resultmsg", "respdesc", "statusmessage", "resultmessage", "errordescription"}
)
_STATES = frozenset({"status", "returnstatus", "result", "state"})
_NO = frozenset(
    {"fail", "failed", "failure", "faild", "error", "err", "rejected", "denied", "invalid"}
    | {"unauthorized", "false", "失败", "错误"}
)
_NOTHING = frozenset({"", "none", "null", "false", "ok", "success"})


def taken(s: Settings, body: bytes) -> str:
    """The gateway's own id of the message, "" for none. Raises SendError unless it says yes."""
    found, text = read(body), text_of(body)
    ident = at(found, s.id_field) if s.id_field else _group(s.id_text, text)
    if s.ok_field:
        if found is None:
            raise SendError(Text("不是网关的答复", "an answer that is not the gateway's"))
        code = at(found, s.ok_field)
        if code.lower() not in {v.lower() for v in s.ok_values}:
            # a code, not free words, which may hold a number
            busy, never = code in s.busy_values, code in s.permanent_values
            raise _refused(f"{s.ok_field} {code[:40]!r}", busy, never)
    elif s.ok_text:
        if not re.match(s.ok_text, text):
            busy, never = text.startswith(s.busy_values), text.startswith(s.permanent_values)
            raise _refused(_shown(text), busy and bool(text), never and bool(text))
    elif why := says_no(body) or says_nothing(body):
        raise SendError(_NOT_TAKEN + why)
    return ident


def judges(s: Settings) -> bool:
    """Does the row say what a yes is?"""
    return bool(s.ok_field or s.ok_text)


def says_no(body: bytes, *, page: bool = True) -> Said:
    """Why the answer is a no whoever says it; "" where it is none, or cannot be told. page: a web page
    is one."""
    found, text = read(body), text_of(body)
    if page and _PAGE.match(text):
        return _WEB_PAGE
    for name, value in _fields(found, _DEEP):
        key = re.sub(r"[\W_]", "", name).lower()
        word = _word(value).strip().lower()
        zero = not word.strip("0")
        if (
            (key in _CODES and not zero and word not in _NOTHING)
            or (key in _ERRORS and not zero and word not in _NOTHING)
            or (key in _ERRORS and isinstance(value, (dict, list)) and value)
            or (key in _YES and word in _NOT_YES and not isinstance(value, (dict, list)))
            or (key in _STATES and word in _NO)
        ):
            return f"{name[:20]} {_shown(word)}".strip()
    if isinstance(found, (dict, list)):
        return ""
    no = _NO_TEXT.match(text) or (_NO_ZH.search(text) and "成功" not in text)
    return _shown(text) if no else ""


def says_nothing(body: bytes) -> Said:
    """Why the answer of a gateway without a rule is no yes, though it is no plain no either: it is
    empty, or has a code that nobody calls success, and no words of success beside it."""
    found, text = read(body), text_of(body)
    if not text or found == {} or found == [] or text in ("null", "false"):
        return Text("空的答复", "an empty answer")
    if isinstance(found, dict) and len(found) == 1 and {*map(str.lower, found)} <= _OF_PAGES:
        return _WEB_PAGE
    fields = [(re.sub(r"[\W_]", "", k).lower(), v) for k, v in _fields(found, _DEEP)]
    words = " ".join(_word(v) for k, v in fields if k in _SAID) if fields else text
    if _doubtful(words):
        return _shown(words)
    if _YES_WORD.search(words):
        return ""
    for key, value in fields:
        word = _word(value).strip().lower()
        code = key in _CODED and word not in _WELL
        code |= key in _STATES and bool(re.fullmatch(r"-\d+|[3-9]\d\d", word))
        if code and word.strip("0"):
            return f"{key} {_shown(word)}"
    # a line that is a short number is a code, a long one an id
    if not fields and re.fullmatch(r"-\d+|\d{1,4}", text) and text.strip("0"):
        return _shown(text)
    if fields or not text.startswith("<"):
        return ""
    return Text("答复读不懂", "an answer that cannot be read")


def _doubtful(words: str) -> bool:
    """Words of failure, and none of success before them."""
    no = _NO_WORD.search(words) or _NO_ZH.search(words)
    yes = _YES_WORD.search(words)
    return no is not None and (yes is None or yes.start() >= no.start())


def read(body: bytes) -> Any:
    """The JSON or XML of an answer: an element is a dict of its attributes and children, by names
    without a namespace, or its text. None where it is neither."""
    body = body.removeprefix(_BOM).strip()
    try:
        return read_json(body, _any, LONGEST)
    except Unreadable:
        pass
    if not body.startswith(b"<") or _DTD.search(body) or _PAGE.match(body.decode("latin-1")):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return {_local(root.tag): _tree(root)}


def text_of(body: bytes) -> str:
    """The answer as one text without blanks around it; of an XML that is one element, and of a JSON
    that is one string, what stands in it."""
    found = read(body)
    if isinstance(found, dict) and len(found) == 1:
        (inner,) = found.values()
        found = inner if body.lstrip().startswith(b"<") else found
    if isinstance(found, str):
        return found.strip()
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace").strip()


def at(found: Any, path: str) -> str:
    """The value at a dotted path, as text; "" where there is none. The name of an XML's root may be
    left out."""
    value = _walk(found, path)
    if value is None and isinstance(found, dict) and len(found) == 1:
        ((root, inner),) = found.items()
        value = None if root.lower() in _ERRORS else _walk(inner, path)
    return _word(value).strip()


def _walk(found: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(found, list):
            n = int(name) if name.isascii() and name.isdigit() else len(found)
            found = found[n] if n < len(found) else None
        else:
            found = _named(found, name) if isinstance(found, dict) else None
    return found


def _named(found: dict[str, Any], name: str) -> Any:
    """In any case, if that is one alone."""
    if name in found:
        return found[name]
    same = [v for k, v in found.items() if k.lower() == name.lower()]
    return same[0] if len(same) == 1 else None


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value[:_VALUE]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if number(value) is not None else ""


def _fields(found: Any, deep: int) -> Iterator[tuple[str, Any]]:
    """Every field of every object, the outer ones first."""
    if isinstance(found, dict):
        yield from found.items()
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for value in inner if deep else ():
        yield from _fields(value, deep - 1)


def _tree(e: etree._Element) -> Any:
    if not len(e) and not e.attrib:
        return (e.text or "").strip()
    found: dict[str, Any] = {_local(k): v for k, v in e.attrib.items()}
    for child in e:
        if isinstance(child.tag, str):
            found.setdefault(_local(child.tag), _tree(child))
    return found


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _group(pattern: str, text: str) -> str:
    hit = re.search(pattern, text) if pattern else None
    return (hit[1] or "") if hit and hit.re.groups else ""


def _refused(words: str, busy: bool, never: bool) -> SendError:
    told = _NOT_TAKEN + words
    return SendError(told, wait_s=1.0) if busy else SendError(told, permanent=never)


def _shown(text: str) -> str:
    """The beginning of a gateway's words: a code stands there, and no telephone number."""
    return repr(re.sub(r"\d{5,}", "#", text[:24]))
