"""What a password may not be. Pure.

Length counts, not a mixture of signs (NIST SP 800-63B-4, 3.1.1.2); what everybody tries first does not:
common passwords, a few signs over and over, the keyboard's rows, one's own name.
"""

from config.language import Said, Text

SHORTEST = 10  # characters
LONGEST = 200
_KINDS = 5  # different characters at least
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()_+",
)
# words around which most guessed passwords of this country and trade are built
_WORDS = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "admin", "administrator", "root", "welcome",
    "letmein", "iloveyou", "qwerty", "fengsui", "fenghuo", "yanqing", "beijing", "fangxun", "shanhong",
    "duty", "approver", "woaini", "zhongguo", "china", "test", "default", "changeme", "monkey", "dragon",
    "烽燧", "延庆", "北京", "防汛", "山洪", "值班", "密码", "口令", "我爱你",
)  # fmt: skip
_LEET = str.maketrans("@$013457!", "asoieastl")


def wrong(password: str, name: str) -> Said:
    """Words for the person; "" where nothing is wrong."""
    if len(password) < SHORTEST:
        return Text(f"口令至少 {SHORTEST} 个字符", f"a password has {SHORTEST} characters or more")
    if len(password) > LONGEST:
        return Text(f"口令最多 {LONGEST} 个字符", f"a password has {LONGEST} characters at most")
    plain = password.casefold()
    if len(set(plain)) < _KINDS:
        return Text(
            f"口令至少要有 {_KINDS} 种不同的字符", f"use {_KINDS} different characters or more"
        )
    own = name.casefold()
    if len(own) >= 3 and (own in plain or own[::-1] in plain):
        return Text("口令里不能有用户名", "your name must not stand in it")
    left = plain
    for word in sorted(_WORDS, key=len, reverse=True):
        left = left.replace(word, "")
        if word in plain.translate(_LEET) and len(plain) - len(word) < SHORTEST // 2:
            left = ""
    for run in _RUNS:
        left = _without(left, run)
        left = _without(left, run[::-1])
    left = "".join(c for n, c in enumerate(left) if n == 0 or c != left[n - 1])
    if len(set(left)) < _KINDS:
        return Text(
            "太容易猜：常见词、连续或重复的字符不算",
            "too easy to guess: common words, rows of keys and repetitions do not count",
        )
    return ""


def _without(text: str, run: str) -> str:
    """Without pieces of the run of four characters and more."""
    found, n = [], 0
    while n < len(text):
        size = 0
        while n + size < len(text) and text[n : n + size + 1] in run:
            size += 1
        if size >= 4:
            n += size
        else:
            found.append(text[n])
            n += 1
    return "".join(found)
