"""Reads `prompts.toml`, the one source of the wording, and names the files made from it."""

import dataclasses
import pathlib
import re
import sys
import tomllib

PROMPTS = pathlib.Path(__file__).resolve().parent.parent
LANGUAGES = {"zh-CN": "zh", "en": "en"}
CLASSES = ("critical", "action", "low")
KEYS = {"id", "class", "zh", "en", "zh-say", "en-say"}


@dataclasses.dataclass(frozen=True)
class Prompt:
    """One sentence in one language."""

    id: str
    language: str
    text: str
    """What is written."""
    say: str
    """What the voice is given: the text, or a respelling where the voice reads the text badly."""

    @property
    def ogg(self):
        """Where its sound is."""
        return PROMPTS / self.language / f"{self.id}.ogg"

    @property
    def transcript(self):
        """Where the text that was spoken is."""
        return PROMPTS / self.language / f"{self.id}.txt"


def prompts(only=()):
    """All prompts in both languages, or those whose id is in `only`."""
    rows = tomllib.loads((PROMPTS / "prompts.toml").read_text("utf-8"))["prompt"]
    found, seen = [], set()
    for row in rows:
        name = row.get("id", "")
        if not re.fullmatch(r"[a-z0-9-]+", name) or name in seen:
            sys.exit(f"prompts.toml: id {name!r} is empty, misspelt or there twice")
        if row.get("class") not in CLASSES or set(row) - KEYS or not row.get("zh") or not row.get("en"):
            sys.exit(f"prompts.toml: {name}: needs class (one of {CLASSES}), zh, en, and nothing else than {KEYS}")
        seen.add(name)
        for tag, key in LANGUAGES.items():
            if not only or name in only:
                found.append(Prompt(name, tag, row[key], row.get(f"{key}-say", row[key])))
    if set(only) - seen:
        sys.exit(f"prompts.toml: no such id: {', '.join(sorted(set(only) - seen))}")
    return found
