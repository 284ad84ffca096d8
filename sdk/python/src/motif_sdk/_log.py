"""Logger `motif_sdk`. Its messages have no keys, proofs, vouchers, queries of URLs, headers or bodies."""

from __future__ import annotations

import logging

log = logging.getLogger("motif_sdk")
log.addHandler(logging.NullHandler())
