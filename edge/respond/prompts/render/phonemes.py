"""Turns text into the phonemes Kokoro was trained on.

Mandarin: words by jieba, pinyin with the tone changes of connected speech (two third tones, 不,
一) by pypinyin, then misaki's table. English: espeak-ng's American phonemes in misaki's spelling.
"""

import functools
import re
import types

import jieba
import pypinyin
from misaki.espeak import EspeakFallback
from misaki.zh import ZHG2P

HAN = re.compile(r"([\u4e00-\u9fff]+)")


def mandarin(text):
    """Phonemes of a Mandarin sentence."""
    spoken = []
    for piece in HAN.split(ZHG2P.map_punctuation(text)):
        if HAN.fullmatch(piece):
            words = jieba.lcut(piece)
            # The tones of the whole run first, so that they also change across words.
            pinyin = pypinyin.lazy_pinyin(
                words,
                style=pypinyin.Style.TONE3,
                neutral_tone_with_five=True,
                tone_sandhi=True,
            )
            sounds = iter(ZHG2P.py2ipa(syllable) for syllable in pinyin)
            piece = " ".join("".join(next(sounds) for _ in word) for word in words)
        spoken.append(piece)
    return "".join(spoken).replace(chr(815), "")


@functools.cache
def _espeak():
    return EspeakFallback(british=False)


def english(text):
    """Phonemes of an English sentence."""
    phonemes, _ = _espeak()(types.SimpleNamespace(text=text))
    return phonemes


def phonemes(text, language):
    """Phonemes of a text in `zh-CN` or `en`."""
    return mandarin(text) if language == "zh-CN" else english(text)
