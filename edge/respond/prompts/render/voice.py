"""Kokoro: phonemes in, a float waveform of 24 kHz out."""

import json
import sys

import numpy as np
import onnxruntime

RATE = 24_000
"""Samples a second that the model makes."""


class Voice:
    """One speaker. The model runs on one thread, so that a sentence always sounds the same."""

    def __init__(self, cache, style):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(cache / "kokoro-int8.onnx"), options)
        self.vocabulary = json.loads((cache / "kokoro-config.json").read_text("utf-8"))["vocab"]
        self.styles = np.fromfile(style, np.float32).reshape(-1, 1, 256)

    def say(self, phonemes, speed):
        """The waveform of one sentence, full scale 1.0; speed 1.0 is the voice's own pace."""
        unknown = {sound for sound in phonemes if sound not in self.vocabulary}
        if unknown:
            sys.exit(f"the model has no sound for {unknown} in {phonemes!r}; reword it, or use a -say key")
        tokens = [self.vocabulary[sound] for sound in phonemes]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            # The style depends on the length of the sentence.
            "style": self.styles[min(len(tokens), len(self.styles) - 1)],
            "speed": np.array([speed], np.float32),
        }
        return self.session.run(None, feed)[0].squeeze()
