"""Every command of `fengsui`: its section, its name, where it stands, and the first sentence of its help.
Data alone: nothing of the program is loaded to list them."""

from config.language import Text
from fengsui.cli.lazy import Entry

COMMANDS = {
    Text("全线", "the line"): {
        "run": Entry(
            "fengsui.cli.line:run",
            "全线运行：所有环节在一个进程里，可带模拟暴雨。",
            "The whole line: every stage in this process, with the simulated storm or without.",
        ),
        "ingest": Entry(
            "fengsui.cli.operate.stages:ingest",
            "接入：MQTT 消息解码、识别、检查，成为观测值；单独一个进程。",
            "MQTT to observations: decode, identify, check; one stage as a process of its own.",
        ),
        "detect": Entry(
            "fengsui.cli.operate.stages:detect",
            "检测：观测值的质量、规则和断报，成为检测。",
            "Observations to cases: quality memory, rules, silence.",
        ),
        "decide": Entry(
            "fengsui.cli.operate.stages:decide",
            "决策：按权限发布、暂缓、降级预警。",
            "Cases to alerts: raise, hold, step down, by authority.",
        ),
        "address": Entry(
            "fengsui.cli.operate.stages:address",
            "定向：发给谁、用什么话、走哪些渠道。",
            "Alerts to deliveries: who, which words, which channels.",
        ),
        "send": Entry(
            "fengsui.cli.operate.stages:send",
            "发送：给喇叭、手机和订阅方，直到每个接收者收到。",
            "Deliveries to loudspeakers, phones and feeds, until each recipient is reached.",
        ),
        "archive": Entry(
            "fengsui.cli.operate.stages:archive",
            "归档：每个主题都存入历史库。",
            "Every topic to history.",
        ),
        "console": Entry(
            "fengsui.cli.console:console",
            "值班台：网页，单独一个进程；地图、预警、决定。",
            "The duty room's pages, as a process of its own: map, warnings, decisions.",
        ),
        "node": Entry(
            "loudspeaker.command:node",
            "预警广播终端：小型 Linux 机器上真的喇叭（espeak-ng）。",
            "A loudspeaker on a small Linux box with a real speaker (espeak-ng).",
        ),
        "telemetry": Entry(
            "fengsui.cli.operate.telemetry:telemetry",
            "遥测站接入：SL 651-2014、SZY 206-2016 的站经 TCP、UDP 报数；进了日志才应答。",
            "Telemetry stations of SL 651-2014 and SZY 206-2016 over TCP and UDP, answered once "
            "the log has it.",
        ),
        "camera": Entry(
            "fengsui.cli.operate.camera:camera",
            "摄像机接入：按计划向摄像机取图（RTSP、HTTP），有雨、涨水、画面变动时自动加快。",
            "Pictures of cameras (RTSP, HTTP) by the plan, and faster by itself while it rains, water rises or "
            "the picture changes.",
        ),
        "weather": Entry(
            "fengsui.cli.operate.weather:weather",
            "气象局文件接入：FOLDER 里的 CSV、BUFR 文件，进了日志才移到 done。",
            "Files of a weather office in FOLDER (CSV, BUFR): moved to its folder done once the log has their "
            "readings.",
        ),
        "geophones": Entry(
            "ingest.waveform.command:geophones",
            "地声接入：miniSEED 文件或 SeedLink 的波形，每秒一个数，经 MQTT 送入全线。",
            "Waveforms of miniSEED files or a SeedLink server as one number a second, over MQTT.",
        ),
        "nowcast": Entry(
            "ingest.weather.nowcast_feed:nowcast",
            "临近预报接入：CSV 文件或 HTTP 地址，经 MQTT 送入全线；坏行成死信，写明行号。",
            "A rain nowcast, a CSV file or an HTTP address, over MQTT; bad rows become dead letters with their "
            "number.",
        ),
    },
    Text("看全线", "looking at it"): {
        "status": Entry(
            "fengsui.cli.look.look:status",
            "状态：各环节、积压、静默的站、在办预警、未到达、坏数据。",
            "Stages, lag, silent stations, open warnings, undelivered, dead letters.",
        ),
        "doctor": Entry(
            "fengsui.cli.look.doctor:doctor",
            "诊断：STATION 最后在哪一层收到什么，哪里不对，怎么办；不写就是全区县，最坏的在前。",
            "What was last heard from STATION at which layer, what is wrong, what to do; without "
            "it all, worst first.",
        ),
        "trace": Entry(
            "fengsui.cli.look.look:trace",
            "追踪 WHAT 走过的路：监测站，或发送、预警、检测的编号。",
            "WHAT through the line: a station, or the id of a delivery, warning or detection.",
        ),
        "explain": Entry(
            "fengsui.cli.look.why:explain",
            "为什么：AREA 在 TIME（2025-07-26T20:00:00+08:00）为何发了或没发预警。",
            "Why a warning of AREA was or was not raised at TIME (2025-07-26T20:00:00+08:00).",
        ),
        "investigate": Entry(
            "fengsui.cli.look.investigate:investigate",
            "事后查证：--out 把一次事件封成一包，--at 是那一刻值班台所知；不写选项就列出各次事件。",
            "--out seals an incident as one pack, --at is what the duty room knew then; without an option "
            "the incidents are listed.",
        ),
        "slo": Entry(
            "fengsui.cli.look.slo:slo",
            "时限承诺：测站到值班台、依据到提请、提请到发布、发布到第一个和最后一个居民、喇叭不响到告知，各自的达成比例"
            "和余额。",
            "The promises of the line: sensor to duty room, evidence to question, question to release, "
            "release to the first and the last resident, silent loudspeaker to being told; the ratio of each "
            "and what is left.",
        ),
        "decode": Entry(
            "fengsui.cli.look.decode:decode",
            "解码：设备报文（十六进制、文件，或 - 从标准输入读）逐字段列表：第几字节、含义、值、单位、"
            "哪里有误。",
            "A device's message (hex, a file, or - from standard input) field by field: byte, meaning, value, "
            "unit, what is wrong.",
        ),
        "export": Entry(
            "fengsui.cli.operate.audit:export",
            "导出一个主题，一行一条 JSON，同一场暴雨两次运行次序相同；`ledger --out DIR`："
            "签名的台账，供 `fengsui audit DIR` 核对。",
            "A topic as JSON lines, in an order that two runs of one storm share; `ledger "
            "--out DIR`: the signed ledger as a folder for `fengsui audit DIR`.",
        ),
        "upgrade-check": Entry(
            "fengsui.cli.operate.upgrade:upgrade_check",
            "升级前试：旧版 → 本版 → 旧版 → 本版，一场暴雨中逐个环节更换，查有没有丢、有没有发两次。",
            "Before an upgrade: old → this → old → this version, stage by stage in a storm; was anything lost "
            "or sent twice?",
        ),
        "verify-wheel": Entry(
            "fengsui.cli.operate.wheel:verify_wheel",
            "安装前查：FILE 是不是这把钥匙的主人由那个提交构建的，一个字节也没有改。",
            "Before installing: was FILE built from that commit by whoever has the key, with no byte changed?",
        ),
        "openapi": Entry(
            "fengsui.cli.operate.openapi:openapi",
            "一个 HTTP 入口的 OpenAPI 3.1 文件，给要接入的程序。",
            "The OpenAPI 3.1 document of an HTTP door, for programs that are to call it.",
        ),
        "audit": Entry(
            "fengsui.cli.operate.audit:audit",
            "稽核：每个检测是否决定，每个预警是否定向，每个发送是否了结。",
            "Is every detection decided, every warning addressed, every delivery ended?",
        ),
        "skill": Entry(
            "fengsui.cli.skill.ledger:skill",
            "技巧台账：每次预警和每次未预警后来怎样，按区、按规则版本。",
            "What came of every warning and silence, by area and by version of the rules.",
        ),
    },
    Text("值班决定", "deciding"): {
        "decisions": Entry(
            "fengsui.cli.duty.decide:decisions",
            "待决事项：等什么、等谁、到何时、谁能决定；以及最近的决定。",
            "What waits, for whom, until when, who may decide; and the newest decisions.",
        ),
        "order": Entry(
            "fengsui.cli.duty.decide:order",
            "人工决定：具名的人对 AREAS（A01,A02 或 A01 A02）和 HAZARD 的预警作决定。",
            "A named person's act upon the warnings of AREAS (A01,A02 or A01 A02) and HAZARD.",
        ),
        "report": Entry(
            "fengsui.cli.duty.report:report",
            "事件报告：一次事件的各份报告（最新的事件），文字或可打印的网页。",
            "An incident's numbered reports (the newest incident), as text or to print as a page.",
        ),
        "tasks": Entry(
            "fengsui.cli.duty.tasks:tasks_",
            "预案任务：预案要做什么、由谁、到何时；逾期的在前。",
            "What the plan asks for, of whom, by when; what is overdue first.",
        ),
        "task": Entry(
            "fengsui.cli.duty.tasks:task",
            "销号：预案的一项任务已办。",
            "Say that a task of the plan is done.",
        ),
        "supplies": Entry(
            "fengsui.cli.duty.supplies:supplies",
            "物资：每种还有多少可用，多少预留、领出，归哪次事件；reserve、issue、restore 动用它们。",
            "Supplies: how many of each are free, reserved and out, and for which incident; reserve, issue and "
            "restore use them.",
        ),
        "instruct": Entry(
            "fengsui.cli.duty.supplies:instruct",
            "指令：按规则起草，改过再由本人签发给未办任务的责任人。",
            "Orders in writing: drafted by rule, mended by a person and signed, to those whose the open tasks "
            "are.",
        ),
        "resend": Entry(
            "fengsui.cli.duty.channels:resend",
            "人工重发 DELIVERY，或 --area A 最近所发：新的一次发送，记录在案。",
            "Send DELIVERY again, or what was last sent for --area A: a new attempt, on record.",
        ),
        "roll": Entry(
            "fengsui.cli.people.people:roll_",
            "转移清点：谁该转移、谁已转移、谁还没有、谁需要帮助。",
            "Who should move, who has, who has not, who needs help.",
        ),
        "outcome": Entry(
            "fengsui.cli.skill.ledger:outcome",
            "灾情核实：AREA 实际发生了什么，或没有发生；预警按它评分。",
            "What really happened in AREA, or did not: warnings are scored against it.",
        ),
        "station": Entry(
            "fengsui.cli.duty.stations:station",
            "维护：正在清理、检定或更换的监测站和喇叭。",
            "Stations and loudspeakers that are cleaned, calibrated or swapped.",
        ),
    },
    Text("演练", "trying it out"): {
        "storms": Entry(
            "fengsui.cli.operate.storms:storms",
            "风暴试验机：全线在模拟时间里过许多场由种子决定的风暴和故障，查各项承诺。",
            "The storm machine: the whole line through many storms and faults drawn from seeds, in "
            "simulated time, with every promise checked.",
        ),
        "simulate": Entry(
            "fengsui.cli.play:simulate",
            "模拟：把 SCENARIO 发到任何 MQTT 服务器；或给许多场暴雨评分：--seeds 30 --score。",
            "Publish SCENARIO to any MQTT broker; or score many storms: --seeds 30 --score.",
        ),
        "replay": Entry(
            "fengsui.cli.play:replay",
            "回放测值 CSV（station,quantity,time,value），经 MQTT，保留事件时间。",
            "A CSV of measurements (station,quantity,time,value) through MQTT, keeping event times.",
        ),
        "drill": Entry(
            "fengsui.cli.review:drill",
            "演练：SCENARIO 走完全线，与一切真实的东西断开，并评估。",
            "Play SCENARIO through the whole line, cut off from everything real, and assess it.",
        ),
        "after-action": Entry(
            "fengsui.cli.review:after_action",
            "总结评估：发生了什么、每步多久、谁应答，对照预案；可打印的网页和 JSON。",
            "What happened, how long each step took, who answered, against the plan; as a "
            "page to print and as JSON.",
        ),
        "bench": Entry(
            "bench.command:bench",
            "测速：内存里的规则、内置全线及其延迟，旁有基线；--only kafka 测 FENGSUI_LOG 所"
            "指 Kafka 上的检测；--only cost 按站数。",
            "Measure the rule in memory, the embedded line and its latency, beside a "
            "baseline; with --only kafka the detectors on the Kafka that FENGSUI_LOG "
            "names; --only cost: by stations.",
        ),
    },
    Text("区县配置", "the district"): {
        "check": Entry(
            "fengsui.cli.operate.operate:check",
            "检查配置：验一个区县的目录，并放它的情景。",
            "Validate a district's folder and play its scenarios.",
        ),
        "words": Entry(
            "fengsui.cli.district.words:words",
            "用语预览：各类对象会收到什么；LEVEL blue … red，ACTION prepare、move 或 cancel。",
            "What each audience would get: LEVEL blue … red, ACTION prepare or move, or cancel.",
        ),
        "reach": Entry(
            "fengsui.cli.people.reach:reach_",
            "发布前估计：AREA[,AREA…] 里谁会收到、走哪些渠道、谁收不到；以及水往下游会到哪"
            "里、到达时间的范围（docs/plans.md）。",
            "Who would be reached in AREA[,AREA…], by which ways, and who would not; and "
            "what the water may come to downstream of them, with the range of its arrival (docs/en/plans.md).",
        ),
        "coverage": Entry(
            "fengsui.cli.people.reach:coverage_",
            "覆盖检查：谁不在名单上、听不到、只靠一样东西；有人毫无覆盖时退出码为 1。",
            "Who is on no list, out of sound, or hangs on one thing; exit code 1 if "
            "anybody is covered by nothing.",
        ),
        "hindcast": Entry(
            "fengsui.cli.skill.tune:hindcast",
            "回放评分：规则对一段资料会怎样预警；命中、漏报、空报、提前量。",
            "How the rules would have warned over a record: hits, misses, false alarms, lead.",
        ),
        "tune": Entry(
            "fengsui.cli.skill.tune:tune",
            "率定：由资料或表求阈值，附留出数据上的技巧。",
            "Thresholds from a record or a table, with the skill on data that was left out.",
        ),
        "seismic": Entry(
            "fengsui.cli.skill.seismic:seismic",
            "地声评分：规则在真实波形上提前多久、平时误报多少，逐条逐阈值并列。",
            "What rules make of real shaking: lead before flows and alarms without one, side by side.",
        ),
        "sign": Entry(
            "fengsui.cli.skill.sign:sign",
            "签字：为 CONFIG 改过而没有资料评分的阈值和规则负责。",
            "Answer for changed thresholds and rules of CONFIG that no record has scored.",
        ),
        "terrain": Entry(
            "fengsui.cli.district.terrain:terrain",
            "地形：给地图画晕渲，写入区县目录；用 SRTM（.hgt）、ESRI ASCII 格网（.asc）或高"
            "程点（.csv: lon,lat,height_m，点间只是示意）。",
            "Shades heights for the map, into the district's folder: SRTM tiles (.hgt), "
            "ESRI ASCII grids (.asc), or spot heights (.csv: lon,lat,height_m), which are "
            "schematic between them.",
        ),
    },
    Text("人员", "people"): {
        "contacts": Entry(
            "fengsui.cli.people.contacts:contacts",
            "联系人库：加密的姓名和号码；import, export, list, erase, rotate-key。",
            "Names and numbers, encrypted: import, export, list, erase, rotate-key.",
        ),
        "residents": Entry(
            "fengsui.cli.people.residents:residents",
            "居民自己订阅：serve 公开网页，keep 网页背后的保管进程，sheets 村口张贴的二维码，"
            "counts 每天的次数。",
            "Residents subscribe by themselves: serve the public page, keep what it is told, sheets, counts of "
            "a day.",
        ),
        "people": Entry(
            "fengsui.cli.people.people:people_",
            "个人报告链接：村民报告用的链接；link, revoke, links。",
            "The links by which people report: link, revoke, links.",
        ),
        "signer": Entry(
            "fengsui.cli.duty.signer:signer",
            "签名人：谁的签名算数；值班台的钥匙，值班人员本人的钥匙。",
            "Whose signatures count for decisions: the console's desk, and officers' own keys.",
        ),
    },
    Text("终端", "loudspeakers"): {
        "keys": Entry(
            "fengsui.cli.operate.nodes:keys",
            "终端密钥：喇叭听谁的指令；show, rotate, revoke。",
            "Whose commands the loudspeakers obey: show, rotate, revoke.",
        ),
        "mandate": Entry(
            "fengsui.cli.operate.nodes:mandate",
            "自主授权：所有链路断时，终端可按自己的雨量计发声；grant, withdraw, show。",
            "Nodes may sound on their own gauge when every link is dead: grant, withdraw, show.",
        ),
        "self-test": Entry(
            "fengsui.cli.operate.nodes:self_test",
            "自检 NODES（代号，或 all）：现在短促轻响一声；结果见 `fengsui status`。",
            "NODES (ids, or all): a short quiet tone now; the result is in `fengsui status`.",
        ),
    },
    Text("邻区邻县（CAP）", "neighbours (CAP)"): {
        "neighbours": Entry(
            "fengsui.cli.operate.cap:neighbours",
            "邻区邻县：越界往来；我们的和对方的话，对方的和我们的话，以及外来预警。",
            "What crossed the line: ours with their word, theirs with ours, and outside warnings.",
        ),
        "cap-in": Entry(
            "fengsui.cli.operate.cap:cap_in",
            "外来预警：交来别的机构的 CAP 消息；核对后作为证据，绝不直接广播。",
            "Hand in another authority's CAP message: checked, and evidence, never a broadcast.",
        ),
        "answer": Entry(
            "fengsui.cli.operate.cap:answer",
            "回复邻县：告诉 NEIGHBOUR 其消息 IDENTIFIER 已接受或不接受（CAP Ack, Error）。",
            "Say to NEIGHBOUR that its message IDENTIFIER is accepted or declined (CAP Ack, Error).",
        ),
        "cap-key": Entry(
            "fengsui.cli.operate.cap:cap_key",
            "签名证书：本运行签 CAP 所用，交给邻县；没有就造一张。",
            "The certificate that this run signs CAP with, for neighbours; made when there is none.",
        ),
        "cap-fields": Entry(
            "fengsui.cli.operate.cap:cap_fields",
            "国标字段：CAP 消息对应的中国格式要素名，每项标明把握多大。",
            "A CAP message by the element names of a Chinese format, each with how sure it is.",
        ),
    },
    Text("运维", "keeping it"): {
        "broker-config": Entry(
            "fengsui.cli.operate.broker:broker_config",
            "服务器配置：由各表生成 mosquitto 的设置、用户、权限和证书；或用 FENGSUI_LOG 里"
            "管理员的地址，给 Kafka 上每个程序建用户和权限。",
            "Settings, users, rights and certificates for mosquitto, from the tables; or a "
            "user with its rights for every program on Kafka, by an administrator's address in FENGSUI_LOG.",
        ),
        "backup": Entry(
            "fengsui.cli.operate.operate:backup",
            "备份：把运行和区县目录存入 FILE.tar.gz，不含秘密；全线可以照常运行。",
            "The run and the district's folder into FILE.tar.gz, without secrets; the line may run.",
        ),
        "restore": Entry(
            "fengsui.cli.operate.operate:restore",
            "恢复：FILE.tar.gz 放进新的运行；已发过的不再发。",
            "FILE.tar.gz into a new run; what had been sent is not sent again.",
        ),
    },
}
