"""License terms: documents, linter findings, summaries, digests and prices, by the chain's own rules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from . import _core

JSON = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """Finding of the linter."""

    type: str
    message: str
    line: int | None


@dataclass(frozen=True)
class Terms:
    """Terms document. It can be published if there are no findings."""

    offer: JSON | None
    """Offer as instructions name it; `None` if the document cannot be read."""
    toml: str | None
    """The document in its canonical form."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Price:
    """Price in base units."""

    price: int
    """Paid to the creators."""
    fee: int
    """Paid to the operator."""
    total: int


def parse(text: str, *, format: str = "toml", decimals: int = 6) -> Terms:
    """Reads a terms document in TOML or JSON. Amounts are whole tokens of a currency with these decimals."""
    found = _core.shared().call("terms.parse", text=text, format=format, decimals=decimals, now=int(time.time()))
    findings = (Finding(one["type"], one["message"], one.get("line")) for one in found["findings"])
    return Terms(found["offer"], found["toml"], tuple(findings))


def presets() -> dict[str, str]:
    """Returns the names of the presets with their documents in TOML."""
    return {one["name"]: one["toml"] for one in _core.shared().call("terms.presets")["presets"]}


def summary(offer: JSON, currency: str, *, decimals: int = 6, name: str | None = None) -> str:
    """Returns terms in plain language. `currency` is a mint's address, `name` its name, such as `USDC`."""
    return _core.shared().call("terms.summary", offer=offer, denomination=_denomination(currency, decimals, name))[
        "text"
    ]


def export_rsl(offer: JSON, currency: str, content_url: str, source: str, *, decimals: int = 6) -> str:
    """Returns terms as Really Simple Licensing (RSL) for the content at a URL. `source` names the terms on chain."""
    denomination = _denomination(currency, decimals, None)
    arguments: JSON = {"content_url": content_url, "source": source, "now": int(time.time())}
    return _core.shared().call("terms.export", format="rsl", offer=offer, denomination=denomination, **arguments)[
        "text"
    ]


def quote(price: int, units: int, *, free_units: int = 0, operator_fee_bps: int = 0) -> Price:
    """Returns the price of units at a price a unit. Raises `AmountOverflow`."""
    price, units = _core.check_range("price", price, 64), _core.check_range("units", units, 32)
    free = str(_core.check_range("free_units", free_units, 64))
    return _price(
        _core.shared().call(
            "price.quote", price=str(price), units=units, free_units=free, operator_fee_bps=operator_fee_bps
        )
    )


def charge(license: JSON, units: int, *, operator_fee_bps: int = 0, now: int | None = None) -> Price:
    """Returns the price of units under a license, as `account.decode` has it: free units, dates and caps included.

    Raises `LicenseRefuses` if the license does not allow them.
    """
    units, at = _core.check_range("units", units, 32), int(time.time()) if now is None else now
    fee = operator_fee_bps
    return _price(_core.shared().call("license.charge", license=license, units=units, now=at, operator_fee_bps=fee))


def _price(found: JSON) -> Price:
    return Price(int(found["price"]), int(found["fee"]), int(found["total"]))


def _denomination(currency: str, decimals: int, name: str | None) -> JSON:
    named = {} if name is None else {"name": name}
    return {"mint": currency, "decimals": decimals, **named}
