"""Every HTTP door of the product open on this machine, with its document and whoever may ask there; and
schemathesis at it: what the document allows, what it forbids, each answer held against it.

Who asks is put in by a hook, never let through by the product. Rates are raised for the tests, as nobody can
ask so much; everything else is as it is in service.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

PATIENCE_S = 90  # of an answer: none of them waits for anything but its turn
_ALLOWED = ("501", "503")  # in the document, and in words; every other 5xx is a fault
_NOT_IN = (400, 401, 403, 404, 405)
_CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
)
Caller = Callable[[], Mapping[str, str]]  # the headers that say who asks, now


class Opened(NamedTuple):
    """A door at work. callers: who asks, by name; "nobody" brings nothing. endless: paths whose answer has no
    end. real: what nobody could guess, by its name in the path or body: real ids. lax: it takes what its
    document does not name, as the gateway that posts there may send more than we read. bodies: whole ones that
    nobody could make up."""

    url: str
    document: dict[str, Any]
    callers: Mapping[str, Caller]
    endless: tuple[str, ...] = ()
    real: Mapping[str, tuple[Any, ...]] = {}
    lax: bool = False
    bodies: tuple[str, ...] = ()


def operations(door: Opened) -> Iterator[Any]:
    """Of its document, as schemathesis reads them."""
    # who asks is put in below: what it would make up as a token is not wanted
    free = {k: v for k, v in door.document.items() if k != "security"}
    schema = schemathesis.openapi.from_dict(free)
    schema.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", *_ALLOWED]
    # what is forbidden may be longer than the door reads: 413 refuses it too
    refused = schema.config.checks.negative_data_rejection
    refused.expected_statuses = [*refused.expected_statuses, "413"]
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in door.endless:
            yield operation


def ask(door: Opened, operation: Any, tried: Callable[[Any], Any]) -> set[int]:
    """So many cases of one operation, each by one of the callers: the codes that came. Raises what
    schemathesis raises: a request as a command, and what was wrong with the answer."""
    codes: set[int] = set()
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    held = [c for c in _CHECKS if not (door.lax and c is checks.negative_data_rejection)]
    guarded = door.document["security"] and operation.definition.raw.get("security") != []

    @tried
    @given(case=cases, who=st.sampled_from(sorted(door.callers)), data=st.data())
    def asked(case: Case, who: str, data: st.DataObject) -> None:
        if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
            _made_real(case, door.real, data)
            if isinstance(case.body, str) and door.bodies and data.draw(st.booleans()):
                case.body = data.draw(st.sampled_from(door.bodies))
        answer = case.call(
            base_url=door.url,
            headers=dict(door.callers[who]()),
            timeout=PATIENCE_S,
            allow_redirects=False,
        )
        codes.add(answer.status_code)
        case.validate_response(answer, checks=held)
        if guarded and who == "nobody":
            assert answer.status_code in _NOT_IN, f"{operation.label} asks nobody who they are"

    asked()
    return codes


def _made_real(case: Case, real: Mapping[str, tuple[Any, ...]], data: st.DataObject) -> None:
    """Some of what was made up, by what there is."""
    for values in (case.path_parameters, case.body, case.query):
        if not isinstance(values, dict):
            continue
        for name in sorted(real.keys() & values.keys()):
            if data.draw(st.booleans()):
                values[name] = data.draw(st.sampled_from(real[name]))
