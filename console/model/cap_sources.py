"""Which other authorities are heard, what came from each, and how their messages deviate from CAP 1.2
(docs/cap.md). Pure: records in."""

from collections import deque
from dataclasses import dataclass, field

from config.records.district import District
from console.model.answers import CapSourceRow, HeardMessage, HeardSource
from ingest.observation import CapIn
from stream.records import Record

_MESSAGES = 200
_SEEN = 2_000  # a message stands in every partition of `observations`


@dataclass
class SourceCounts:
    """Of one source: how many messages, how many of them deviate, when the newest came."""

    count: int = 0
    deviating: int = 0
    at: int = 0


@dataclass
class Outside:
    """messages: the newest of all sources."""

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    messages: deque[CapIn] = field(default_factory=lambda: deque(maxlen=_MESSAGES))
    seen: dict[tuple[str, str, int], None] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Fold one record in."""
        if not isinstance(record, CapIn):
            return
        key = (record.source, record.ref, record.received_at)
        if key in self.seen:
            return
        self.seen[key] = None
        if len(self.seen) > _SEEN:
            del self.seen[next(iter(self.seen))]
        heard = self.sources.setdefault(record.source, SourceCounts())
        heard.count += 1
        heard.deviating += bool(record.deviations)
        heard.at = max(heard.at, record.received_at)
        self.messages.append(record)


def outside(district: District, found: Outside) -> CapSourceRow:
    """Every declared source, also one that has said nothing, and the newest messages, newest first."""
    known = district.sources.source
    rows: list[HeardSource] = []
    for name in (*known, *(s for s in found.sources if s not in known)):
        heard, source = found.sources.get(name, SourceCounts()), known.get(name)
        rows.append(
            {
                "id": name,
                "name": source.name if source else name,
                "en": source.name_en if source else name,
                "count": heard.count,
                "deviating": heard.deviating,
                "at": heard.at,
            }
        )
    return {"sources": rows, "messages": [_message(m) for m in reversed(found.messages)]}


def _message(m: CapIn) -> HeardMessage:
    return {
        "source": m.source,
        "identifier": m.identifier,
        "at": m.received_at,
        "type": m.msg_type,
        "signed": m.signed,
        "headline": m.headline,
        "level": int(max((s.level for s in m.says), default=0)),
        "areas": sorted({s.area for s in m.says}),
        "deviations": list(m.deviations),
    }
