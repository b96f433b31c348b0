"""Every command of `fengsui`: its section, its name, where it stands, and the first sentence of its help.
Data alone: nothing of the program is loaded to list them."""

from fengsui.cli.lazy import Entry

COMMANDS = {
    "全线 the line": {
        "run": Entry(
            "fengsui.cli.line:run",
            "全线运行 the whole line: every stage in this process, with the simulated storm or without.",
        ),
        "ingest": Entry(
            "fengsui.cli.line:ingest",
            "接入 MQTT to observations: decode, identify, check; one stage as a process of its own.",
        ),
        "detect": Entry(
            "fengsui.cli.line:detect",
            "检测 observations to cases: quality memory, rules, silence.",
        ),
        "decide": Entry(
            "fengsui.cli.line:decide",
            "决策 cases to alerts: raise, hold, step down, by authority.",
        ),
        "address": Entry(
            "fengsui.cli.line:address",
            "定向 alerts to deliveries: who, which words, which channels.",
        ),
        "send": Entry(
            "fengsui.cli.line:send",
            "发送 deliveries to loudspeakers, phones and feeds, until each recipient is reached.",
        ),
        "archive": Entry(
            "fengsui.cli.line:archive",
            "归档 every topic to history.",
        ),
        "console": Entry(
            "fengsui.cli.console:console",
            "值班台 the duty room's pages, as a process of its own: map, warnings, decisions.",
        ),
        "node": Entry(
            "loudspeaker.command:node",
            "预警广播终端 a loudspeaker on a small Linux box with a real speaker (espeak-ng).",
        ),
    },
    "看全线 looking at it": {
        "status": Entry(
            "fengsui.cli.look.look:status",
            "状态 stages, lag, silent stations, open warnings, undelivered, dead letters.",
        ),
        "trace": Entry(
            "fengsui.cli.look.look:trace",
            "追踪 WHAT through the line: a station, or the id of a delivery, warning or detection.",
        ),
        "explain": Entry(
            "fengsui.cli.look.why:explain",
            "为什么 why a warning of AREA was or was not raised at TIME (2025-07-26T20:00:00+08:00).",
        ),
        "export": Entry(
            "fengsui.cli.operate.audit:export",
            "导出 a topic as JSON lines, in an order that two runs of one storm share; `ledger --out "
            "DIR`: 台账 the signed ledger as a folder for `fengsui audit DIR`.",
        ),
        "audit": Entry(
            "fengsui.cli.operate.audit:audit",
            "稽核 is every detection decided, every warning addressed, every delivery ended?",
        ),
        "skill": Entry(
            "fengsui.cli.skill.ledger:skill",
            "技巧台账 what came of every warning and silence, by area and by version of the rules.",
        ),
    },
    "值班决定 deciding": {
        "decisions": Entry(
            "fengsui.cli.duty.decide:decisions",
            "待决事项 what waits, for whom, until when, who may decide; and the newest decisions.",
        ),
        "order": Entry(
            "fengsui.cli.duty.decide:order",
            "人工决定 a named person's act upon the warnings of AREAS (A01,A02 or A01 A02) and HAZARD.",
        ),
        "report": Entry(
            "fengsui.cli.duty.report:report",
            "事件报告 an incident's numbered reports (the newest incident), as text or to print as a page.",
        ),
        "tasks": Entry(
            "fengsui.cli.duty.tasks:tasks_",
            "预案任务 what the plan asks for, of whom, by when; what is overdue first.",
        ),
        "task": Entry(
            "fengsui.cli.duty.tasks:task",
            "销号 say that a task of the plan is done.",
        ),
        "resend": Entry(
            "fengsui.cli.duty.channels:resend",
            "人工重发 send DELIVERY again, or what was last sent for --area A: a new attempt, on record.",
        ),
        "roll": Entry(
            "fengsui.cli.people.people:roll_",
            "转移清点 who should move, who has, who has not, who needs help.",
        ),
        "outcome": Entry(
            "fengsui.cli.skill.ledger:outcome",
            "灾情核实 what really happened in AREA, or did not: warnings are scored against it.",
        ),
        "station": Entry(
            "fengsui.cli.duty.stations:station",
            "维护 stations and loudspeakers that are cleaned, calibrated or swapped.",
        ),
    },
    "演练 trying it out": {
        "simulate": Entry(
            "fengsui.cli.play:simulate",
            "模拟 publish SCENARIO to any MQTT broker; or score many storms: --seeds 30 --score.",
        ),
        "replay": Entry(
            "fengsui.cli.play:replay",
            "回放 a CSV of measurements (station,quantity,time,value) through MQTT, keeping event times.",
        ),
        "drill": Entry(
            "fengsui.cli.review:drill",
            "演练 play SCENARIO through the whole line, cut off from everything real, and assess it.",
        ),
        "after-action": Entry(
            "fengsui.cli.review:after_action",
            "总结评估 what happened, how long each step took, who answered, against the plan; as a page"
            " to print and as JSON.",
        ),
        "bench": Entry(
            "bench.command:bench",
            "测速 measure the rule in memory, the embedded line and its latency, beside a baseline; "
            "with --only kafka the detectors on the Kafka that FENGSUI_LOG names; --only cost: by "
            "stations.",
        ),
    },
    "区县配置 the district": {
        "check": Entry(
            "fengsui.cli.operate.operate:check",
            "检查配置 validate a district's folder and play its scenarios.",
        ),
        "words": Entry(
            "fengsui.cli.district.words:words",
            "用语预览 what each audience would get: LEVEL blue … red, ACTION prepare or move, or cancel.",
        ),
        "reach": Entry(
            "fengsui.cli.people.reach:reach_",
            "发布前估计 who would be reached in AREA[,AREA…], by which ways, and who would not; and what"
            " the water may come to downstream of them, with the range of its arrival "
            "(docs/plans.md).",
        ),
        "coverage": Entry(
            "fengsui.cli.people.reach:coverage_",
            "覆盖检查 who is on no list, out of sound, or hangs on one thing; exit code 1 if anybody is"
            " covered by nothing.",
        ),
        "hindcast": Entry(
            "fengsui.cli.skill.tune:hindcast",
            "回放评分 how the rules would have warned over a record: hits, misses, false alarms, lead.",
        ),
        "tune": Entry(
            "fengsui.cli.skill.tune:tune",
            "率定 thresholds from a record or a table, with the skill on data that was left out.",
        ),
        "sign": Entry(
            "fengsui.cli.skill.tune:sign",
            "签字 answer for changed thresholds and rules of CONFIG that no record has scored.",
        ),
        "terrain": Entry(
            "fengsui.cli.district.terrain:terrain",
            "地形 shades heights for the map, into the district's folder: SRTM tiles (.hgt), ESRI "
            "ASCII grids (.asc), or spot heights (.csv: lon,lat,height_m), which are schematic "
            "between them.",
        ),
    },
    "人员 people": {
        "contacts": Entry(
            "fengsui.cli.people.contacts:contacts",
            "联系人库 names and numbers, encrypted: import, export, list, erase, rotate-key.",
        ),
        "people": Entry(
            "fengsui.cli.people.people:people_",
            "个人报告链接 the links by which people report: link, revoke, links.",
        ),
        "signer": Entry(
            "fengsui.cli.duty.signer:signer",
            "签名人 whose signatures count for decisions: the console's desk, and officers' own keys.",
        ),
    },
    "终端 loudspeakers": {
        "keys": Entry(
            "fengsui.cli.operate.nodes:keys",
            "终端密钥 whose commands the loudspeakers obey: show, rotate, revoke.",
        ),
        "mandate": Entry(
            "fengsui.cli.operate.nodes:mandate",
            "自主授权 nodes may sound on their own gauge when every link is dead: grant, withdraw, show.",
        ),
        "self-test": Entry(
            "fengsui.cli.operate.nodes:self_test",
            "自检 NODES (ids, or all): a short quiet tone now; the result is in `fengsui status`.",
        ),
    },
    "邻区邻县 neighbours (CAP)": {
        "neighbours": Entry(
            "fengsui.cli.operate.cap:neighbours",
            "邻区邻县 what crossed the line: ours with their word, theirs with ours, and outside warnings.",
        ),
        "cap-in": Entry(
            "fengsui.cli.operate.cap:cap_in",
            "外来预警 hand in another authority's CAP message: checked, and evidence, never a broadcast.",
        ),
        "answer": Entry(
            "fengsui.cli.operate.cap:answer",
            "回复邻县 say to NEIGHBOUR that its message IDENTIFIER is accepted or declined (CAP Ack, Error).",
        ),
        "cap-key": Entry(
            "fengsui.cli.operate.cap:cap_key",
            "签名证书 the certificate that this run signs CAP with, for neighbours; made when there is none.",
        ),
        "cap-fields": Entry(
            "fengsui.cli.operate.cap:cap_fields",
            "国标字段 a CAP message by the element names of a Chinese format, each with how sure it is.",
        ),
    },
    "运维 keeping it": {
        "broker-config": Entry(
            "fengsui.cli.operate.broker:broker_config",
            "服务器配置 settings, users, rights and certificates for mosquitto, from the tables; or a "
            "user with its rights for every program on Kafka, by an administrator's address in "
            "FENGSUI_LOG.",
        ),
        "backup": Entry(
            "fengsui.cli.operate.operate:backup",
            "备份 the run and the district's folder into FILE.tar.gz, without secrets; the line may run.",
        ),
        "restore": Entry(
            "fengsui.cli.operate.operate:restore",
            "恢复 FILE.tar.gz into a new run; what had been sent is not sent again.",
        ),
    },
}
