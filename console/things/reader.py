"""A path and its query options, answered: sets, entities, what they lead to, single properties."""

import heapq
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from config.language import Text
from console.things.filters import TIMES, Bounds, bounds, holds
from console.things.model import RELATIONS, Entity, Model, Stream, walk
from console.things.query import Query, Unanswered
from console.things.readings import Readings

_SEGMENT = re.compile(r"([A-Za-z@][A-Za-z0-9_.@]*)(?:\((?:'((?:[^']|'')*)'|(-?\d+))\))?")
_MOST_SORTED = 200_000  # Observations that are put in order by something else than their time
_MOST_EXPANDED = 20_000  # entities of one answer
_DEEPEST = 8
_A_FEW = 100  # entities between two looks at the clock
# that an entity may have or not
_EMPTY = ("id", "properties", "parameters", "validTime")
_CONFORMS = ("http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",)


class Spot(NamedTuple):
    """Where a path leads. ids: of a set of entities; of Observations the Datastreams that have them. one: it is
    this entity, and not a set. prop: a property of it; raw: its bare value."""

    kind: str
    ids: list[str]
    one: str | None = None
    prop: tuple[str, ...] = ()
    raw: bool = False


class Reader:
    """base: the address of the service, without a slash at its end. late: has it been at work for too long?"""

    def __init__(
        self,
        model: Model,
        readings: Readings,
        base: str,
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self._model, self._readings, self._base, self._late = model, readings, base, late
        self._looked = 0
        self._left = _MOST_EXPANDED

    def root(self) -> Entity:
        """The landing page."""
        sets = [{"name": kind, "url": f"{self._base}/{kind}"} for kind in RELATIONS]
        return {"value": sets, "serverSettings": {"conformance": list(_CONFORMS)}}

    def answer(self, path: str, asked: Query) -> Any:
        """What stands there. Raises Unanswered."""
        place = self._place([p for p in path.split("/") if p])
        if place.prop:
            value = walk(self._entity(place.kind, place.one or ""), list(place.prop))
            return value if place.raw else {place.prop[-1]: value}
        if place.one is not None:
            given = [k for k, _ in asked.given if k not in ("$select", "$expand")]
            if given:
                words = f"{given[0]} 不用于单个实体", f"{given[0]} is for sets, not for one entity"
                raise Unanswered(400, Text(*words))
            return self._shown(place.kind, self._entity(place.kind, place.one), asked)
        rows, more, count = self._page(place, asked)
        found: Entity = {}
        if asked.counted:
            found["@iot.count"] = count
        if more and asked.top:  # of a page of nothing the next is the same
            found["@iot.nextLink"] = self._next(path, asked)
        found["value"] = [self._shown(place.kind, e, asked) for e in rows]
        return found

    # ---- where a path leads

    def _place(self, steps: list[str]) -> Spot:
        if len(steps) > _DEEPEST:
            raise _gone("/".join(steps))
        place: Spot | None = None
        for n, step in enumerate(steps):
            match = _SEGMENT.fullmatch(step)
            if step in ("$ref", "$count"):
                raise Unanswered(501, Text(f"没有做 {step}", f"{step} is not built here"))
            if step == "$value" and place is not None and place.prop and n == len(steps) - 1:
                return place._replace(raw=True)
            if match is None:
                raise _gone(step)
            place = self._step(place, match[1], match[2] if match[2] is not None else match[3])
        assert place is not None
        return place

    def _step(self, place: Spot | None, name: str, key: str | None) -> Spot:
        if place is None:
            if name not in RELATIONS:
                raise _gone(name)
            ids = self._model.ids("Datastreams" if name == "Observations" else name)
            return self._keyed(Spot(name, ids), key)
        if place.one is None:
            raise _gone(name)
        if place.prop:
            return place._replace(prop=(*place.prop, name))
        relation = RELATIONS[place.kind].get(name)
        if relation is None:
            entity = self._entity(place.kind, place.one)
            if name not in entity and name != "id":
                raise _gone(name)
            return place._replace(prop=(name,))
        self._entity(place.kind, place.one)  # there is one
        target, many = relation
        ids = self._model.related(place.kind, place.one, target)
        return self._keyed(Spot(target, ids), key) if many else Spot(target, ids, ids[0])

    def _keyed(self, place: Spot, key: str | None) -> Spot:
        if key is None:
            return place
        name = key.replace("''", "'")
        if place.kind == "Observations":
            point = self._model.point_of(name)
            if point is None or point[0].id not in place.ids:
                raise _gone(f"{place.kind}({name[:60]!r})")
        elif name not in place.ids:
            raise _gone(f"{place.kind}({name[:60]!r})")
        return place._replace(one=name)

    def _entity(self, kind: str, name: str) -> Entity:
        if kind != "Observations":
            return self._model.entity(kind, name)
        point = self._model.point_of(name)
        found = None if point is None else self._readings.one(*point)
        if point is None or found is None:
            raise _gone(f"Observations({name[:60]!r})")
        return self._model.observation(point[0], found)

    # ---- a page of a set

    def _page(self, place: Spot, asked: Query) -> tuple[list[Entity], bool, int]:
        """Entities, whether there are more, and how many there are in all where that is asked for."""
        rows = self._rows(place, asked)
        if asked.counted:
            page, many = [], 0
            for many, entity in enumerate(rows, 1):
                if asked.skip < many <= asked.skip + asked.top:
                    page.append(entity)
            return page, asked.skip + asked.top < many, many
        page = list(islice(rows, asked.skip, asked.skip + asked.top + 1))
        return page[: asked.top], len(page) > asked.top, 0

    def _rows(self, place: Spot, asked: Query) -> Iterator[Entity]:
        if place.kind == "Observations":
            yield from self._observations(place.ids, asked)
            return
        found = []
        for name in place.ids:
            self._look()
            entity = self._model.entity(place.kind, name)
            if asked.filter is None or holds(asked.filter, self._resolver(place.kind, entity)):
                found.append(entity)
        yield from self._sorted(place.kind, found, asked)

    def _sorted(self, kind: str, found: list[Entity], asked: Query) -> list[Entity]:
        for path, down in reversed(asked.order):
            found.sort(key=lambda e: _key(self._resolver(kind, e)(path)), reverse=down)
        return found

    def _observations(self, streams: list[str], asked: Query) -> Iterator[Entity]:
        limits = bounds(asked.filter)
        if limits.streams is not None:
            streams = [s for s in streams if s in limits.streams]
        rows = [self._model.streams[s] for s in streams]
        by_time = not asked.order or asked.order[0][0] in TIMES
        newest = bool(asked.order) and by_time and asked.order[0][1]
        pieces = [self._kept(row, limits, asked, newest=newest) for row in rows]
        if by_time and asked.order:
            sign = -1 if newest else 1
            merged = heapq.merge(*pieces, key=lambda pair: sign * pair[0])
            yield from (e for _, e in merged)
        elif by_time:
            for piece in pieces:
                yield from (e for _, e in piece)
        else:
            every = (e for piece in pieces for _, e in piece)
            found = list(islice(every, _MOST_SORTED + 1))
            if len(found) > _MOST_SORTED:
                many = f"{_MOST_SORTED:,}"
                raise Unanswered(
                    400,
                    Text(
                        f"$orderby {asked.order[0][0]}: 超过 {many} 条，请用 $filter 限定时间",
                        f"$orderby {asked.order[0][0]}: over {many}, bound the time by $filter",
                    ),
                )
            yield from self._sorted("Observations", found, asked)

    def _kept(
        self, row: Stream, limits: Bounds, asked: Query, *, newest: bool
    ) -> Iterator[tuple[int, Entity]]:
        for p in self._readings.of(row, limits.low, limits.high, newest=newest):
            self._look()
            entity = self._model.observation(row, p)
            if asked.filter is None or holds(asked.filter, self._resolver("Observations", entity)):
                yield p.observed_at, entity

    def _look(self) -> None:
        """At one more entity."""
        self._looked += 1
        if self._looked % _A_FEW == 0 and self._late():
            words = (
                "太久，请用 $filter 限定时间或少写条件",
                "too long: bound the time by $filter, or ask less",
            )
            raise Unanswered(400, Text(*words))

    def _resolver(self, kind: str, entity: Entity) -> Callable[[str], Any]:
        return lambda path: self._value(kind, entity, path.split("/"))

    def _value(self, kind: str, entity: Entity, path: list[str]) -> Any:
        """A property, or one of what the entity leads to; a list where that is many."""
        relation = RELATIONS[kind].get(path[0])
        if relation is None:
            if path[0] not in entity and path[0] not in _EMPTY:
                shown = "/".join(path)[:60]
                raise Unanswered(400, Text(f"{kind} 没有 {shown}", f"{kind} has no {shown}"))
            return walk(entity, path)
        target, many = relation
        if many and (again := next((p for p in path[1:] if _is_many(p)), "")):
            # each set within a set multiplies what is looked at
            shown = f"{path[0]}/…/{again}"[:60]
            raise Unanswered(
                501, Text(f"没有做经两个集合：{shown}", f"a path through two sets: {shown}")
            )
        if target == "Observations":
            words = f"没有做经 {path[0]} 筛选", f"filtering through {path[0]} is not built here"
            raise Unanswered(501, Text(*words))
        ids = self._model.related(kind, entity["@iot.id"], target)
        values = [
            self._value(target, self._model.entity(target, n), path[1:] or ["id"]) for n in ids
        ]
        return values if many else values[0]

    # ---- how an entity is shown

    def _shown(self, kind: str, entity: Entity, asked: Query) -> Entity:
        self._left -= 1
        if self._left < 0:
            raise Unanswered(
                400, Text("$expand 太多，请少要一些", "$expand: too much, ask for less")
            )
        name = entity["@iot.id"]
        link = f"{self._base}/{kind}('{quote(name, safe='')}')"
        relations = RELATIONS[kind]
        shown: Entity = {"@iot.id": name, "@iot.selfLink": link, **entity}
        if asked.select:
            known = {n: n for n in (*entity, *relations)} | {
                "id": "@iot.id",
                "@iot.selfLink": "@iot.selfLink",
            }
            for one in asked.select:
                if one.split("/")[0] not in known:
                    raise Unanswered(
                        400, Text(f"$select: {kind} 没有 {one}", f"$select: {kind} has no {one}")
                    )
            kept = {known[s.split("/")[0]] for s in asked.select}
            shown = {k: v for k, v in shown.items() if k in kept}
            relations = {k: v for k, v in relations.items() if k in kept}
        expanded = dict(asked.expand)
        for nav in relations:
            if nav not in expanded:
                shown[f"{nav}@iot.navigationLink"] = f"{link}/{nav}"
        for nav, inner in expanded.items():
            if nav not in RELATIONS[kind]:
                raise Unanswered(
                    400, Text(f"$expand: {kind} 没有 {nav}", f"$expand: {kind} has no {nav}")
                )
            shown |= self._expanded(kind, name, nav, inner, link)
        return shown

    def _expanded(self, kind: str, name: str, nav: str, asked: Query, link: str) -> Entity:
        target, many = RELATIONS[kind][nav]
        ids = self._model.related(kind, name, target)
        if not many:
            return {nav: self._shown(target, self._entity(target, ids[0]), asked)}
        rows, more, count = self._page(Spot(target, ids), asked)
        found: Entity = {nav: [self._shown(target, e, asked) for e in rows]}
        if asked.counted:
            found[f"{nav}@iot.count"] = count
        if more and asked.top:
            found[f"{nav}@iot.nextLink"] = f"{link}/{nav}?{_onward(asked)}"
        return found

    def _next(self, path: str, asked: Query) -> str:
        return f"{self._base}/{quote(path.strip('/'), safe='/()')}?{_onward(asked)}"


def _is_many(name: str) -> bool:
    return any(name in rel and rel[name][1] for rel in RELATIONS.values())


def _onward(asked: Query) -> str:
    """The options of the next page."""
    kept = [(k, v) for k, v in asked.given if k not in ("$skip", "$top")]
    pairs = [*kept, ("$top", str(asked.top)), ("$skip", str(asked.skip + asked.top))]
    return urlencode(pairs, safe="$")


def _gone(what: str) -> Unanswered:
    return Unanswered(404, Text(f"没有 {what[:80]}", f"there is no {what[:80]}"))


def _key(value: Any) -> tuple[int, float, str]:
    """An order over values of any kind: nothing, numbers, texts."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        return 0, 0.0, ""
    if isinstance(value, int | float):
        return 1, float(value), ""
    return 2, 0.0, str(value)
