"""What a stage says on standard error: one line of text, or of JSON with FENGSUI_LOG_FORMAT=json.

For what operators must know (a server is away, a stage joins again); records of the line itself
stand in the log, and metrics in `ingest.meters`.
"""

import json
import os
import sys
import time


def say(stage: str, what: str, **fields: object) -> None:
    """`what` in words; `fields` go only into JSON (topic, partition, …), never a person's data."""
    if os.environ.get("FENGSUI_LOG_FORMAT") == "json":
        moment = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        line = json.dumps(
            {
                "time": f"{stamp}.{int(moment % 1 * 1000):03d}Z",
                "stage": stage,
                "say": what,
                **fields,
            },
            ensure_ascii=False,
        )
    else:
        line = f"fengsui {stage}: {what}"
    print(line, file=sys.stderr, flush=True)
