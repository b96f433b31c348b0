"""The document of the HTTP API, OpenAPI 3.1, made from the routes that are there and the records that
their bodies are decoded to. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.routing import BaseRoute, Route

from config.language import Language, Said, Text, choose

JSON, STREAM, GEO = "application/json", "text/event-stream", "application/geo+json"
_OPEN = ("/api/login", "/api/openapi.json")  # no token is needed
_REFUSALS = {
    "401": Text("令牌无效或已撤销，或未登录", "no such token, or not logged in"),
    "403": Text("角色无此权限", "the role may not do this"),
    "429": Text("太频繁，一分钟后再试", "too often: wait a minute"),
}


class Says(NamedTuple):
    """What the routes themselves do not tell. body: the struct that a request is decoded to. query:
    what may stand behind the path's "?". answer: what it is answered with."""

    summary: Said
    body: type | None = None
    media: str = JSON
    query: tuple[str, ...] = ()
    answer: Any = None  # a type of console.model.answers, where the answer has one form


def document(
    title: Said,
    version: str,
    routes: Iterable[BaseRoute],
    says: Mapping[str, Says],
    language: Language,
) -> dict[str, Any]:
    """Of all routes under /api/, described in one language. Raises KeyError naming a route that nothing
    is said of."""
    found = [r for r in routes if isinstance(r, Route) and r.path.startswith("/api/")]
    bodies = {s.body for s in says.values() if s.body is not None}
    answers = {path: s.answer for path, s in says.items() if s.answer is not None}
    of_answers, schemas = msgspec.json.schema_components(
        [*answers.values(), *bodies], ref_template="#/components/schemas/{name}"
    )
    forms = dict(zip(answers, of_answers, strict=False))
    schemas["Refusal"] = {
        "type": "object",
        "required": ["words"],
        "properties": {
            "words": {
                "type": "string",
                "description": choose(
                    Text(
                        "给人看的话，用 `lang` 或 Accept-Language 所要的语言，不然中文",
                        "for a person, in the language of `lang` or Accept-Language, else Chinese",
                    ),
                    language,
                ),
            },
            "zh": {"type": "string", "description": "中文"},
            "en": {"type": "string", "description": "English"},
        },
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        path = route.path.replace(":path}", "}")
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(
                route, path, method, says[route.path], forms.get(route.path, {}), language
            )
    return {
        "openapi": "3.1.0",
        "info": {"title": choose(title, language), "version": version},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    route: Route, path: str, method: str, says: Says, form: dict[str, Any], language: Language
) -> dict[str, Any]:
    answer = {"type": "string"} if says.media == STREAM else form
    refusal = {JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    refusals = dict(_REFUSALS)
    if says.body is not None:
        refusals["422"] = Text("请求不完整", "the request is not what it should be")
    if route.param_convertors:
        refusals["404"] = Text("没有", "there is no such thing")
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}{path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": choose(says.summary, language),
        "parameters": [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
            for n in route.param_convertors
        ]
        + [{"name": n, "in": "query", "schema": {"type": "string"}} for n in says.query],
        "responses": {
            "200": {
                "description": choose(Text("好", "well"), language),
                "content": {says.media: {"schema": answer}},
            },
            **{
                code: {"description": choose(words, language), "content": refusal}
                for code, words in sorted(refusals.items())
            },
        },
    }
    if says.body is not None:
        schema = {"$ref": f"#/components/schemas/{says.body.__name__}"}
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if path in _OPEN:
        found["security"] = []
    return found
