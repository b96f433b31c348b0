"""Files of a weather office: how a kind of file is read (weather.toml), and which column of which of its
stations is whose reading (weather.csv)."""

from typing import Literal

from config.records.row import Row

# what usual tables call nothing, where a kind of file names no codes of its own
MISSING = ("", "/", "//", "///", "////", "9999", "999.9", "-9999", "999999", "32766")
TRACE = ("T", "-0.1", "32700")


class WeatherForm(Row, frozen=True, kw_only=True):
    """One kind of file.

    time: the columns that together say when, joined by a space; time_form: how, with %Y %m %d %H %M %S, or ""
    for RFC 3339; zone: an IANA name, of times without an offset. missing, trace: cells that say that there is
    none, or that it rained too little to measure; a number is compared as a number. good: what the column
    `quality` of a row says of a sound value; (): it is not looked at. keep_days: so long a file stays in
    `done` after the log had it; 0: for ever.
    """

    files: str  # pattern of names, `*` and `?`; several with spaces between
    kind: Literal["csv", "bufr"] = "csv"
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    separator: str = ","  # one character, or "space" for any white space
    station: str = ""  # the column of the office's own station id
    time: tuple[str, ...] = ()
    time_form: str = ""
    zone: str = ""
    missing: tuple[str, ...] = MISSING
    trace: tuple[str, ...] = TRACE
    good: tuple[str, ...] = ()
    keep_days: int = 0

    @property
    def patterns(self) -> list[str]:
        """Of names of files."""
        return self.files.split()


class WeatherForms(Row, frozen=True, kw_only=True):
    """weather.toml."""

    form: dict[str, WeatherForm] = {}


class WeatherRow(Row, frozen=True, kw_only=True):
    """One column of one of the office's stations as the readings of one station of stations.csv.

    A value counts as `value * scale + offset`, in `unit`. missing, trace: in place of those of the form.
    """

    form: str  # of weather.toml
    id: str  # the station as the office calls it; of BUFR five figures (54406) or the WIGOS identifier
    column: str  # of the file; of BUFR `rain` or `humidity`
    station: str  # of stations.csv
    unit: str = ""  # "": that of the quantity
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    quality: str = ""  # the column that says whether the value is sound


class Weather(Row, frozen=True, kw_only=True):
    """Both, checked."""

    forms: dict[str, WeatherForm] = {}
    rows: tuple[WeatherRow, ...] = ()


NO_WEATHER = Weather()
OF_BUFR = ("rain", "humidity")
