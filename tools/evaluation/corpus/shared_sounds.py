#!/usr/bin/env python3
"""Which recordings have ten seconds in common, by their waveforms: no fingerprints.

    tools/evaluation/corpus/shared_sounds.py FOLDER

Takes ten seconds from six places of each piece's first minute, looks where in the first minute of
every other piece they fit best, and prints the pairs whose waveforms correlate by more than four
fifths there. Pairs are sifted by their lowest tones first. Pieces are taken in the order in which the
evaluation takes them, each compared with all before it; how far it has got is said on stderr.
Needs ffmpeg and numpy.
"""
import hashlib
import pathlib
import subprocess
import sys

import numpy as np

SECONDS, EXCERPT = 60, 10
SIFTING, JUDGING = 500, 2_000  # samples a second
LEAST_SIFTED, LEAST = 0.6, 0.8
MOST_SHIFTED = 0.8  # what fits itself this well within the next second is a tone, and fits any other
ENDINGS = {".ogg", ".mp3", ".flac", ".wav", ".opus"}
MIN_FILE_BYTES = 200_000


def heard(path):
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-t", str(SECONDS), "-ac", "1"]
    command += ["-ar", str(JUDGING), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True).stdout, np.float32)


class Piece:
    """A piece at one rate: its spectrum, that of its excerpts, and how loud it is where."""

    def __init__(self, wave, rate):
        window = rate * EXCERPT
        self.size = 1 << (rate * (SECONDS + EXCERPT)).bit_length()  # behind the end it is silent
        wave = wave[: rate * SECONDS]
        self.spectrum = np.fft.rfft(wave, self.size).astype(np.complex64)
        sums = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
        energy = np.sqrt(sums[window:] - sums[:-window])
        loud = 0.05 * energy.max() + 1e-9  # what is next to silent fits anything
        self.energy = np.where(energy > loud, energy, np.inf).astype(np.float32)
        starts = range(0, len(wave) - window + 1, window)
        excerpts = np.array([wave[start : start + window] for start in starts])
        excerpts = excerpts[np.sqrt((excerpts**2).sum(1)) > 1e-3]
        excerpts /= np.sqrt((excerpts**2).sum(1, keepdims=True))
        spectra = np.fft.rfft(excerpts, self.size)
        shifted = np.abs(np.fft.irfft(np.abs(spectra) ** 2, self.size)[:, rate // 20 : rate])
        is_tone = shifted.max(1, initial=0.0) > MOST_SHIFTED
        self.excerpts = np.conj(spectra[~is_tone]).astype(np.complex64)

    def fit_in(self, other):
        """The best fit of any excerpt at any place of the other piece."""
        fit = np.fft.irfft(self.excerpts * other.spectrum, self.size)[:, : len(other.energy)]
        return float(np.abs(fit / other.energy).max(initial=0.0))


def main(folder):
    paths = (path for path in folder.rglob("*") if path.suffix in ENDINGS)
    paths = [p for p in paths if not p.is_symlink() and p.stat().st_size > MIN_FILE_BYTES]
    paths.sort(key=lambda path: hashlib.sha256(bytes(path.relative_to(folder))).digest())
    each = JUDGING // SIFTING
    known = []
    for files, path in enumerate(paths, 1):
        wave = heard(path)
        if len(wave) < 0.95 * JUDGING * SECONDS:
            continue
        low = Piece(wave[: len(wave) // each * each].reshape(-1, each).mean(1), SIFTING)
        for other, other_wave, other_low in known:
            if low.fit_in(other_low) < LEAST_SIFTED:
                continue
            fit = Piece(wave, JUDGING).fit_in(Piece(other_wave, JUDGING))
            if fit > LEAST:
                names = [str(p.relative_to(folder)) for p in (path, other)]
                print(f"{round(100 * fit)}\t{names[0]}\t{names[1]}", flush=True)
        known.append((path, wave, low))
        print(f"{files} files, {len(known)} pieces", file=sys.stderr)


main(pathlib.Path(sys.argv[1]) / "music")
