"""A payer's state machine: the rules' calls `payer.*`, `purchase.*` and `paywall.*`."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._core import Core
from .errors import InvalidInput, StateInvalid

JSON = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """Limits of what a payer signs. Amounts are base units, fees included, except `max_unit_price`."""

    budget: int | None = None
    """Maximum spending since the payer's state was created; `None` for the channel's whole deposit."""
    budget_per_day: int | None = None
    """Maximum spending of a UTC day."""
    tag_budgets_per_day: Mapping[str, int] = field(default_factory=dict[str, int])
    """Maximum spending of a tag on a UTC day."""
    max_unit_price: int | None = None
    """Maximum price of a license's unit, without the operator's fee."""
    voucher_seconds: int = 86_400
    """Validity of vouchers, seconds."""
    max_batch: int = 1_000
    """Maximum number of generations that one voucher pays for, 1 to 1,000."""

    def document(self) -> JSON:
        """Returns the policy as the rules read it."""
        amounts = {name: getattr(self, name) for name in ("budget", "budget_per_day", "max_unit_price")}
        document: JSON = {name: _amount(name, value) for name, value in amounts.items() if value is not None}
        tags = self.tag_budgets_per_day.items()
        document["tag_budgets_per_day"] = {tag: _amount("budget", value) for tag, value in tags}
        return document | {"voucher_seconds": self.voucher_seconds, "max_batch": self.max_batch}


def _amount(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise InvalidInput(f"invalid {name}: {value!r}, expected base units, an integer from 0 to 2**64 - 1")
    return str(value)


class Machine:
    """State machine of one channel, in an instance of its own."""

    def __init__(
        self,
        channel: str,
        account: bytes,
        receipt_keys: Sequence[JSON] | None,
        policy: Policy,
        state: bytes | None,
    ) -> None:
        self.core: Core = Core()
        common: JSON = {"channel": channel, "account": base64.b64encode(account).decode(), "policy": policy.document()}
        if receipt_keys is not None:
            common["receipt_keys"] = list(receipt_keys)
        handle = self.core.call("payer.load", state, **common)["payer"] if state else None
        if state and handle is None:
            # The first record is written as a whole.
            raise StateInvalid("the payer's state is damaged, or the file is none: its first record cannot be read")
        if handle is None:
            handle = self.core.call("payer.new", **common, is_kept=state is not None)["payer"]
        self._payer: int = handle

    def call(self, call: str, raw: bytes = b"", /, **arguments: Any) -> Any:
        """Returns the result of a call with this payer's handle."""
        return self.core.call(call, raw, payer=self._payer, **arguments)

    def call_foreign(self, call: str, raw: bytes = b"", /, **arguments: Any) -> Any:
        """Returns the result of a call about what a server has sent. Raises `Untrusted` if it cannot be read."""
        return self.core.call_foreign(call, raw, payer=self._payer, **arguments)[0]

    def compare(self, state: Mapping[str, object]) -> list[JSON]:
        """Compares this payer with the channel's state at the gateway; returns effects."""
        return self.call_foreign("payer.compare", state=state)["effects"]

    def effects(self, call: str, raw: bytes = b"", /, **arguments: Any) -> list[JSON]:
        """Returns the effects of a call."""
        return self.call(call, raw, **arguments)["effects"]

    def tickets(self, call: str) -> list[int]:
        """Returns the tickets of a call that gives payments up."""
        return self.call(call)["tickets"]

    def snapshot(self) -> bytes:
        """Returns the frame that begins a new state file."""
        return self.core.call_raw("payer.snapshot", payer=self._payer)[1]

    def status(self) -> JSON:
        """Returns totals and flags."""
        return self.call("payer.status")
