"""Servers whose certificate no authority has signed."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gateway_double import GatewayDouble
from test_payer import open_payer
from world import World

from motif_sdk import GatewayClient, MotifTransport
from motif_sdk.errors import Unreachable


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Returns the URL of a server with a certificate of its own making, and the paths that were asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    no_password = serialization.NoEncryption()
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    (tmp_path / "server.pem").write_bytes(pem)
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://localhost:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_gateway_of_unknown_authority_is_refused(impostor: tuple[str, list[str]]) -> None:
    url, asked = impostor
    with GatewayClient(url, patience=0) as client, pytest.raises(Unreachable):
        client.operator()
    assert asked == []


def test_seller_of_unknown_authority_is_refused(
    gateway: GatewayDouble, world: World, impostor: tuple[str, list[str]]
) -> None:
    url, asked = impostor
    with open_payer(gateway, world) as payer:
        transport = MotifTransport(payer, max_price=100)
        with httpx.Client(transport=transport) as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            client.get(url)
    assert asked == []
