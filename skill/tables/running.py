"""The running form of a table's rule: a file of rules for `fengsui hindcast --observations`, so that
its lead time is known before it goes live."""

from typing import Any

import numpy as np

from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.rain.storm.storm_score import is_rain
from skill.series.rules import FORM, VERSION, Matching, ParameterSource, RulesFile
from skill.tables.published import RUN_AS
from skill.tables.rules import TableRules
from skill.verify.match import RULE

AREA, STATION = "AREA", "STATION"
Found = tuple[str, float, dict[str, Any]]  # kind, threshold, parameters


def _known(x: Floats) -> bool:
    return bool(np.isfinite(x).any())


def _score(file: TableRules, middle: dict[str, float]) -> Found | None:
    used = [t for t in file.term if t.weight and t.quantity != "duration"]
    if not any(is_rain(t.quantity) for t in used):
        return None
    site = {t.quantity: middle[t.quantity] for t in used if not is_rain(t.quantity)}
    parameters: dict[str, Any] = {
        "intercept": file.intercept,
        "weights": {t.quantity: t.weight for t in used},
        "site": site,
        "climate": 1.0,
    }
    return "storm_score", file.threshold, parameters


def _published(file: TableRules, middle: dict[str, float]) -> Found | None:
    """A published rule has a kind of its own."""
    kind, threshold, parameters, of_basin = RUN_AS[file.published]
    if not set(of_basin) <= middle.keys():
        return None
    return kind, threshold, parameters | {q: middle[q] for q in of_basin}


def running(file: TableRules, columns: dict[str, Floats], yes: int) -> RulesFile | None:
    """None where the rule uses no rain. The basin is the middle one of the table (medians), to be
    replaced by the real one; so are area and station, and `climate` where the place is another."""
    middle = {q: round(float(np.nanmedian(x)), 6) for q, x in columns.items() if _known(x)}
    found = _published(file, middle) if file.published else _score(file, middle)
    if not found:
        return None
    source = file.provenance
    kind, threshold, parameters = found
    row = RuleRow(
        id=kind,
        kind=kind,
        hazard="debris_flow",
        source=f"fengsui tune --table, sha256 {source.table_sha256[:16]}",
        areas=(AREA,),
        stations=(STATION,),
        orange=threshold,
        parameters=parameters,
    )
    return RulesFile(
        form=FORM,
        version=VERSION,
        matching=Matching(rule=RULE, min_lead_s=900, window_min=360, merge_gap_min=180),
        rule=(row,),
        provenance=ParameterSource(
            observations_sha256=source.table_sha256,
            events_sha256=source.map_sha256,
            rows=source.rows,
            events=yes,
            events_unseen=0,
            first="",
            last="",
            candidates=1,
            cost=source.cost,
            seed=source.seed,
        ),
        in_sample=file.in_sample,
        cross_validated=file.cross_validated,
    )
