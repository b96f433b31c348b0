"""The document of an HTTP door, OpenAPI 3.1, made from the routes that are there and the records that their
bodies are decoded to. Pure.

Each door says of its routes what they do not tell themselves (`Says`), beside them; a route that nothing is
said of is an error. `tests/contracts/test_http_doors.py` asks every door what its document allows and what it
forbids, and holds each answer against it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from config.language import Language, Said, Text, choose

JSON, STREAM, GEO, HTML = (
    "application/json",
    "text/event-stream",
    "application/geo+json",
    "text/html",
)
PLAIN, FORM, MULTIPART = "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"
Schema = Mapping[str, Any]
STRING: Schema = {"type": "string"}
_OF = {STREAM: STRING, HTML: STRING, PLAIN: STRING}
_REFUSALS = {
    400: Text("看不懂的请求", "the request cannot be understood"),
    401: Text("令牌无效或已撤销，或未登录", "no such token, or not logged in"),
    403: Text("无此权限", "this may not be done with it"),
    404: Text("没有", "there is no such thing"),
    408: Text("没有收全", "it did not come whole in time"),
    409: Text("与现在的情形不合", "it does not fit how things stand now"),
    413: Text("太大", "too large"),
    415: Text("不能这样给看", "it cannot be shown in this form"),
    422: Text("请求不完整", "the request is not what it should be"),
    429: Text("太频繁，一分钟后再试", "too often: wait a minute"),
    501: Text("没有做", "it is not built here"),
    503: Text("现在不行，稍后再试", "it cannot be done now: try again later"),
}


class Parameter(NamedTuple):
    """Of the query, or of the path where `path` names it."""

    name: str
    schema: Schema = STRING
    required: bool = False


class Says(NamedTuple):
    """What a route itself does not tell. body: the struct that a request is decoded to. takes: media type ->
    schema of what else it reads. query: what may stand behind the path's "?". path: schemas of the names in
    the path. answer: what it is answered with, where the answer has one form; media: in which types.
    refusals: status codes beside those of the whole door.
    open: nobody need say who they are. missing: of a path with names in it, that there may be no such
    thing."""

    summary: Said
    body: type | None = None
    media: str | tuple[str, ...] = JSON
    query: tuple[Parameter, ...] = ()
    answer: Any = None
    refusals: tuple[int, ...] = ()
    takes: Mapping[str, Schema] = {}
    path: Mapping[str, Schema] = {}
    status: int = 200
    open: bool = False
    missing: bool = True


class Door(NamedTuple):
    """What holds of all routes of a door. refusals: codes that any of them may answer. refusal: media type ->
    schema of such an answer. security: name -> scheme of OpenAPI."""

    title: Said
    version: str
    says: Mapping[str, Says]
    refusals: tuple[int, ...] = ()
    refusal: Mapping[str, Schema] = {}
    security: Mapping[str, Schema] = {}


Place = tuple[str, Iterable[str]]  # a path as starlette writes it, and its methods


def document(door: Door, places: Iterable[Place], language: Language) -> dict[str, Any]:
    """Of all these places, described in one language. Raises KeyError naming a path that nothing is said
    of."""
    says = door.says
    bodies = {s.body for s in says.values() if s.body is not None}
    answers = {path: s.answer for path, s in says.items() if s.answer is not None}
    of_answers, schemas = msgspec.json.schema_components(
        [*answers.values(), *bodies], ref_template="#/components/schemas/{name}"
    )
    forms = dict(zip(answers, of_answers, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for at, methods in places:
        for method in sorted({*methods} - {"HEAD"}):
            operation = _operation(door, at, method, forms.get(at, {}), language)
            paths.setdefault(_shown(at), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": choose(door.title, language), "version": door.version},
        "security": [{name: []} for name in door.security],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": dict(door.security)},
    }


def _shown(at: str) -> str:
    return at.replace(":path}", "}")


def _operation(
    door: Door, at: str, method: str, form: Schema, language: Language
) -> dict[str, Any]:
    says, path = door.says[at], _shown(at)
    names = re.findall(r"{(\w+)}", path)
    media = (says.media,) if isinstance(says.media, str) else says.media
    codes = {*door.refusals, *says.refusals}
    if says.body is not None:
        codes |= {413, 422}
    if names and says.missing:
        codes.add(404)
    parameters = [
        Parameter(n, says.path.get(n, STRING), True)._asdict() | {"in": "path"} for n in names
    ] + [p._asdict() | {"in": "query"} for p in says.query]
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}{path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": choose(says.summary, language),
        "parameters": parameters,
        "responses": {
            str(says.status): {
                "description": choose(Text("好", "well"), language),
                "content": {m: {"schema": _OF.get(m, form)} for m in media},
            },
            **{
                str(code): {
                    "description": choose(_REFUSALS[code], language),
                    "content": {m: {"schema": s} for m, s in door.refusal.items()},
                }
                for code in sorted(codes)
            },
        },
    }
    takes = {} if method == "GET" else dict(says.takes)
    if says.body is not None:
        takes[JSON] = {"$ref": f"#/components/schemas/{says.body.__name__}"}
    if takes:
        content = {m: {"schema": s} for m, s in takes.items()}
        found["requestBody"] = {"required": True, "content": content}
    if says.open:
        found["security"] = []
    return found
