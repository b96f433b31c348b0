"""What the HTTP API takes, and what its document says of each route; and the reads that are only for
programs: the document, warnings as GeoJSON, CAP messages.

GET  /api/openapi.json /api/warnings.geojson /api/cap/NAME
GET  /api/findings /api/asked/NAME       of the pages System, Config check, Skill and Drills
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from config.language import Text, text_of
from config.records.level import Action, Level
from console.api.geojson import in_force
from console.auth.door_answers import Accounts, AccountsRecord, LoginStep, Me, OfferedFactor
from console.auth.login_steps import Code, Offer, PasswordChange
from console.auth.requests import REFUSAL, Login, Refused, to_json
from console.model.answers import (
    Acted,
    Below,
    Came,
    CapSourceRow,
    Chart,
    Erased,
    Frame,
    Ground,
    Letter,
    Missed,
    Put,
    Queued,
    Series,
    ShiftPage,
    Snapshot,
    Subscribers,
    Texts,
)
from console.model.shift_log import KINDS
from console.pages.feed import Feed
from console.routes.accounts import Account
from console.routes.delivery import Calls, Looked, Resend
from console.routes.people import Erase, Person
from console.routes.shift import HandOver, Note, TakeOver, Verified
from console.routes.stations import LONGEST_H, Serviced
from dispatch.cap.feed import TYPES
from stream.http.asked import language_of
from stream.http.openapi import GEO, HTML, JSON, PLAIN, STREAM, Door, Parameter, Says, document
from stream.log.port import Unavailable

Asked = Mapping[str, Callable[[], Any]]
_FRESH_S = 3.0  # many pages ask, it is looked up once


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """A warning as the page showed it. level, action: of an approval or a release all that was
    asked on the page (nothing: all that waits when it is carried out), of a fall what it leaves."""

    area: str
    hazard: str
    alert: str = ""
    version: int = 0
    level: Level = Level.NONE
    action: Action = Action.NONE
    task: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """key: made by the page, so that the same press sent twice is one act. happened: of a lake outburst
    or dam release that raise or override tells: `10:05` or RFC 3339; "": as it is told. task: of a place, or
    of all. supply, count: of reserve, issue and restore, whose one place is empty; incident: of restore, "" the
    open one."""

    act: str
    places: Annotated[list[Seen], msgspec.Meta(min_length=1, max_length=500)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    level: Level = Level.NONE
    action: Action = Action.NONE
    approver: str = ""
    reference: str = ""
    task: str = ""
    happened: Annotated[str, msgspec.Meta(max_length=40)] = ""
    supply: Annotated[str, msgspec.Meta(max_length=60)] = ""
    incident: Annotated[str, msgspec.Meta(max_length=80)] = ""
    count: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0


_LANG = Parameter("lang")  # zh, en; anything else is as if nothing were said
_SHIFT = (Parameter("text"), Parameter("kind", {"enum": ["", *KINDS]}))
_HOURS = {"type": "integer", "minimum": 1, "maximum": LONGEST_H}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_THINGS = (
    *(Parameter(f"${name}") for name in ("filter", "orderby", "select", "expand")),
    *(Parameter(f"${name}", _COUNT) for name in ("top", "skip")),
    Parameter("$count", {"enum": ["true", "false"]}),
)
SAYS = {
    "/enter": Says(
        Text("一次性链接进门，转到首页", "in by a link that works once, on to the first page"),
        query=(Parameter("once"),),
        media=(),
        status=303,
        open=True,
    ),
    "/api/me": Says(Text("我是谁，可以做什么", "who I am and what I may do"), answer=Me),
    "/api/login": Says(
        Text("网页登录", "a page's login; programs bring a token instead"),
        Login,
        refusals=(409,),
        open=True,
    ),
    "/api/login/step": Says(
        Text("网页登录还差什么", "what a page's login still needs"), answer=LoginStep
    ),
    "/api/login/code": Says(Text("验证码", "a code of the app or card"), Code, refusals=(409,)),
    "/api/login/change": Says(
        Text("换自己的口令", "a new password of one's own"), PasswordChange, refusals=(409,)
    ),
    "/api/login/offer": Says(
        Text("新的第二因素，只显示一次", "a new second factor, shown once"),
        Offer,
        answer=OfferedFactor,
        refusals=(409,),
    ),
    "/api/login/confirm": Says(
        Text("用它的一个码确认", "confirm it by one of its codes"), Code, refusals=(409,)
    ),
    "/api/login/later": Says(Text("这次先不设", "not this time"), refusals=(409,)),
    "/api/accounts": Says(
        Text("所有帐号（管理员）", "all accounts, for administrators"), answer=Accounts
    ),
    "/api/account": Says(
        Text("建、改、删帐号，留痕", "an account added, changed, removed; on record"),
        Account,
        refusals=(404, 409),
    ),
    "/api/record": Says(
        Text("操作记录和核验", "the record, and whether it is whole"), answer=AccountsRecord
    ),
    "/api/logout": Says(Text("网页退出", "ends a page's session")),
    "/api/ground": Says(
        Text("不变的：区、站、终端及其位置", "what does not change: places and shapes"),
        answer=Ground,
    ),
    "/api/map.pmtiles": Says(
        Text("底图（PMTiles），按 Range 取", "the base map (PMTiles), by Range"),
        media="application/octet-stream",
        refusals=(404,),
    ),
    "/api/terrain": Says(
        Text("地形图", "the relief under the map"), media="image/png", refusals=(404,)
    ),
    "/api/snapshot": Says(
        Text("现在的全貌", "the whole picture now, part by part, with its revision"),
        answer=Snapshot,
    ),
    "/api/stream": Says(
        Text(
            "服务器推送：`change` {rev, parts} 写在原来的上面，null 去掉一键；`beat` "
            "{rev, age_ms, now} 每 5 秒",
            "events `change` {rev, parts} to write over the picture, null takes a key away, and "
            "`beat` {rev, age_ms, now} every 5 s",
        ),
        media=STREAM,
    ),
    "/api/past": Says(
        Text("最近六小时每十分钟一幅", "the map every ten minutes of the last six hours"),
        answer=list[Frame],
    ),
    "/api/series/{station}": Says(
        Text("一个站最近六小时", "one station's last six hours"), answer=Series
    ),
    "/api/texts/{alert}": Says(
        Text("各方将收到的原文", "the exact words each audience would get"), answer=Texts
    ),
    "/api/acts": Says(
        Text("对预警的操作", "a person's act upon warnings; decide says who may"),
        Act,
        answer=list[Acted],
    ),
    "/api/resources": Says(
        Text("队伍、物资、安置点、风险源", "teams, supplies, shelters, risk sources")
    ),
    "/api/downstream/{area}": Says(
        Text("一个区的下游", "what lies downstream of an area"), answer=list[Below]
    ),
    "/api/missed/{area}": Says(
        Text("一个区未收到的人（代号）", "who in an area was not reached, by id"), answer=Missed
    ),
    "/api/calls": Says(
        Text("他们的姓名号码，每次查看都记录", "names and numbers; each look is on record"),
        Calls,
        refusals=(404,),
    ),
    "/api/words": Says(
        Text("来信原话，每次查看都记录", "what people wrote themselves; each look is on record"),
        Looked,
    ),
    "/api/resend": Says(
        Text("重发，同 `fengsui resend`", "send again, as `fengsui resend`"),
        Resend,
        answer=Queued,
        refusals=(404, 409),
    ),
    "/api/subscribers": Says(
        Text("名单的数目和覆盖检查", "counts of the list, gaps in coverage, by id"),
        answer=Subscribers,
    ),
    "/api/person": Says(
        Text(
            "一个联系人（管理员），每次查看都记录",
            "one person, for an administrator; each look is on record",
        ),
        Person,
        refusals=(404,),
    ),
    "/api/erase": Says(
        Text(
            "按要求删除一个联系人，同 `fengsui contacts erase`，留痕",
            "erase one person on request, as `fengsui contacts erase`; on record",
        ),
        Erase,
        answer=Erased,
        refusals=(404, 409),
    ),
    "/api/shift": Says(
        Text("值班日志，新的在前", "the shift log, newest first"),
        query=_SHIFT,
        refusals=(422,),
        answer=ShiftPage,
    ),
    "/api/shift.csv": Says(
        Text("值班日志全部", "the whole shift log"), media="text/csv", query=_SHIFT, refusals=(422,)
    ),
    "/api/notes": Says(Text("写一条", "write a note"), Note, answer=Put, refusals=(409,)),
    "/api/handover": Says(
        Text("交班", "hand the shift over"), HandOver, answer=Put, refusals=(409,)
    ),
    "/api/takeover": Says(
        Text("接班", "take the shift over"), TakeOver, answer=Put, refusals=(409,)
    ),
    "/api/verify": Says(
        Text(
            "核报，同 `fengsui report --verify`", "correct the facts, as `fengsui report --verify`"
        ),
        Verified,
        answer=Came,
        refusals=(409,),
    ),
    "/api/history/{place}": Says(
        Text("一个站多年的值", "a station's values over years"),
        query=(Parameter("hours", _HOURS),),
        refusals=(422,),
        answer=Chart,
    ),
    "/api/frame/{digest}": Says(
        Text("摄像机的一帧", "a camera's picture"),
        media="image/jpeg",
        query=(Parameter("as_taken"),),
        refusals=(415, 422),
    ),
    "/api/outside": Says(
        Text(
            "外来预警的来源和消息，偏离规范之处",
            "other authorities heard, and how their CAP deviates",
        ),
        answer=CapSourceRow,
    ),
    "/api/dead": Says(Text("最近的坏数据", "the newest dead letters"), answer=list[Letter]),
    "/api/service": Says(
        Text("维护：一站不研判到某时", "a station out of judgement for some minutes; 0: back"),
        Serviced,
        refusals=(409,),
    ),
    "/api/findings": Says(Text("稽核发现", "what the auditor cannot explain")),
    "/api/asked/{name}": Says(
        Text(
            "此刻所查：system 系统、check 配置检查、skill 技巧、drills 演练",
            "looked up as it is asked for: system, check, skill, drills",
        )
    ),
    "/api/openapi.json": Says(Text("本文件", "this document"), query=(_LANG,), open=True),
    "/api/warnings.geojson": Says(Text("生效预警", "warnings in force, RFC 7946"), media=GEO),
    "/api/cap/{name}": Says(
        Text(
            "feed.atom、feed.rss 和其中的 CAP 1.2 报文",
            "feed.atom, feed.rss and the CAP 1.2 messages in them",
        ),
        media=tuple(TYPES.values()),
    ),
    "/print/{name}": Says(
        Text("打印页；-text 的是纯文本", "a page to print; what ends in -text is plain text"),
        query=(Parameter("incident"), Parameter("run"), _LANG),
        media=(HTML, PLAIN),
    ),
    "/sta/v1.1": Says(
        Text("SensorThings 1.1 的入口", "the landing page of SensorThings 1.1"),
        query=_THINGS,
        refusals=(400, 404, 501),
    ),
    "/sta/v1.1/{path:path}": Says(
        Text("SensorThings 1.1，只读", "SensorThings 1.1, to be read"),
        query=_THINGS,
        media=(JSON, PLAIN),
        refusals=(400, 501),
    ),
}
_PAGES = ("/", "/wall", "/static/{path:path}")  # what a browser shows, with no data in it
_TOKEN = {"token": {"type": "http", "scheme": "bearer"}}
_ALWAYS = (401, 403, 429, 503)  # 503: the log, history or the list cannot be reached


class Api:
    """cap: the folder of CAP messages (dispatch/cap/feed.py), of the stage send on this machine.
    asked: what is looked up when a page asks for it, by name."""

    def __init__(self, feed: Feed, cap: Path, asked: Asked) -> None:
        self._feed, self._cap, self._asked = feed, cap, asked
        self._found: dict[str, tuple[float, bytes]] = {}
        self._looking = {name: threading.Lock() for name in asked}

    def document(self, request: Request) -> Response:
        """Of all routes that there are, in what whoever asks reads."""
        d = self._feed.district
        title = Text(f"烽燧：{d.name}", f"Fengsui: {d.name_en}")
        door = Door(title, d.version, SAYS, _ALWAYS, {JSON: REFUSAL}, _TOKEN)
        places = [(r.path, r.methods) for r in request.app.routes if r.path not in _PAGES]
        return to_json(document(door, places, language_of(request)))

    def warnings(self) -> Response:
        found = self._feed.read(lambda view, _: in_force(self._feed.district, view))
        return Response(msgspec.json.encode(found), media_type=GEO)

    def message(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = self._cap / name
        kind = TYPES.get(file.suffix)
        if kind is None or name.startswith(".") or not file.is_file():
            raise Refused(404, Text("这里没有这份 CAP 报文", "there is no such CAP message here"))
        return Response(file.read_bytes(), media_type=f"{kind}; charset=utf-8")

    def findings(self) -> Response:
        rows = [f._asdict() for f in self._feed.findings()]
        return Response(msgspec.json.encode(rows), media_type="application/json")

    def asked(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._asked:
            raise Refused(404, Text("没有", "there is no such thing"))
        with self._looking[name]:
            at, body = self._found.get(name, (0.0, b""))
            if not body or time.monotonic() - at > _FRESH_S:
                try:
                    body = msgspec.json.encode(self._asked[name]())
                except Unavailable as e:
                    raise Refused(503, text_of(e)) from e
                self._found[name] = time.monotonic(), body
        return Response(body, media_type="application/json")
