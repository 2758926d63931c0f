"""From the raw waveform to the shipped file: slow down, trim, equal loudness, limit, Ogg Vorbis."""

import subprocess
import sys

import numpy as np

from voice import RATE

FRAME = RATE // 100
"""10 ms."""
LOUDNESS = 10 ** (-17 / 20)
"""RMS of the spoken parts of every file, full scale 1.0: -17 dBFS."""
CEILING = 10 ** (-1 / 20)
"""Highest sample that a file may have as it is heard: -1 dBFS."""
LIMIT = 10 ** (-2.5 / 20)
"""Highest sample before encoding, since what is decoded can have higher peaks."""
QUALITY = "0"
"""oggenc's -q: about 35 kbit/s at this rate."""
TEMPO = "0.9"
"""How much slower the finished speech is made, for someone old and frightened."""


def slow(wave):
    """The same speech at the same pitch, slower."""
    form = ["-t", "raw", "-e", "floating-point", "-b", "32", "-c", "1", "-r", str(RATE), "-"]
    command = ["sox", *form, *form, "tempo", "-s", TEMPO]
    sent = wave.astype("<f4").tobytes()
    slowed = subprocess.run(command, input=sent, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(slowed, "<f4")


def _frame_rms(wave):
    frames = wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME)
    return np.sqrt((frames**2).mean(axis=1) + 1e-12)


def trim(wave):
    """Cuts silence at both ends and leaves 60 ms before and 120 ms after the speech."""
    level = _frame_rms(wave)
    loud = np.flatnonzero(level > level.max() * 10 ** (-38 / 20))
    start = max(0, (loud[0] - 2) * FRAME)
    end = min(len(wave), (loud[-1] + 4) * FRAME)
    speech = wave[start:end].copy()
    fade_in, fade_out = RATE // 200, RATE // 50
    speech[:fade_in] *= np.linspace(0, 1, fade_in)
    speech[-fade_out:] *= np.linspace(1, 0, fade_out)
    return np.concatenate([np.zeros(4 * FRAME), speech, np.zeros(8 * FRAME)])


def spoken_rms(wave):
    """RMS of the frames in which somebody speaks: those within 25 dB of the loudest."""
    level = _frame_rms(wave)
    return float(np.sqrt((level[level > level.max() * 10 ** (-25 / 20)] ** 2).mean()))


def limit(wave):
    """Holds every peak under the limit, with a gain that changes within 5 ms."""
    reach = RATE // 200
    need = np.minimum(1.0, LIMIT / np.maximum(np.abs(wave), 1e-9))
    # The smallest gain within reach, then its average over the same reach: at a peak every
    # averaged value already has that peak's gain, so the limit holds.
    window = np.lib.stride_tricks.sliding_window_view
    least = window(np.pad(need, reach, constant_values=1.0), 2 * reach + 1).min(axis=1)
    gain = window(np.pad(least, reach, mode="edge"), 2 * reach + 1).mean(axis=1)
    return wave * gain


def master(wave):
    """Trimmed, equally loud, no peak over the limit."""
    wave = trim(wave.astype(np.float64))
    # Limiting takes some loudness away; a few rounds give it back.
    for _ in range(8):
        wave = limit(wave * (LOUDNESS / spoken_rms(wave)))
    return wave


def _peak(path):
    """Highest sample of a file as it is decoded, full scale 1.0."""
    command = ["oggdec", "--quiet", "--raw", "-o", "-", str(path)]
    decoded = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.abs(np.frombuffer(decoded, "<i2").astype(np.float64)).max() / 32768


def encode(wave, path):
    """Writes one Ogg Vorbis file. The serial is fixed, so equal sound is equal bytes.

    Should the headroom not have been enough, the sound is turned down until it is under the
    ceiling as it is heard.
    """
    path.parent.mkdir(exist_ok=True)
    command = ["oggenc", "--quiet", "--raw", "--raw-chan", "1", "--raw-rate", str(RATE)]
    command += ["--raw-bits", "16", "--serial", "1", "-q", QUALITY, "-o", str(path), "-"]
    for _ in range(8):
        samples = (wave * 32767).round().astype("<i2").tobytes()
        subprocess.run(command, input=samples, check=True)
        peak = _peak(path)
        if peak <= CEILING:
            return
        wave = wave * (CEILING / peak * 0.99)
    sys.exit(f"{path}: still peaks at {peak:.2f} of full scale; lower LOUDNESS")
