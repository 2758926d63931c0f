"""How far what was heard is from what was written: 0 is word for word.

Mandarin is compared by pinyin syllables without tones, since a recogniser picks among
homophones; English by words.
"""

import re
import unicodedata

import cn2an
import pypinyin

SAME = {"i'm": "i am", "i've": "i have", "you're": "you are", "center": "centre", "neighbor": "neighbour"}
"""Spellings a recogniser may choose for the very same words."""
DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split()))


def _syllables(text):
    written = cn2an.transform(re.sub(r"[^\w]", "", text), "an2cn")
    return pypinyin.lazy_pinyin(written)


def _words(text):
    plain = unicodedata.normalize("NFKD", text.lower()).replace("’", "'")
    words = re.findall(r"[a-z']+|\d", plain)
    return " ".join(SAME.get(word, DIGITS.get(word, word)) for word in words).split()


def _edits(a, b):
    """Levenshtein's distance between two lists."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def distance(written, heard, language):
    """Edits for each syllable or word that was written."""
    units = _syllables if language == "zh-CN" else _words
    a, b = units(written), units(heard)
    return _edits(a, b) / max(1, len(a))
