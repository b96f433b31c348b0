"""Characters that espeak-ng 1.51 reads in another way than people do, by others, or pinyin, that sound
right. Pure.

What is shown, signed and recorded stays as it was written; only what goes to the voice is spelled so.
tests/loudspeaker/test_node_voice.py holds every warning and every place name of the config against pypinyin.
"""

import re

# 地 is said de by it unless a word of its list says otherwise: 营地 came out as yíng de, 地下 as de xià.
# A noun's 地 is dì; after these it stays the particle
_ADVERBS = "迅速|尽快|快速|有序|安全|及时|立即|小心|慢慢|不断|持续|逐步|陆续|大声|轻轻"
_READINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?<!{')(?<!'.join(_ADVERBS.split('|'))})地"), "帝"),
    (re.compile(r"应急"), "硬急"),  # yìng, not yīng
    (re.compile(r"响应"), "响硬"),
    (re.compile(r"凌晨"), "凌臣"),  # its list of words has líng chén chen
    (re.compile(r"堰塞"), "堰色"),  # sè, not sāi
    (re.compile(r"佛"), " fo2 "),  # fó, not fú; no other character has this sound
)


def sounded(text: str) -> str:
    """The text with the characters that the voice reads right."""
    for pattern, characters in _READINGS:
        text = pattern.sub(characters, text)
    return text
