"""Why a person's message is not taken, in words."""

from config.language import Text
from config.records.level import FACTS

A_KEEPER = Text(
    "封沟、开沟和今晚人数由责任人、观察员或营地联系人报告",
    "closing, opening and tonight's guests are told by who answers for the place, or the site's contact",
)
A_GOER = Text(
    "出发和返回由责任人、观察员、干部报告，且本区 policy.toml 的 check_back_min 已打开",
    "going out and coming back are told by responsible persons, observers and officers, where check_back_min "
    "of policy.toml is on",
)
A_TEXT = Text('应为 {"text": …, "id": …, "at": …}：', 'write {"text": …, "id": …, "at": …}: ')
A_REPORT = Text(
    '应为 {"id", "what", "area", "people", "time", "fact", "happened"}：',
    'write {"id", "what", "area", "people", "time", "fact", "happened"}: ',
)
A_TIME = Text("应写 2025-07-26T22:10:00+08:00 或秒", "write 2025-07-26T22:10:00+08:00 or seconds")
A_FACT = Text("fact: 应为 ", "fact: write one of ") + ", ".join(sorted(FACTS))
FACT_TIME = Text(
    "happened: 不得在将来，不得早于 24 小时前",
    "happened: not to come, and not more than 24 hours ago",
)
ONE_STATION = Text("维护一次一个自己区的站点", "one station of their areas at a time")
A_MOVER = Text(
    "how: 应为 shelter、relatives、upstairs，只在 moved 时写",
    "how: write shelter, relatives or upstairs, with moved alone",
)
