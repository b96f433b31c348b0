"""Reads and checks sources.toml. The file may be missing: then nobody is heard and nobody is sent
anything. Certificates are PEM files beside it; keys and tokens never stand in a district's folder."""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from config.language import Said, Text
from config.read.problem import Problem, no_hazard, out_of_range, problem, unknown_name
from config.read.tables import read_text, read_toml
from config.records.level import HAZARD_ZH, Level
from config.records.sources import NONE, File, Neighbour, Source, Sources, is_loopback

FILE = "sources.toml"
_ID = re.compile(r"[A-Za-z0-9-]{1,32}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")


def read_sources(
    folder: Path, areas: Mapping[str, object], basins: Mapping[str, object], problems: list[Problem]
) -> Sources:
    """The district's sources; what is wrong goes into `problems`."""
    if not (folder / FILE).exists():
        return NONE
    file = read_toml(folder / FILE, File, problems)
    if file is None:
        return NONE
    check = _Check(folder, areas, basins, problems)
    check.listen("listen", file.listen)
    check.listen("exercise_listen", file.exercise_listen)
    if not is_loopback(file.exercise_listen.rpartition(":")[0]):
        check.wrong(
            "exercise_listen",
            Text("演练只在本机", "an exercise stays on this machine"),
            "127.0.0.1:0",
        )
    for s in file.source:
        check.source(s)
    for n in file.neighbour:
        check.neighbour(n, {s.id for s in file.source})
    check.once("source.id", [s.id for s in file.source])
    check.once("neighbour.id", [n.id for n in file.neighbour])
    check.once("source.senders", [x for s in file.source for x in s.senders])
    return Sources(
        file.listen,
        {s.id: s for s in file.source},
        {n.id: n for n in file.neighbour},
        check.certificates,
        file.exercise_listen,
    )


class _Check:
    def __init__(
        self,
        folder: Path,
        areas: Mapping[str, object],
        basins: Mapping[str, object],
        problems: list[Problem],
    ) -> None:
        self.folder, self.areas, self.basins, self.problems = folder, areas, basins, problems
        self.certificates: dict[str, str] = {}

    def wrong(self, place: str, message: Said, hint: Said = "") -> None:
        self.problems.append(problem(FILE, 0, place, message, hint))

    def once(self, place: str, values: list[str]) -> None:
        for value in sorted({v for v in values if values.count(v) > 1}):
            self.wrong(
                place,
                Text(f"{value!r} 重复", f"{value!r} stands twice"),
                Text("改名或删去", "rename or remove"),
            )

    def listen(self, at: str, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        if listen and not (host and port.isdigit() and int(port) < 65_536):
            self.wrong(
                at, Text(f"{listen!r} 不是地址", f"{listen!r} is no address"), "127.0.0.1:8090"
            )

    def source(self, s: Source) -> None:
        at = f"source.{s.id}"
        if not _ID.fullmatch(s.id):
            self.wrong(
                at,
                Text(f"{s.id!r} 不能作 id", f"{s.id!r} is not an id"),
                Text("字母、数字、-（1–32）", "letters, digits, - (1–32)"),
            )
        if not (s.name.strip() and s.name_en.strip()):
            self.wrong(
                f"{at}.name", Text("name, name_en 不能为空", "name, name_en must not be empty")
            )
        if not s.senders or not all(x.strip() and not set(x) & set(" ,<&") for x in s.senders):
            self.wrong(
                f"{at}.senders",
                Text("发布者不能为空或含空格逗号", "empty, or with a space or comma"),
            )
        if not 60 <= s.valid_s <= 7 * 86_400:
            self.wrong(f"{at}.valid_s", out_of_range(s.valid_s), "60 … 604800")
        if not 10 <= s.poll_s <= 86_400:
            self.wrong(f"{at}.poll_s", out_of_range(s.poll_s), "10 … 86400")
        if not all(_HOST.fullmatch(x) for x in s.hosts):
            self.wrong(
                f"{at}.hosts",
                Text("不是主机", "is no host"),
                Text("files.example 或 files.example:8080", "files.example or files.example:8080"),
            )
        self.url(f"{at}.feed", s.feed, exercise=False)
        self.url(f"{at}.exercise_feed", s.exercise_feed, exercise=True)
        self.trust(at, s)
        self.meaning(at, s)

    def trust(self, at: str, s: Source) -> None:
        if not s.certificates and not s.unsigned:
            self.wrong(
                f"{at}.certificates",
                Text("没有证书", "no certificate"),
                Text(
                    "写明 PEM 文件，或 unsigned = true", "name a PEM file, or set unsigned = true"
                ),
            )
        for name in s.certificates:
            self.certificate(f"{at}.certificates", name)

    def meaning(self, at: str, s: Source) -> None:
        for event, hazards in s.hazards.items():
            for hazard in hazards:
                if hazard not in HAZARD_ZH:
                    known = ", ".join(HAZARD_ZH)
                    self.wrong(f"{at}.hazards.{event}", no_hazard(hazard), known)
        for value, level in s.levels.items():
            self.level(f"{at}.levels.{value}", level)
        for d in s.downstream:
            if not d.divisions or not all(re.fullmatch(r"\d{2,12}", x) for x in d.divisions):
                self.wrong(
                    f"{at}.downstream.divisions",
                    Text("应为区划代码", "must be digits of a division code"),
                )
            self.places(f"{at}.downstream", d.areas, d.basins)

    def neighbour(self, n: Neighbour, sources: set[str]) -> None:
        at = f"neighbour.{n.id}"
        if n.id not in sources:
            self.wrong(
                at,
                Text("没有同名的 [[source]]", "there is no [[source]] of that name"),
                Text("其回执要能核验", "to verify its answers"),
            )
        if not (n.basins or n.areas or n.border):
            self.wrong(
                at,
                Text("没有说明哪些预警给它", "gets nothing"),
                Text("basins、areas 或 border", "basins, areas or border"),
            )
        if n.border and len(n.border) < 3:
            self.wrong(f"{at}.border", Text("少于三点", "fewer than three points"))
        if not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in n.border):
            self.wrong(
                f"{at}.border",
                Text("坐标越界", "not [longitude, latitude]"),
                Text("先经后纬", "lon first"),
            )
        self.places(at, n.areas, n.basins)
        self.level(f"{at}.min_level", n.min_level)
        self.url(f"{at}.url", n.url, exercise=False)
        self.url(f"{at}.exercise_url", n.exercise_url, exercise=True)

    def places(self, at: str, areas: tuple[str, ...], basins: tuple[str, ...]) -> None:
        for kind, names, known in (("areas", areas, self.areas), ("basins", basins, self.basins)):
            for name in names:
                if name not in known:
                    self.wrong(f"{at}.{kind}", unknown_name(name), f"{kind}.csv")

    def level(self, at: str, level: str) -> None:
        if level.upper() not in Level.__members__:
            self.wrong(
                at,
                Text(f"{level!r} 不是等级", f"{level!r} is no level"),
                "none, blue, yellow, orange, red",
            )

    def url(self, at: str, url: str, *, exercise: bool) -> None:
        if not url:
            return
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self.wrong(at, Text(f"{url!r} 不是网址", f"{url!r} is no URL"), "https://HOST/PATH")
        elif parts.username or parts.password:
            self.wrong(
                at,
                Text("网址里不放口令", "a URL holds no password"),
                Text("见 docs/cap.md", "see docs/en/cap.md"),
            )
        elif exercise and not is_loopback(parts.hostname):
            self.wrong(
                at,
                Text("演练只到本机", "an exercise stays on this machine"),
                "http://127.0.0.1:PORT",
            )

    def certificate(self, at: str, name: str) -> None:
        if "/" in name or not name.endswith(".pem"):
            self.wrong(
                at,
                Text(
                    f"{name!r} 不是本目录的 .pem 文件", f"{name!r} is no .pem file of this folder"
                ),
            )
            return
        text = read_text(self.folder / name, self.problems)
        if text is None:
            return
        from cryptography import x509  # only where a certificate is named

        try:
            found = x509.load_pem_x509_certificate(text.encode())
        except ValueError as e:
            self.problems.append(
                problem(name, 0, "", Text(f"不是证书：{e}", f"not a certificate: {e}"))
            )
            return
        if found.not_valid_after_utc < found.not_valid_before_utc + datetime.timedelta(minutes=1):
            self.problems.append(problem(name, 0, "", Text("证书没有有效期", "it is never valid")))
        self.certificates[name] = text
