"""What click says of itself, in Chinese: Usage, Error, No such option.

click asks gettext for its own words. A catalog would be chosen by LANG, which says nothing of who sits at
this terminal (FENGSUI_LANG does), and would go on to every program that is started from here; so the
function that its modules ask is another one, which looks here. What is missing here is said as click says
it; tests/fengsui/test_click_words.py finds what an update of click brings.
"""

import gettext
import sys

import click

from stream.environment import Usage, language

# click's words -> ours. A plural has one form in Chinese; fields have the names that click gives them
ZH = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "Error: {message}": "有误：{message}",
    "Try '{command} {option}' for help.": "帮助：{command} {option}",
    "Show this message and exit.": "显示本帮助",
    "Show the version and exit.": "显示版本",
    "%(prog)s, version %(version)s": "%(prog)s，版本 %(version)s",
    "Aborted!": "已停止",
    "Missing command.": "没有写命令。",
    "No such command {name!r}.": "没有命令 {name!r}。",
    "No such option {name!r}.": "没有选项 {name!r}。",
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "是不是其中之一：{possibilities}？",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "Missing {param_type}": "缺少 {param_type}",
    "Invalid value: {message}": "值不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值不对：{message}",
    "Got unexpected extra argument ({args})": "多了参数（{args}）",
    "Option {name!r} does not take a value.": "选项 {name!r} 不带值。",
    "Option {name!r} requires an argument.": "选项 {name!r} 缺少值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name!r} 要 {nargs} 个值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name!r} 要 {nargs} 个值。",
    "Takes {nargs} values but 1 was given.": "要 {nargs} 个值，只给了 1 个。",
    "Takes {nargs} values but {len} were given.": "要 {nargs} 个值，给了 {len} 个。",
    "{len_type} values are required, but {len_value} was given.": "要 {len_type} 个值，给了 {len_value} 个。",
    "Value must be an iterable.": "应是若干个值。",
    "Choose from:\n\t{choices}": "可选：\n\t{choices}",
    "{value!r} is not {choice}.": "{value!r} 不对，只能是 {choice}。",
    "{value!r} is not one of {choices}.": "{value!r} 不在其中：{choices}。",
    "{value!r} does not match the format {format}.": "{value!r} 的格式不对，应为 {format}。",
    "{value!r} does not match the formats {formats}.": "{value!r} 的格式不对，可为 {formats}。",
    "{value!r} is not a valid {number_type}.": "{value!r} 不是{number_type}。",
    "{value} is not in the range {range}.": "{value} 越界，应为 {range}。",
    "{value!r} is not a valid boolean. Recognized values: {states}": "{value!r} 不是是或否，可写：{states}",
    "{value!r} is not a valid UUID.": "{value!r} 不是 UUID。",
    "file": "文件",
    "directory": "目录",
    "path": "路径",
    "{name} {filename!r} does not exist.": "{name} {filename!r} 不存在。",
    "{name} {filename!r} is a file.": "{name} {filename!r} 是文件。",
    "{name} {filename!r} is a directory.": "{name} {filename!r} 是目录。",
    "{name} {filename!r} is not readable.": "{name} {filename!r} 不可读。",
    "{name} {filename!r} is not writable.": "{name} {filename!r} 不可写。",
    "{name} {filename!r} is not executable.": "{name} {filename!r} 不可执行。",
    "Could not open file {filename!r}: {message}": "打不开文件 {filename!r}：{message}",
    "unknown error": "原因不明",
    "env var: {var}": "环境变量：{var}",
    "default: {default}": "默认：{default}",
    "required": "必填",
    "(dynamic)": "（随情形）",
    "deprecated": "已弃用",
    "DeprecationWarning: The command {name!r} is deprecated.{extra_message}":
        "命令 {name!r} 已弃用。{extra_message}",
    "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}":
        "{name!r} 已弃用。{extra_message}",
    "Do you want to continue?": "继续吗？",
    "Confirm the action without prompting.": "不再询问",
    "Repeat for confirmation": "请再输一次",
    "Error: The two entered values do not match.": "有误：两次输入不同。",
    "Error: invalid input": "有误：看不懂",
    "Press any key to continue...": "按任意键继续……",
}  # fmt: skip
# how a help shows the kind of a value
KINDS = {
    click.types.StringParamType: "文字",
    click.types.IntParamType: "整数",
    click.types.IntRange: "整数",
    click.types.FloatParamType: "数",
    click.types.FloatRange: "数",
    click.types.BoolParamType: "是否",
    click.DateTime: "时间",
}
_USAGE = {
    "[OPTIONS]": "[选项]",
    "COMMAND [ARGS]...": "命令 [参数]...",
    "[COMMAND] [ARGS]...": "[命令] [参数]...",
}


def in_chinese() -> bool:
    """Whether click speaks Chinese here: unless FENGSUI_LANG asks for English, or for both, where one set
    of its words is enough."""
    try:
        return language() == "zh"
    except Usage:
        return True


def of_click(words: str) -> str:
    """Ours for click's own."""
    return ZH.get(words) or gettext.gettext(words)


def of_many(one: str, many: str, count: int) -> str:
    """The same, of words that have a plural: ours have one form for both, but where fields differ."""
    known = ZH.get(one if count == 1 else many) or ZH.get(one)
    return known or gettext.ngettext(one, many, count)


def usage(words: str) -> str:
    """How a command is called, as a help shows it."""
    return _USAGE.get(words, words) if in_chinese() else words


def speak() -> None:
    """From now on. Before any command is made, for an option keeps the words it was made with."""
    if not in_chinese():
        return
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "click":
            for asks, answers in (("_", of_click), ("ngettext", of_many)):
                if hasattr(module, asks):
                    setattr(module, asks, answers)
    for kind, words in KINDS.items():
        kind.name = words
