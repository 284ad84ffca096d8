"""Errors of this package. Amounts are base units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._json import object_of, visible


class MotifError(Exception):
    """Base of all errors of this package."""

    is_definite: bool = True
    """Whether the error proves that the last request was not charged."""


class InvalidInput(MotifError, ValueError):
    """Raised when an argument cannot be used; the message says what was expected."""


class CoreFailed(MotifError):
    """Raised when the WebAssembly module traps. Its instance takes no further calls: open the payer again."""

    is_definite = False


class ProcessForked(MotifError):
    """Raised when a client is used in a process that was forked after it was opened. Nothing was signed.

    Open payers and clients after the fork: in a worker's start hook, not before gunicorn preloads or Celery forks.
    """

    def __init__(self) -> None:
        super().__init__("the client was opened by another process: open it after the fork")


@dataclass(frozen=True)
class Problem:
    """Problem document (RFC 9457) of a gateway or a paywall."""

    type: str
    """Stable identifier of the problem type, such as `underfunded`."""
    title: str
    status: int
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Other members, such as `expected` and `holder`."""

    @classmethod
    def parse(cls, document: Any) -> Problem | None:
        """Returns the problem of a JSON document, or `None` if it is not one."""
        members = object_of(document)
        if members is None:
            return None
        members = dict(members)
        slug, status = members.pop("type", None), members.pop("status", None)
        title, detail = members.pop("title", ""), members.pop("detail", "")
        if not isinstance(slug, str) or not isinstance(status, int):
            return None
        return cls(slug, str(title), status, str(detail), members)

    def __str__(self) -> str:
        return visible(f"{self.type}: {self.detail or self.title}")


class GatewayError(MotifError):
    """Base of the errors of calls to a gateway or a paywall."""


class ProblemError(GatewayError):
    """Base of the errors with a problem document."""

    def __init__(self, problem: Problem, message: str | None = None) -> None:
        super().__init__(message or str(problem))
        self.problem: Problem = problem

    @property
    def type(self) -> str:
        """Identifier of the problem type."""
        return self.problem.type


class Refused(ProblemError):
    """Raised when the gateway or the paywall refuses a request. Nothing was charged if `is_definite`."""

    def __init__(self, problem: Problem, is_definite: bool = True) -> None:
        super().__init__(problem)
        self.is_definite: bool = is_definite


class OutcomeUnknown(ProblemError):
    """Raised when a refusal does not tell whether the payment was charged. The next payment repeats it first."""

    is_definite = False

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem, f"{problem}; the payment may have been made")


class Unreachable(GatewayError):
    """Raised when no attempt is answered, or a load balancer answers in the server's place.

    Repeating the request with the same idempotency key is safe.
    """

    is_definite = False

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the server at {url} did not answer: {reason}")
        self.url: str = url


class Untrusted(GatewayError):
    """Raised when an answer is false or cannot be parsed. A payment may have been made."""

    is_definite = False

    def __init__(self, reason: str) -> None:
        super().__init__(f"the gateway's answer is not acceptable: {reason}")
        self.reason: str = reason


class Unanswered(GatewayError):
    """Raised while the outcome of an earlier payment is unknown; nothing was signed. See `Payer.resume`."""

    def __init__(self) -> None:
        super().__init__("an earlier payment is unanswered; resume it first")


class OverBudget(GatewayError):
    """Raised when a budget does not cover a payment. Nothing was signed."""

    def __init__(self, total: int, budget: int) -> None:
        super().__init__(f"spending would rise to {total} base units, above the budget of {budget}")
        self.total: int = total
        self.budget: int = budget


class PriceTooHigh(GatewayError):
    """Raised when a price exceeds the payer's or the caller's maximum. Nothing was signed."""

    def __init__(self, message: str, price: int, max_price: int) -> None:
        super().__init__(message)
        self.price: int = price
        self.max_price: int = max_price


class LicenseNotFound(GatewayError):
    """Raised when the channel has no license of an index, or for a work and use."""


class LicenseRefuses(GatewayError):
    """Raised when a license's caps or dates do not allow a use. Nothing was signed."""


class NotPayable(GatewayError):
    """Raised when a 402 cannot be paid with the payer's channel: another operator, or an unknown protocol."""


class SignerFailed(GatewayError):
    """Raised when the signer does not sign, or signs with another key."""


class AmountOverflow(GatewayError):
    """Raised when an amount exceeds 2**64 - 1 base units."""


class StateLocked(MotifError):
    """Raised when another process has the payer's state file."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(f"the payer's state {path} is in use by {holder}; expected one process a channel")
        self.path: str = path
        self.holder: str = holder


class StateFailed(MotifError):
    """Raised when the payer's state file cannot be read or written. Nothing more is signed or sent then."""

    is_definite = False


class StateInvalid(MotifError):
    """Raised when the payer's state file is not a state of this channel."""


class ReceiptInvalid(MotifError):
    """Raised when a receipt or a proof does not verify."""


class ChainError(MotifError):
    """Base of the errors of the cluster."""


class RpcError(ChainError):
    """Raised when the JSON-RPC node does not answer or refuses a request."""

    is_definite = False


class AccountNotFound(ChainError):
    """Raised when an account does not exist on the cluster."""


class TransactionFailed(ChainError):
    """Raised when a transaction fails; `logs` are those of the programs."""

    def __init__(self, message: str, logs: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.logs: tuple[str, ...] = logs
