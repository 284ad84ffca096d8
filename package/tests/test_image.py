"""The OCI image: its configuration, its layer, and its command."""

from __future__ import annotations

import json
import unittest

from support import Folder, check, package, tool


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
