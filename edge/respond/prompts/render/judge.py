"""Listens to the shipped sound files: `python judge.py [ID ...]`, all of them without an id.

A recogniser that is told nothing but the language writes down what it hears. Exit status 1 when
a sentence is further from its text than the threshold, or its transcript is not what the
catalogue says, so that it was never rendered.
"""

import sys

from faster_whisper import WhisperModel

import catalogue
import distance
import fetch

THRESHOLD = 0.12
"""Most syllables or words that may be heard wrongly: about one in eight. A room is one or two
words, so one that is heard wrongly is always over it."""


def main(only):
    folder = fetch.fetch() / "whisper-base"
    recogniser = WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
    failed, total = 0, {tag: [] for tag in catalogue.LANGUAGES}
    for prompt in catalogue.prompts(only):
        stale = not prompt.transcript.exists() or prompt.transcript.read_text("utf-8").strip() != prompt.text
        segments, _ = recogniser.transcribe(
            str(prompt.ogg),
            language=prompt.language[:2],
            beam_size=5,
            condition_on_previous_text=False,
        )
        heard = "".join(segment.text for segment in segments).strip()
        far = distance.distance(prompt.text, heard, prompt.language)
        total[prompt.language].append(far)
        bad = stale or far > THRESHOLD
        failed += bad
        verdict = "STALE" if stale else "BAD" if bad else "ok"
        print(f"{verdict:5} {far:4.2f} {prompt.language:5} {prompt.id:20} {heard}", flush=True)
    for tag, far in total.items():
        if far:
            exact = sum(value == 0 for value in far)
            print(f"{tag}: {exact} of {len(far)} word for word, mean {sum(far) / len(far):.3f}")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
