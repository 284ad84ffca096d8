#!/usr/bin/env python3
"""Unpacks the files of a Qt resource (.rcc) into a folder.

    tools/evaluation/corpus/unpack_resources.py RESOURCE FOLDER
"""
import pathlib
import struct
import sys
import zlib

IS_ZLIB, IS_FOLDER, IS_ZSTD = 1, 2, 4


def unpack(resource, folder):
    data = resource.read_bytes()
    magic, version, tree, contents, names = struct.unpack_from(">4sIIII", data)
    if magic != b"qres":
        raise SystemExit(f"{resource}: no Qt resource")
    node_size = 14 if version < 2 else 22

    def name_of(offset):
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6  # behind the length is a hash
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(node, path):
        at = tree + node * node_size
        name, flags = struct.unpack_from(">IH", data, at)
        if node:
            path = path / name_of(name).replace("/", "_")
        if flags & IS_FOLDER:
            count, first = struct.unpack_from(">II", data, at + 6)
            for child in range(first, first + count):
                walk(child, path)
            return
        (offset,) = struct.unpack_from(">I", data, at + 10)
        (length,) = struct.unpack_from(">I", data, contents + offset)
        start = contents + offset + 4
        content = data[start : start + length]
        if flags & IS_ZLIB:
            content = zlib.decompress(content[4:])
        elif flags & IS_ZSTD:
            return  # pictures are not compressed once more
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    walk(0, folder)


unpack(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
