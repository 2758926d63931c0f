"""Renders the prompts: `python render.py [ID ...]`, all of them without an id.

For each prompt and language it writes the sound (`<language>/<id>.ogg`) and what it says
(`<language>/<id>.txt`). Files of prompts that are no longer in the catalogue are removed.
"""

import sys

import catalogue
import fetch
import phonemes
import sound
import voice

VOICES = {"zh-CN": "voice-zh.bin", "en": "voice-en.bin"}
SPEED = 0.9
"""Pace the model is asked for, 1.0 is its own. From 0.8 down it voices the silence before the first
word, so the rest of the slowness is made afterwards, see `sound.slow`."""


def main(only):
    cache = fetch.fetch()
    wanted = catalogue.prompts(only)
    speakers = {tag: voice.Voice(cache, cache / name) for tag, name in VOICES.items()}
    size = 0
    for prompt in wanted:
        spoken = phonemes.phonemes(prompt.say, prompt.language)
        wave = sound.master(sound.slow(speakers[prompt.language].say(spoken, SPEED)))
        sound.encode(wave, prompt.ogg)
        prompt.transcript.write_text(prompt.text + "\n", "utf-8")
        size += prompt.ogg.stat().st_size
        print(f"{prompt.language:5} {prompt.id:20} {len(wave) / voice.RATE:5.1f} s  {prompt.ogg.stat().st_size:6}", flush=True)
    if not only:
        kept = {path for prompt in wanted for path in (prompt.ogg, prompt.transcript)}
        for tag in catalogue.LANGUAGES:
            for path in (catalogue.PROMPTS / tag).iterdir():
                if path not in kept:
                    print(f"removing {path}")
                    path.unlink()
    print(f"{len(wanted)} files, {size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
