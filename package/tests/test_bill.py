"""The bill of materials, checksums, licenses, and the metadata of cargo binstall."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tomllib
import unittest
import zipfile
from pathlib import Path

from support import DIST, REPOSITORY, Folder, check, package, skip_if_quick

MANIFEST = REPOSITORY / "app" / "cli" / "Cargo.toml"


class Bill(unittest.TestCase):
    """The bill of materials."""

    def setUp(self) -> None:
        self.text = package("*.cdx.json").read_text()
        self.bill = json.loads(self.text)

    def test_bill_is_valid_cyclonedx(self) -> None:
        try:
            from cyclonedx.schema import SchemaVersion
            from cyclonedx.validation.json import JsonStrictValidator
        except ImportError as error:
            raise unittest.SkipTest(f"package/requirements.txt is not installed: {error}") from error
        self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_6).validate_str(self.text))

    def test_bill_names_locked_crates(self) -> None:
        lock = tomllib.loads((REPOSITORY / "Cargo.lock").read_text())
        digests = {f"{one['name']}@{one['version']}": one["checksum"] for one in lock["package"] if "checksum" in one}
        crates = [one for one in self.bill["components"] if one.get("purl", "").startswith("pkg:cargo/")]
        self.assertGreater(len(crates), 300)
        for one in crates:
            self.assertEqual(one["hashes"][0]["content"], digests[f"{one['name']}@{one['version']}"])
        names = {one["name"] for one in self.bill["components"]}
        # Of the gateway, the pages, the modules in the pages; and not of tests or build scripts.
        self.assertLessEqual({"axum", "preact", "symphonia", "token_metadata.so"}, names)
        self.assertEqual({"proptest", "vitest", "cc", "syn"} & names, set())

    def test_bill_names_packaged_binary(self) -> None:
        [digest] = self.bill["metadata"]["component"]["hashes"]
        with zipfile.ZipFile(package("*.whl")) as wheel:
            [name] = [name for name in wheel.namelist() if name.endswith("/scripts/motif")]
            self.assertEqual(hashlib.sha256(wheel.read(name)).hexdigest(), digest["content"])


class Contents(unittest.TestCase):
    """What all packages have."""

    def binaries(self) -> dict[str, bytes]:
        """Returns the digest of the binary in each package, and of its licenses."""
        folder = Folder(self).path
        with zipfile.ZipFile(package("*.whl")) as wheel:
            wheel.extractall(folder / "wheel")
        for name, archive in {"npm": package("*.tgz")}.items():
            with tarfile.open(archive) as tar:
                tar.extractall(folder / name, filter="data")
        check(["dpkg-deb", "--extract", package("*.deb"), folder / "deb"])
        check(["gunzip", *(folder / "deb").rglob("third-party-licenses.txt.gz")])
        return {
            name: b"".join(
                hashlib.sha256(found.read_bytes()).digest()
                for part in ("bin/motif", "scripts/motif", "third-party-licenses.txt")
                for found in sorted((folder / name).rglob(part))
                if found.is_file()
            )
            for name in ("wheel", "npm", "deb")
        }

    def test_packages_have_same_binary_and_licenses(self) -> None:
        binaries = self.binaries()
        self.assertEqual(len(set(binaries.values())), 1, binaries.keys())
        self.assertEqual({len(digests) for digests in binaries.values()}, {64})

    def test_licenses_cover_the_bill(self) -> None:
        with zipfile.ZipFile(package("*.whl")) as wheel:
            [name] = [name for name in wheel.namelist() if name.endswith("/third-party-licenses.txt")]
            text = wheel.read(name).decode()
        listed = set(re.findall(r"^(\S+ \S+) \(", text.split("=====", 1)[0], re.M))
        bill = json.loads(package("*.cdx.json").read_text())
        shipped = {f"{one['name']} {one['version']}" for one in bill["components"] if "purl" in one}
        self.assertEqual(shipped - listed, set())
        # Each has a text, of its own or of its identifier.
        texts = text.split("=====", 1)[1]
        self.assertEqual({one for one in shipped if one not in texts}, set())

    def test_checksums_match(self) -> None:
        package("*.whl")
        check(["sha256sum", "--check", "--strict", "SHA256SUMS"], folder=DIST)
        listed = {line.split("  ")[1] for line in (DIST / "SHA256SUMS").read_text().splitlines()}
        self.assertEqual(listed, {path.name for path in DIST.iterdir()} - {"SHA256SUMS"})

    def test_binstall_finds_binary_in_npm_package(self) -> None:
        manifest = tomllib.loads(MANIFEST.read_text())["package"]["metadata"]["binstall"]
        [settings] = manifest["overrides"].values()
        tarball = package("*.tgz")
        version = re.search(r"-([\d.]+)\.tgz$", tarball.name)[1]
        self.assertEqual(settings["pkg-url"].replace("{ version }", version).rsplit("/", 1)[1], tarball.name)
        with tarfile.open(tarball) as tar:
            member = tar.getmember(settings["bin-dir"].replace("{ bin }", "motif"))
        self.assertTrue(member.isreg() and member.mode & 0o111)


class Reproducibility(unittest.TestCase):
    """Packages that are built again."""

    def test_second_build_has_the_same_bytes(self) -> None:
        skip_if_quick()
        binary = os.environ.get("MOTIF_BINARY")
        if not binary:
            raise unittest.SkipTest("expected the packaged binary in MOTIF_BINARY")
        # The time of the first build: that of the first member in the Debian package, which is an ar archive.
        time = int(package("*.deb").read_bytes()[24:36])
        patterns = {"sbom": "*.cdx.json", "deb": "*.deb", "wheel": "*.whl", "npm": "*.tgz", "image": "*.oci.tar"}
        kinds = [kind for kind, pattern in patterns.items() if list(DIST.glob(pattern))]
        again = Folder(self).path
        environment = {**os.environ, "MOTIF_BINARY": str(Path(binary).resolve()), "SOURCE_DATE_EPOCH": str(time)}
        check([REPOSITORY / "package/build.sh", "--output", again, *kinds], environment, seconds=600)
        self.assertEqual(digests(again), digests(DIST))


def digests(folder: Path) -> dict[str, str]:
    """Returns the digests of a folder's files."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
