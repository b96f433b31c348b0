"""The stations as SensorThings 1.1 for a client that is not ours (frost-sta-client) and for any query: over
HTTP, from a history on disk."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import frost_sta_client as fsc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.records.district import District
from config.records.door import Door
from console.auth.accounts import Users
from console.routes.sources import Sources
from console.serve import Listen, serving
from console.things.model import Model
from console.things.query import Query, Unanswered, query
from console.things.reader import Reader
from console.things.readings import Readings
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.history.open import open_history
from stream.history.port import History, Point
from tests.support.console_door import Caller
from tests.support.districts import yanqing
from tests.support.examples import examples

MINUTE = 60_000
T0 = 1_753_524_000_000  # 2025-07-26T18:00 in Beijing
MANY = 250
BASE = "http://far/sta/v1.1"


def filled(folder: Path) -> History:
    """Four hours of R01 by the minute (0, 0.1 … 0.9 mm), S01 every ten minutes, the battery of R01 once."""
    history = open_history(f"sqlite:///{folder}", "exercise-things", "yanqing")
    points = [Point("R01", "rain", T0 - n * MINUTE, 0, n % 10, 1) for n in range(MANY)]
    points += [
        Point("S01", "stage", T0 - n * 10 * MINUTE, 0, 1000 + n, 1 + 2 * (n % 2)) for n in range(25)
    ]
    points.append(Point("R01", "battery", T0, 0, 870, 1))
    history.write(points, [])
    return history


class Served:
    """address: of the service. token: a program's."""

    def __init__(self, caller: Caller, token: str) -> None:
        self.caller, self.token = caller, token
        self.address = f"http://{caller.host}/sta/v1.1"

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        given = headers or {"Authorization": f"Bearer {self.token}"}
        found, _, body = self.caller.ask("GET", f"/sta/v1.1{path}", **given)
        assert found == status, body
        return json.loads(body) if body[:1] in (b"{", b"[") else body.decode()

    def client(self) -> Any:
        return fsc.SensorThingsService(
            self.address, auth_handler=fsc.AuthHandler(username="any", password=self.token)
        )


def serve(folder: Path, district: District) -> Iterator[Served]:
    setup = make_setup(district, "exercise-things", folder, start_at=T0)
    users = Users(setup.folder)
    token = users.issue("gis", "viewer", "")
    filled(setup.folder).close()
    history = lambda: open_history(f"sqlite:///{setup.folder}", "exercise-things", "yanqing")  # noqa: E731
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        Listen(),
        now=lambda: T0,
        sources=Sources(history=history),
    ) as address:
        yield Served(Caller(address), token)
    users.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    yield from serve(tmp_path, yanqing())


# ---- the client of Fraunhofer IOSB


def test_the_client_walks_from_things_to_readings(served: Served) -> None:
    service = served.client()
    thing = service.things().find("R01")
    assert thing.name == yanqing().stations["R01"].name
    streams = {d.id: d for d in thing.get_datastreams().query().list()}
    assert set(streams) == {"R01.rain", "R01.battery"}
    rain = streams["R01.rain"]
    assert rain.unit_of_measurement.symbol == "mm"
    newest = rain.get_observations().query().orderby("phenomenonTime").top(3).list()
    assert [newest.get(n).result for n in range(3)] == [0.0, 0.1, 0.2]
    assert service.observed_properties().find("rain").name == "rain"
    assert (
        service.locations().find("R01").location["coordinates"][0] == yanqing().stations["R01"].lon
    )
    assert newest.get(0).id == f"R01.rain.{T0}.0"
    assert service.observations().find(newest.get(1).id).result == 0.1


def test_the_client_reads_every_page(served: Served) -> None:
    rain = served.client().datastreams().find("R01.rain")
    found = list(rain.get_observations().query().count().list())
    assert len(found) == MANY
    assert len({o.id for o in found}) == MANY
    assert rain.get_observations().query().count().list().count == MANY


def test_the_client_filters(served: Served) -> None:
    service = served.client()
    rain = service.datastreams().find("R01.rain")
    many = list(rain.get_observations().query().filter("result gt 0.85").list())
    assert {o.result for o in many} == {0.9}
    late = rain.get_observations().query().filter("phenomenonTime gt 2025-07-26T09:57:00Z").list()
    assert len(list(late)) == 3
    named = service.things().query().filter("name eq '香屯雨量站'").list()
    assert [t.id for t in named] == ["R01"]
    whole = service.things().query().filter("id eq 'R01'").expand("Datastreams,Locations").list()
    assert {d.id for d in whole.get(0).datastreams.entities} == {"R01.rain", "R01.battery"}


def test_the_client_is_told_what_it_may_not_do(served: Served) -> None:
    service = served.client()
    with pytest.raises(Exception, match="4"):
        service.create(fsc.Thing("a", "b"))
    with pytest.raises(Exception, match="404"):
        service.things().find("X99")


# ---- the wire


def test_the_landing_page_and_links_lead_on(served: Served) -> None:
    root = served.get("")
    urls = {x["name"]: x["url"] for x in root["value"]}
    assert set(urls) >= {"Things", "Datastreams", "Observations", "FeaturesOfInterest"}
    for url in urls.values():
        served.get(urlsplit(url).path.removeprefix("/sta/v1.1"))
    thing = served.get("/Things('R01')")
    for key, url in thing.items():
        if key.endswith(("Link",)):
            served.get(urlsplit(url).path.removeprefix("/sta/v1.1"))
    assert thing["@iot.selfLink"].startswith(f"{served.address}/Things(")


def test_who_may_read(tmp_path: Path, served: Served) -> None:
    assert served.get("/Things", 401, Accept="application/json")
    wrong = base64.b64encode(b"x:wrong").decode()
    assert served.get("/Things", 401, Authorization=f"Basic {wrong}")
    right = base64.b64encode(f"x:{served.token}".encode()).decode()
    assert served.get("/Things?$top=1", Authorization=f"Basic {right}")["value"]
    # what a browser sends again by itself opens nothing else
    status, _, _ = served.caller.ask("GET", "/api/snapshot", Authorization=f"Basic {right}")
    assert status == 401


def test_a_district_may_let_everybody_read(tmp_path: Path) -> None:
    open_ = replace(yanqing(), console=Door(sensorthings="public"))
    for served in serve(tmp_path, open_):
        assert served.get("/Things?$top=1", Accept="application/json")["value"]
        status, _, _ = served.caller.ask("GET", "/api/snapshot")
        assert status == 401


def test_nothing_but_reading_is_there(served: Served) -> None:
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        status, _, _ = served.caller.ask(
            method, "/sta/v1.1/Things", {}, Authorization=f"Bearer {served.token}"
        )
        assert status == 405


# ---- any query, without HTTP


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    found = filled(tmp_path)
    yield found
    found.close()


def asked(history: History, path: str, **options: str) -> Any:
    pairs = [("$" + k, v) for k, v in options.items()]
    reader = Reader(Model(yanqing()), Readings(history, T0), BASE)
    return reader.answer(path, query(pairs))


def results(history: History, path: str, **options: str) -> list[Any]:
    return [o["result"] for o in asked(history, path, **options)["value"]]


RAIN = "Datastreams('R01.rain')/Observations"


def test_an_observation_has_what_the_standard_asks(history: History) -> None:
    found = asked(history, RAIN, orderby="phenomenonTime desc", top="1")["value"][0]
    assert found["phenomenonTime"] == "2025-07-26T17:59:00.000+08:00/2025-07-26T18:00:00.000+08:00"
    assert (found["result"], found["resultQuality"]) == (0.0, 1)
    assert found["@iot.selfLink"] == f"{BASE}/Observations('R01.rain.{T0}.0')"
    level = asked(history, "Datastreams('S01.stage')/Observations", top="1")["value"][0]
    assert "/" not in level["phenomenonTime"]


def test_pages_and_counts(history: History) -> None:
    found = asked(history, RAIN, top="100", count="true", orderby="phenomenonTime asc")
    assert found["@iot.count"] == MANY
    assert "$skip=100" in found["@iot.nextLink"]
    assert "$orderby=phenomenonTime+asc" in found["@iot.nextLink"]
    last = asked(history, RAIN, top="100", skip="200")
    assert len(last["value"]) == MANY - 200
    assert "@iot.nextLink" not in last
    assert asked(history, RAIN, top="0", count="true")["@iot.count"] == MANY
    assert results(history, RAIN, top="0") == []


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ("result ge 0.9", 25),
        ("result eq 0.9 and phenomenonTime le 2025-07-26T09:00:00Z", 19),
        ("phenomenonTime ge 2025-07-26T17:59:00+08:00", 2),
        ("'2025-07-26T17:59:00+08:00' le phenomenonTime", 2),
        ("phenomenonTime gt 2025-07-26T18:00:00+08:00", 0),
        ("resultTime gt 2025-07-26T17:55:00+08:00 and resultTime lt 2025-07-26T17:58:00+08:00", 2),
        ("not (result lt 0.9)", 25),
        ("result eq 0.1 or result eq 0.2", 50),
        ("resultQuality eq 1 and result eq 0.3", 25),
        ("Datastream/id eq 'R01.rain' and result eq 0", 25),
        ("Datastream/id eq 'S01.stage'", 0),
        ("Datastream/ObservedProperty/name eq 'rain' and result eq 0", 25),
        ("result eq null", 0),
        ("result ne null", 250),
    ],
)
def test_filters_of_readings(history: History, text: str, many: int) -> None:
    found = asked(history, RAIN, filter=text, count="true")
    assert found["@iot.count"] == many


def test_over_all_datastreams_the_newest_come_first(history: History) -> None:
    found = asked(history, "Observations", orderby="phenomenonTime desc", top="3")["value"]
    assert {o["@iot.id"].rsplit(".", 2)[0] for o in found} == {
        "R01.rain",
        "R01.battery",
        "S01.stage",
    }
    one = asked(history, "Observations", filter="Datastream/id eq 'S01.stage'", count="true")
    assert one["@iot.count"] == 25


def test_order_by_the_value(history: History) -> None:
    assert results(history, RAIN, orderby="result desc,phenomenonTime asc", top="3") == [0.9] * 3


def test_expand_select_and_paths(history: History) -> None:
    found = asked(
        history,
        "Things",
        filter="startswith(name,'香屯')",
        select="name,Datastreams",
        expand="Datastreams($select=name;$expand=Observations"
        "($top=1;$orderby=phenomenonTime desc;$select=result))",
    )
    thing = next(t for t in found["value"] if len(t["Datastreams"]) == 2)
    assert "description" not in thing
    rain = thing["Datastreams"][0]
    assert rain["Observations"] == [{"result": 0.0}]
    assert "$orderby=phenomenonTime+desc" in rain["Observations@iot.nextLink"]
    assert asked(history, "Datastreams('R01.rain')/Thing")["@iot.id"] == "R01"
    assert asked(history, "Things('R01')/name") == {"name": "香屯雨量站"}
    assert asked(history, "Things('R01')/name/$value") == "香屯雨量站"
    place = asked(history, "Things('R01')/Locations")["value"][0]["location"]
    assert place["coordinates"][:2] == [116.1969, 40.4718]
    deep = asked(history, "Datastreams('R01.rain')", expand="Thing/Locations,ObservedProperty")
    assert deep["Thing"]["Locations"][0]["@iot.id"] == "R01"
    assert asked(history, f"Observations('R01.rain.{T0}.0')/FeatureOfInterest")["@iot.id"] == "R01"


@pytest.mark.parametrize(
    ("path", "options", "status", "named"),
    [
        ("Things", {"fliter": "x"}, 400, "$fliter"),
        ("Things", {"search": "x"}, 501, "$search"),
        ("Things", {"resultFormat": "dataArray"}, 501, "$resultFormat"),
        ("Things", {"top": "-1"}, 400, "$top"),
        ("Things", {"skip": "x"}, 400, "$skip"),
        ("Things", {"count": "maybe"}, 400, "$count"),
        ("Things", {"orderby": "name up"}, 400, "$orderby"),
        ("Things", {"orderby": "nothing"}, 400, "nothing"),
        ("Things", {"filter": "name eq"}, 400, "$filter"),
        ("Things", {"filter": "colour eq 'red'"}, 400, "colour"),
        ("Things", {"filter": "geo.distance(location, x) lt 1"}, 501, "geo.distance"),
        ("Things", {"filter": "length(name) gt 3"}, 501, "length"),
        (RAIN, {"filter": "result add 1 gt 3"}, 501, "add"),
        ("Things", {"filter": "(" * 60 + "1 eq 1" + ")" * 60}, 400, "$filter"),
        ("Things", {"expand": "Nobody"}, 400, "Nobody"),
        ("Things", {"expand": "Datastreams($top=x)"}, 400, "$top"),
        ("Things", {"expand": "Datastreams("}, 400, "$expand"),
        ("Things", {"select": "colour"}, 400, "colour"),
        ("Things('R01')", {"top": "1"}, 400, "$top"),
        ("Things('X')", {}, 404, "X"),
        ("Nothings", {}, 404, "Nothings"),
        ("Things('R01')/Nothing", {}, 404, "Nothing"),
        ("Things/Datastreams", {}, 404, "Datastreams"),
        ("Observations('R01.rain.7.0')", {}, 404, "R01.rain.7"),
        ("Observations('x')", {}, 404, "x"),
        ("Things('R01')/Datastreams/$ref", {}, 501, "$ref"),
    ],
)
def test_what_is_not_answered_is_named(
    history: History, path: str, options: dict[str, str], status: int, named: str
) -> None:
    with pytest.raises(Unanswered) as told:
        asked(history, path, **options)
    assert told.value.status == status
    assert named in told.value.words.zh
    assert named in told.value.words.en


TEXT = st.text(alphabet="ab'()/,;=$ 01.eqandort", max_size=30) | st.text(max_size=20)


@examples(200)
@given(
    st.dictionaries(st.sampled_from(("top", "filter", "expand", "orderby", "select", "x")), TEXT)
)
def test_any_options_are_a_query_or_refused(options: dict[str, str]) -> None:
    try:
        assert isinstance(query([("$" + k, v) for k, v in options.items()]), Query)
    except Unanswered as e:
        assert e.status in (400, 501)
        assert e.words.zh and e.words.en


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    found = filled(tmp_path_factory.mktemp("history"))
    yield found
    found.close()


PATHS = st.text(alphabet="TDOhingsatrevo('R01.)/$", max_size=30)


@examples(150)
@given(path=PATHS | st.just("Things"), text=TEXT)
def test_any_path_is_answered_or_refused(kept: History, path: str, text: str) -> None:
    try:
        asked(kept, path or "Things", filter=text or "1 eq 1", top="1")
    except Unanswered as e:
        assert e.status in (400, 404, 501)
