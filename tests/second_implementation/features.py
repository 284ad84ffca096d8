"""Local features of a grey picture, written a second time from docs/formats.md, for the golden vector
`tests/golden/features.json`.

    features.py

Prints the vector: the picture of `levels`, its file of features in hexadecimal and the file's SHA-256.
Standard library only; slow.
"""
import hashlib
import json
import math
import struct

WIDTH, HEIGHT = 150, 110
SIDE, MOST, LEVELS, TURN, RADIUS, MARGIN = 512, 400, 8, 64, 15, 17


def levels(x, y):
    """Returns the grey level of the picture of the vector: overlapping steps of integers."""
    return (x // 11 * 37 + y // 9 * 53 + (x + y) // 17 * 29 + (x * y) // 700 * 41) % 200 + 20


def windows(before, after):
    support = 2 * max(before, after)
    for place in range(after):
        center = (2 * place + 1) * before - after
        # Division truncates toward zero.
        first = min(max(int((center - support) / (2 * after)), 0), before - 1)
        last = min(max(int((center + support) / (2 * after)), first), before - 1)
        heights = [max(support - abs(x * 2 * after - center), 0) for x in range(first, last + 1)]
        weights = [height * 2**14 // max(sum(heights), 1) for height in heights]
        weights[len(weights) // 2] += 2**14 - sum(weights)
        yield first, weights


def resized(rows, width, height):
    if (len(rows[0]), len(rows)) == (width, height):
        return rows

    def scaled(row, across):
        return [
            min((sum(row[first + i] * w for i, w in enumerate(weights)) + 2**13) >> 14, 255)
            for first, weights in across
        ]

    across, down = list(windows(len(rows[0]), width)), list(windows(len(rows), height))
    narrow = [scaled(row, across) for row in rows]
    columns = [scaled(column, down) for column in zip(*narrow)]
    return [list(row) for row in zip(*columns)]


def boxed(rows):
    height, width = len(rows), len(rows[0])
    at = lambda x, limit: min(max(x, 0), limit - 1)
    across = [[sum(row[at(x + d, width)] for d in range(-2, 3)) for x in range(width)] for row in rows]
    return [
        [sum(across[at(y + d, height)][x] for d in range(-2, 3)) for x in range(width)]
        for y in range(height)
    ]


CIRCLE = [
    (0, -3), (1, -3), (2, -2), (3, -1), (3, 0), (3, 1), (2, 2), (1, 3),
    (0, 3), (-1, 3), (-2, 2), (-3, 1), (-3, 0), (-3, -1), (-2, -2), (-1, -3),
]


def is_corner(rows, x, y):
    center = rows[y][x]
    circle = [rows[y + dy][x + dx] for dx, dy in CIRCLE] * 2
    for differs in (
        [level < max(center - 10, 0) for level in circle],
        [level > min(center + 10, 255) for level in circle],
    ):
        if any(all(differs[i : i + 9]) for i in range(16)):
            return True
    return False


def harris(rows, x, y):
    xx = yy = xy = 0
    for v in range(y - 3, y + 4):
        for u in range(x - 3, x + 4):
            across, down = rows[v][u + 1] - rows[v][u - 1], rows[v + 1][u] - rows[v - 1][u]
            xx, yy, xy = xx + across * across, yy + down * down, xy + across * down
    return 25 * (xx * yy - xy * xy) - (xx + yy) ** 2


def corners(rows, wanted):
    height, width = len(rows), len(rows[0])
    if width <= 2 * MARGIN or height <= 2 * MARGIN or wanted == 0:
        return []
    response = {}
    for y in range(MARGIN, height - MARGIN):
        for x in range(MARGIN, width - MARGIN):
            if is_corner(rows, x, y):
                value = harris(rows, x, y)
                if value > 0:
                    response[x, y] = value
    strongest = []
    for (x, y), value in response.items():
        near = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dx, dy) != (0, 0)]
        before = [response.get((x + dx, y + dy), 0) for dx, dy in near[:4]]
        after = [response.get((x + dx, y + dy), 0) for dx, dy in near[4:]]
        if all(other < value for other in before) and all(other <= value for other in after):
            strongest.append((x, y, value))
    side = max(math.isqrt(width * height // max(wanted // 3, 1)), 1)
    cells = {}
    for x, y, value in strongest:
        cells.setdefault((y // side, x // side), []).append((-value, y, x))
    ranked = [(rank, *key) for cell in cells.values() for rank, key in enumerate(sorted(cell))]
    return [(x, y) for _, _, y, x in sorted(ranked)[:wanted]]


# Rounded to integers; no sine is near a half.
COSINE = [round(math.cos(angle * math.tau / TURN) * 2**14) for angle in range(TURN)]
SINE = [round(math.sin(angle * math.tau / TURN) * 2**14) for angle in range(TURN)]


def pairs():
    made, block = [], 0
    while len(made) < 128:
        digest = hashlib.sha256(b"motif-local-1" + struct.pack("<I", block)).digest()
        block += 1
        for half in (digest[:16], digest[16:]):
            # Division truncates toward zero.
            ax, ay, bx, by = (int((sum(half[4 * i : 4 * i + 4]) - 510) / 25) for i in range(4))
            inside = max(ax * ax + ay * ay, bx * bx + by * by) <= (RADIUS - 1) ** 2
            apart = (ax - bx) ** 2 + (ay - by) ** 2 >= 16
            if inside and apart and abs(ay) + abs(by) >= 6 and len(made) < 128:
                made.append(((ax, ay), (bx, by)))
    return made + [((ax, -ay), (bx, -by)) for (ax, ay), (bx, by) in made]


def turned(point, angle):
    # Half away from zero.
    away = lambda value: (abs(value) + 2**13) // 2**14 * (1 if value > 0 else -1)
    x, y = point
    cosine, sine = COSINE[angle], SINE[angle]
    return away(x * cosine - y * sine), away(x * sine + y * cosine)


def direction(rows, x, y):
    across = down = 0
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            if dx * dx + dy * dy <= RADIUS * RADIUS:
                across += dx * rows[y + dy][x + dx]
                down += dy * rows[y + dy][x + dx]
    return max(range(TURN), key=lambda angle: (across * COSINE[angle] + down * SINE[angle], -angle))


def features(rows):
    given_height, given_width = len(rows), len(rows[0])
    longer = max(given_width, given_height)
    side = min(max(longer, min(2 * longer, 512)), SIDE)
    width, height = max(given_width * side // longer, 1), max(given_height * side // longer, 1)
    frame = resized(rows, width, height)
    all_pairs = pairs()
    most = min(MOST, width * height // 400)
    patterns = [[(turned(a, angle), turned(b, angle)) for a, b in all_pairs] for angle in range(TURN)]
    weights = [5**level * 6 ** (LEVELS - 1 - level) for level in range(LEVELS)]
    points = []
    for level in range(LEVELS):
        share = (most - len(points)) * weights[level] // sum(weights[level:])
        shrunk = lambda length: max((length * 5**level + 6**level // 2) // 6**level, 1)
        plane = resized(frame, shrunk(width), shrunk(height))
        blurred = [[value >> 2 for value in row] for row in boxed(boxed(plane))]
        for x, y in corners(plane, share):
            angle = direction(plane, x, y)
            bits = 0
            for place, ((ax, ay), (bx, by)) in enumerate(patterns[angle]):
                bits |= (blurred[y + ay][x + ax] + 156 < blurred[y + by][x + bx]) << place
            words = tuple(bits >> (64 * word) & (2**64 - 1) for word in range(4))
            place = lambda at, length, small: (2 * at + 1) * length * 32 // (2 * small)
            points.append((
                angle, level, place(y, height, len(plane)), place(x, width, len(plane[0])), words,
            ))
    points = sorted(set(points))
    file = b"motif-features\0\0" + struct.pack(
        "<HHIIHH", 1, 1, given_width, given_height, side, len(points)
    )
    for angle, level, y, x, words in points:
        file += struct.pack("<HHBB4Q", x, y, level, angle, *words)
    return file


if __name__ == "__main__":
    file = features([[levels(x, y) for x in range(WIDTH)] for y in range(HEIGHT)])
    print(json.dumps({
        "about": "Local features of a picture, as docs/formats.md describes them. Made by "
        "tests/second_implementation/features.py.",
        "width": WIDTH,
        "height": HEIGHT,
        "sha256": hashlib.sha256(file).hexdigest(),
        "file": file.hex(),
    }, indent=2))
