"""Client of Motif: license works, pay for generations, sell them, and prove both.

`Payer` and `AsyncPayer` pay from a channel; `MotifTransport` and `MotifAuth` pay for httpx; `motif_sdk.asgi` sells;
`motif_sdk.chain` registers works and opens channels; `motif_sdk.terms` and `motif_sdk.content` check terms and files.
"""

from . import errors
from ._holds import HeldGeneration
from ._machine import Policy
from .aio import AsyncHold, AsyncPayer
from .auth import MotifAuth
from .content import Content, Fingerprint, examine
from .errors import MotifError
from .gateway import AsyncGatewayClient, GatewayClient
from .payer import Generation, Hold, License, Payer, sha256
from .receipts import KeptReceipt, Receipt, ReceiptKey, verify_proof
from .signer import CallableSigner, Keypair, Signer
from .transport import AsyncMotifTransport, MotifTransport, receipts_of

__version__ = "0.2.0"

__all__ = [
    "AsyncGatewayClient",
    "AsyncHold",
    "AsyncMotifTransport",
    "AsyncPayer",
    "CallableSigner",
    "Content",
    "Fingerprint",
    "GatewayClient",
    "Generation",
    "HeldGeneration",
    "Hold",
    "KeptReceipt",
    "Keypair",
    "License",
    "MotifAuth",
    "MotifError",
    "MotifTransport",
    "Payer",
    "Policy",
    "Receipt",
    "ReceiptKey",
    "Signer",
    "errors",
    "examine",
    "receipts_of",
    "sha256",
    "verify_proof",
]
