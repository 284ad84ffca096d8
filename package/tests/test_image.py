"""The OCI image: its configuration, and its command in the image's own files."""

from __future__ import annotations

import json
import os
import tarfile
import unittest
from typing import Any

from support import Folder, Process, check, package, tool

PORTS = ["--rpc-port", "0", "--api-port", "0", "--paywall-port", "0", "--model-port", "0"]


class Image(unittest.TestCase):
    """The image."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.archive = package("*.oci.tar")

    def test_skopeo_reads_the_configuration(self) -> None:
        config = json.loads(check([tool("skopeo"), "inspect", "--config", f"oci-archive:{self.archive}"]))["config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["motif"])
        self.assertEqual(config["Cmd"], ["gateway", "serve", "--listen", "0.0.0.0:8787"])
        self.assertEqual(config["StopSignal"], "SIGTERM")

    def test_command_runs_in_files_of_image(self) -> None:
        if os.geteuid() != 0:
            raise unittest.SkipTest("chroot needs root")
        folder = Folder(self).path
        root = folder / "root"
        with tarfile.open(self.archive) as archive:
            for layer in layers(archive):
                with tarfile.open(fileobj=layer) as content:
                    content.extractall(root, filter="fully_trusted")
        self.assertFalse((root / "bin/sh").exists())
        chroot = [tool("chroot"), "--userspec=65532:65532", root, "/usr/bin/motif"]
        environment = {"PATH": "/usr/bin", "HOME": "/var/lib/motif"}
        # What a container's runtime mounts.
        (root / "dev").mkdir(exist_ok=True)
        for device in ("null", "urandom"):
            check(["cp", "--archive", f"/dev/{device}", root / "dev" / device])
        certificates = root / "etc/ssl/certs/ca-certificates.crt"
        self.assertGreater(certificates.read_text().count("BEGIN CERTIFICATE"), 100)
        up = Process([*chroot, "up", "--no-open", "--json", *PORTS], environment, folder)
        self.addCleanup(up.stop)
        self.assertEqual(len(up.ready["works"]), 4)
        self.assertEqual(up.stop(), 0)

    def test_podman_runs_the_image(self) -> None:
        podman, runc, folder = tool("podman"), tool("runc"), Folder(self).path
        storage = ["--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs"]
        command: list[Any] = [podman, "--runtime", runc, *storage]
        check([*command, "load", "--quiet", "--input", self.archive], seconds=300)
        [image] = check([*command, "images", "--format", "{{.Repository}}:{{.Tag}}"]).split()
        self.assertRegex(image, r"^localhost/motif:\d+\.\d+\.\d+$")
        # The test's own network, and limits below those of the test.
        run = [*command, "run", "--rm", "--network", "host", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", image]
        up = Process([*run, "up", "--no-open", "--json", *PORTS], os.environ, folder)
        self.addCleanup(up.stop)
        self.assertEqual(len(up.ready["works"]), 4)
        self.assertEqual(up.stop(), 0)


def layers(archive: tarfile.TarFile) -> list[Any]:
    """Returns the layers of an image, from the lowest."""

    def blob(descriptor: Any) -> Any:
        algorithm, digest = descriptor["digest"].split(":")
        return archive.extractfile(f"./blobs/{algorithm}/{digest}")

    index = archive.extractfile("./index.json")
    assert index is not None
    [manifest] = json.load(index)["manifests"]
    return [blob(layer) for layer in json.load(blob(manifest))["layers"]]
