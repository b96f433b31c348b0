"""The people's door as programs find it: a page, and an app that posts the same fields. Pure."""

from config.language import Text
from ingest.people.reports import SAYABLE
from stream.http.openapi import FORM, HTML, JSON, MULTIPART, STRING, Door, Parameter, Says

PLACES = (("/r/{token}", ("GET", "POST")), ("/report", ("POST",)))
_NUMBER = {"type": ["string", "number", "null"], "maxLength": 1000}
_TEXT = {"type": ["string", "null"], "maxLength": 1000}
_FIELDS = {
    "what": {"type": "string", "enum": [*SAYABLE, "service"]},
    "text": _TEXT,  # words of one's own, where there is no `what`
    **dict.fromkeys(("id", "area", "fact", "happened", "thing"), _TEXT),
    **dict.fromkeys(("people", "time", "minutes", "code"), _NUMBER),
    "how": _TEXT,  # of moved: shelter, relatives, upstairs
    **dict.fromkeys(("lon", "lat", "placed"), _NUMBER),  # of the photograph, as the browser knew it
}
_REPORT = {"type": "object", "properties": _FIELDS}
_FORM_FIELDS = {**dict.fromkeys(_FIELDS, STRING), "photo": {"type": "string", "format": "binary"}}
_FORM_REPORT = {"type": "object", "properties": _FORM_FIELDS}
_REFUSED = {
    "type": "object",
    "required": ["state", "words", "zh", "en", "detail"],
    "properties": dict.fromkeys(("state", "words", "zh", "en", "detail"), STRING),
}
_TAKES = {JSON: _REPORT, FORM: _FORM_REPORT, MULTIPART: _FORM_REPORT}
_REFUSALS = (400, 403, 408, 413, 429, 503)
_PAGE = Says(
    Text(
        "一个人的报告页；POST 报告，日志有了才答 200",
        "one person's page; POST: a report, 200 once the log has it",
    ),
    query=(Parameter("lang"),),
    takes=_TAKES,
    media=(HTML, JSON),
    refusals=_REFUSALS,
    open=True,  # the token is the path
    missing=False,
)
_APP = _PAGE._replace(
    summary=Text(
        "程序的报告，令牌在 Authorization: Bearer",
        "a program's report, the token in Authorization: Bearer",
    ),
    open=False,
)
DOOR = Door(
    Text("烽燧：村民报告的入口", "Fengsui: the door at which people report"),
    "1",
    {"/r/{token}": _PAGE, "/report": _APP},
    refusal={JSON: _REFUSED, HTML: STRING},
    security={"token": {"type": "http", "scheme": "bearer"}},
)
