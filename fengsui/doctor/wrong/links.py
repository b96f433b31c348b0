"""Whether a station or node is heard at all, and what stands in the way: the line, the broker, the listener,
a name that is not its own. Pure."""

from collections.abc import Iterator

from config.language import Text, en, joined, zh
from fengsui.doctor.case import MINUTE, Case, Finding, Weight, span
from fengsui.doctor.near import near
from stream.records import DeadLetter

TELEMETRY_PORT = 5651
_NOBODY_LISTENS = Finding(
    "no_listener",
    "link",
    Weight.BLIND,
    Text(
        f"本机 {TELEMETRY_PORT} 端口没有人听遥测站",
        f"nobody listens for telemetry stations on port {TELEMETRY_PORT} of this machine",
    ),
    Text(
        "启动 fengsui telemetry（在别的机器上就到那里看）",
        "start fengsui telemetry (or look at the machine where it runs)",
    ),
)
_OR = Text("、", ", ")
_HOUR = 60 * MINUTE


def link(case: Case, name: str) -> list[Finding]:
    """Silent, never heard, waiting; and why that may be."""
    plan_ms = case.plan(name).silent_after_s * 1000
    seen, came = case.view.last_seen.get(name), case.view.flags.heard.get(name, 0)
    if seen is not None and case.now - seen <= plan_ms:
        return []
    if case.now - came <= plan_ms and seen is not None:
        return []  # it speaks, with old times: its clock's matter
    why = list(_why(case, name))
    if seen is not None:
        gone = span(case.now - max(seen, came))
        head = Finding(
            "silent",
            "link",
            Weight.BLIND,
            Text(
                f"静默 {gone.zh}：最后一次 {case.when(max(seen, came))}，登记 {span(plan_ms).zh} 算静默",
                f"silent for {gone.en}: last heard {case.when(max(seen, came))}, declared silent after "
                f"{span(plan_ms).en}",
            ),
            Text("查供电、信号、SIM 卡；能远程就重启", "look at power, signal and SIM; restart it"),
        )
    elif case.now - case.started_at <= plan_ms:
        left = span(plan_ms - (case.now - case.started_at))
        head = Finding(
            "waiting",
            "link",
            Weight.NOTE,
            Text(
                f"还没有收到；再过 {left.zh}算静默",
                f"not heard yet; it counts as silent in {left.en}",
            ),
            _expected(case, name),
        )
    else:
        head = Finding(
            "never_heard",
            "link",
            Weight.BLIND,
            Text("从未收到", "never heard"),
            _expected(case, name),
        )
    return [head, *why]


def _expected(case: Case, name: str) -> Text:
    """Where it should speak."""
    if addresses := case.addresses(name):
        at = ", ".join(addresses)
        return Text(
            f"设备的中心站地址填本机、端口 {TELEMETRY_PORT}，站址 {at}；fengsui telemetry 要在运行",
            f"set its centre to this machine, port {TELEMETRY_PORT}, and its address to {at}; `fengsui "
            "telemetry` must run",
        )
    if euis := case.euis(name):
        at = ", ".join(euis)
        return Text(
            f"LoRaWAN 设备 {at}：先看网络服务器的页面有没有上行，再看它发没发到本系统的 MQTT",
            f"LoRaWAN device {at}: does the network server's page show uplinks, and does it publish to our "
            "MQTT broker?",
        )
    if name in case.district.camera_sources:
        return Text(
            "启动 fengsui camera，看它日志里怎么说这台摄像机",
            "start fengsui camera, and look at what it says of this camera",
        )
    if columns := case.files(name):
        ids = ", ".join(f"{r.form} {r.id} {r.column}" for r in columns)
        return Text(
            f"气象局的文件（{ids}）：fengsui weather 要在运行；看文件夹里来没来新文件，refused 里有没有",
            f"files of the weather office ({ids}): `fengsui weather` must run; are there new files in its "
            "folder, or refused ones in `refused`?",
        )
    if rows := case.things(name):
        streams, users = (
            ", ".join(x) for x in ([r.datastream for r in rows], [r.user for r in rows])
        )
        return Text(
            f"SensorThings 的 Datastream {streams} 应发到 {case.topic(name)}，用户名 {users}；经桥来的先看桥",
            f"Datastream {streams} of SensorThings should be published to {case.topic(name)} as user {users}; "
            "look at the bridge where one brings it",
        )
    if edges := case.edges(name):
        nodes = ", ".join(dict.fromkeys(f"{r.group}/{r.edge} ({r.who})" for r in edges))
        return Text(
            f"由 Sparkplug 边缘节点 {nodes} 送来：看它连没连上、出生证书里有没有这个 metric",
            f"Sparkplug edge node {nodes} brings it: is it connected, and is the metric in its birth "
            "certificate?",
        )
    if gateways := case.gateways(name):
        at = ", ".join(gateways)
        return Text(
            f"由网关 {at} 转来：先看网关；直接发则用 {case.topic(name)}",
            f"gateway {at} brings it: look there first; by itself it speaks on {case.topic(name)}",
        )
    return Text(
        f"设备应发到 {case.topic(name)}，用户名 {name}，QoS 1",
        f"it should publish to {case.topic(name)} as user {name}, QoS 1",
    )


def _why(case: Case, name: str) -> Iterator[Finding]:
    """What may stand in the way of one that is not heard."""
    yield from _nearly(case, name)
    if case.addresses(name):
        if not case.listens:
            yield _NOBODY_LISTENS
        return
    if case.files(name):
        return
    yield from _at_the_broker(case, name)


def _at_the_broker(case: Case, name: str) -> Iterator[Finding]:
    """What the broker's journal says of it."""
    told, broker, users = case.broker.told, case.broker, case.users(name)
    for user in users:
        if user not in told.refused:
            continue
        many, at = told.refused[user]
        yield Finding(
            "wrong_password",
            "link",
            Weight.BLIND,
            Text(
                f"服务器拒绝它登录 {many} 次{_at(case, at).zh}：口令不对，或没有这个用户",
                f"the broker refused its log-in {many} times{_at(case, at).en}: a wrong password, or no such "
                "user",
            ),
            Text(
                "核对设备口令；表改过就重做 fengsui broker-config 并让服务器重读",
                "compare its password; after a change of the tables run fengsui broker-config again and let "
                "the broker read it",
            ),
        )
    for user in users:
        if user not in told.denied:
            continue
        topic, at = told.denied[user]
        yield Finding(
            "wrong_topic",
            "link",
            Weight.BLIND,
            Text(
                f"它发往不归它的主题 {topic}{_at(case, at).zh}，服务器不收",
                f"it publishes to {topic}, which is not its own{_at(case, at).en}: the broker takes none of it",
            ),
            Text(f"改成 {case.topic(name)}", f"write {case.topic(name)}"),
        )
    if broker.journal and not any(u in told.refused or u in told.denied for u in users):
        if (
            seen := next((told.connected[u] for u in users if u in told.connected), None)
        ) is not None:
            yield Finding(
                "connected",
                "link",
                Weight.NOTE,
                Text(
                    f"它连上过服务器{_at(case, seen[1]).zh}，却没有能收的读数",
                    f"it did connect to the broker{_at(case, seen[1]).en}, and no reading came of it",
                ),
                Text(
                    f"看它发到哪个主题，应为 {case.topic(name)}",
                    f"look on which topic it speaks; it should be {case.topic(name)}",
                ),
            )
        elif told.refused and (strangers := _strangers(case)):
            yield Finding(
                "somebody_refused",
                "link",
                Weight.NOTE,
                strangers,
                Text(
                    "服务器日志不写是谁：按地址认设备，核对口令",
                    "the broker's journal does not say who: know the device by its address, compare passwords",
                ),
            )


def _at(case: Case, at: int) -> Text:
    return Text(f"，最后 {case.when(at)}", f", last at {case.when(at)}") if at else Text("", "")


def _strangers(case: Case) -> Text | None:
    """Log-ins refused that name nobody of the tables."""
    names = case.district.stations.keys() | case.district.nodes.keys()
    of = {n: t for n, t in case.broker.told.refused.items() if n not in names}
    if not of:
        return None
    shown = ", ".join(sorted(of)[:4])
    many, at = sum(m for m, _ in of.values()), max(t for _, t in of.values())
    return Text(
        f"服务器拒绝过 {many} 次登录（来自 {shown}）{_at(case, at).zh}",
        f"the broker refused {many} log-ins (from {shown}){_at(case, at).en}",
    )


def _nearly(case: Case, name: str) -> Iterator[Finding]:
    """Somebody speaks under a name that is nearly this one, which is not heard."""
    mine = [name, *case.addresses(name), *case.euis(name)]
    for strange, letters in case.heard.letters.strange.items():
        letter = letters[-1]
        if not near(strange, mine) or not _alone(case, strange, name):
            continue
        yield Finding(
            "near_miss",
            "message",
            Weight.BLIND,
            Text(
                f"有设备自称 {strange}，{len(letters)} 条没收（{letter.reason}），最后 "
                f"{case.when(letter.received_at)}：像是它",
                f"something calls itself {strange}: {len(letters)} messages refused ({letter.reason}), last at "
                f"{case.when(letter.received_at)}; it looks like this one",
            ),
            _rename(case, name, letter),
        )


def _alone(case: Case, strange: str, name: str) -> bool:
    """Is this one of the likeliest? Who is heard under its own name is not meant."""
    tables = [*case.district.stations, *case.district.nodes]
    dark = [n for n in tables if n == name or _dark(case, n)]
    ways = {a: n for n in dark for a in (n, *case.addresses(n), *case.euis(n))}
    return name in {ways[w] for w in near(strange, ways)}


def _dark(case: Case, name: str) -> bool:
    seen = case.view.last_seen.get(name)
    return seen is None or case.now - seen > case.plan(name).silent_after_s * 1000


def _rename(case: Case, name: str, letter: DeadLetter) -> Text:
    if letter.source.startswith("telemetry "):
        return Text(
            f"改 telemetry.csv 里 {name} 的 address，或改设备的站址",
            f"mend the address of {name} in telemetry.csv, or the device's",
        )
    if case.euis(name) and ("/device/" in letter.source or "/devices/" in letter.source):
        return Text(
            f"改 lorawan.csv 里 {name} 的 dev_eui", f"mend the dev_eui of {name} in lorawan.csv"
        )
    if "/gateway/" in letter.source:
        return Text(
            f"网关报文里的站名改成 {name}", f"let the gateway call it {name} in its messages"
        )
    return Text(f"设备改用 {case.topic(name)}", f"let the device use {case.topic(name)}")


def near_names(case: Case, strange: str) -> Text | None:
    """Who may be meant by a name that is in no table."""
    ways = {n: n for n in (*case.district.stations, *case.district.nodes)}
    names = case.district.stations
    ways |= {a: n for n in names for a in (*case.addresses(n), *case.euis(n))}
    found = list(dict.fromkeys(ways[w] for w in near(strange, ways)))
    return joined(found[:4], _OR) if found else None


def line(
    case: Case, stopped_at: int, behind: dict[str, int], alone: list[Text], live: bool
) -> Iterator[Finding]:
    """What is wrong with the line itself. stopped_at: its clock has not gone on since then; 0: it goes. behind:
    stage -> records that it has not read. alone: what partitions nobody has, in words."""
    if not case.view.clock_at and not case.heard.ticked_at and case.view.run is None:
        yield Finding(
            "no_run",
            "line",
            Weight.BLIND,
            Text("这个运行还没有一条记录", "nothing has run here yet"),
            Text(
                "启动 fengsui run --no-simulator；看 --run、--state、--config",
                "start fengsui run --no-simulator; look at --run, --state, --config",
            ),
        )
    elif stopped_at:
        yield Finding(
            "line_stopped",
            "line",
            Weight.BLIND,
            Text(
                f"全线停在 {case.when(stopped_at)}：之后谁也没有研判；下面按那时说",
                f"the line stopped at {case.when(stopped_at)}: nobody has judged since; below as of then",
            ),
            Text("启动各环节（fengsui run，或 systemd、容器）", "start its stages"),
        )
    broker = case.broker
    if broker.address and broker.answers is False:
        yield Finding(
            "broker_unreachable",
            "link",
            Weight.BLIND,
            Text(
                f"MQTT 服务器 {broker.address} 没有应答",
                f"the MQTT broker {broker.address} does not answer",
            ),
            Text(
                "启动它；查 FENGSUI_BROKER、防火墙、磁盘",
                "start it; look at FENGSUI_BROKER, firewall, disk",
            ),
        )
    elif not broker.address and live and not stopped_at and case.view.run is not None:
        yield Finding(
            "no_broker",
            "link",
            Weight.BLIND,
            Text("不知道 MQTT 服务器在哪里", "no MQTT broker is known"),
            Text(
                "设 FENGSUI_BROKER，或用 fengsui run 的", "set FENGSUI_BROKER, or use `fengsui run`"
            ),
        )
    yield from _nobodys(alone)
    for stage, many in behind.items():
        yield Finding(
            f"{stage}_behind",
            "line",
            Weight.DOUBT,
            Text(f"{stage} 积压 {many} 条没读", f"{stage} has {many} records to read"),
            Text(
                "看该环节的日志；机器忙、磁盘慢或环节没启动",
                "look at its journal: a busy machine, a slow disk, or a stage that was not started",
            ),
        )
    if strangers := _strangers(case):
        yield Finding(
            "log_ins_refused",
            "link",
            Weight.NOTE,
            strangers,
            Text("按地址认设备，核对口令", "know the device by its address, compare passwords"),
        )


def _nobodys(words: list[Text]) -> Iterator[Finding]:
    """Of partitions that nobody has: whatever comes there is judged by nobody."""
    for what in words:
        yield Finding(
            "no_owner",
            "line",
            Weight.BLIND,
            what,
            Text(
                "启动该环节，或看它的日志；在运行而没有分区的进程，停下再启动",
                "start that stage, or look at its journal; one that runs and owns nothing: stop it and start "
                "it again",
            ),
        )


def sort_of(letters: list[DeadLetter], since: int) -> dict[str, list[DeadLetter]]:
    """Those since then, by reason."""
    found: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        if letter.received_at >= since:
            found.setdefault(letter.reason, []).append(letter)
    return found


def last_hour(case: Case) -> int:
    return case.now - _HOUR


def words_of(letter: DeadLetter) -> Text:
    """What it says, in both languages."""
    return Text(zh(letter.detail), en(letter.detail))
