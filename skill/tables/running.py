"""The running form of a table's rule: a file of rules for `fengsui hindcast --observations`, so that
its lead time is known before it goes live."""

import numpy as np

from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.rain.storm_score import is_rain
from skill.series.rules import FORM, VERSION, Matching, ParameterSource, RulesFile
from skill.tables.rules import TableRules
from skill.verify.match import RULE

AREA, STATION = "AREA", "STATION"


def running(file: TableRules, columns: dict[str, Floats], yes: int) -> RulesFile | None:
    """None where the rule uses no rain. The basin is the middle one of the table (medians), to be
    replaced by the real one; so are area and station."""
    used = [t for t in file.term if t.weight and t.quantity != "duration"]
    if not any(is_rain(t.quantity) for t in used):
        return None
    source = file.provenance
    row = RuleRow(
        id="storm_score",
        kind="storm_score",
        hazard="debris_flow",
        source=f"fengsui tune --table, sha256 {source.table_sha256[:16]}",
        areas=(AREA,),
        stations=(STATION,),
        orange=file.threshold,
        parameters={
            "intercept": file.intercept,
            "weights": {t.quantity: t.weight for t in used},
            "site": {
                t.quantity: round(float(np.nanmedian(columns[t.quantity])), 6)
                for t in used
                if not is_rain(t.quantity)
            },
        },
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
