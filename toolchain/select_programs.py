"""Which packages does `cargo build-sbf` build? Reads `cargo metadata` from standard input.

usage: select_programs.py MANIFEST [PACKAGE...]
Prints the workspace's root, its target directory, and per package "name library manifest".
"""
import json
import sys

manifest, wanted = sys.argv[1], set(sys.argv[2:])
metadata = json.load(sys.stdin)
print(metadata["workspace_root"])
print(metadata["target_directory"])

packages = metadata["packages"]
if wanted:
    unknown = wanted - {package["name"] for package in packages}
    if unknown:
        sys.exit(f"no package named {', '.join(sorted(unknown))} in this workspace")
    packages = [package for package in packages if package["name"] in wanted]
elif any(package["manifest_path"] == manifest for package in packages):
    packages = [package for package in packages if package["manifest_path"] == manifest]

for package in packages:
    for target in package["targets"]:
        if "cdylib" in target["crate_types"]:
            print(package["name"], target["name"].replace("-", "_"), package["manifest_path"])
