"""Prints the path of the bytecode that `cargo rustc --message-format json` just built.

usage: find_artifact.py MANIFEST
A program's dependencies may be programs too: only the artifact of MANIFEST's package counts.
"""
import json
import sys

found = None
for line in sys.stdin:
    message = json.loads(line)
    if (
        message["reason"] == "compiler-artifact"
        and message["manifest_path"] == sys.argv[1]
        and "cdylib" in message["target"]["crate_types"]
        and message["target"]["kind"] != ["custom-build"]
    ):
        found = message["filenames"][0]
if found is None:
    sys.exit("the build left no bytecode; see the compiler's messages above")
print(found)
