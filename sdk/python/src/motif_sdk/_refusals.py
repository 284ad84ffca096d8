"""Errors of the rules as exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import errors
from .errors import MotifError, Problem


def error_of(error: dict[str, Any]) -> MotifError:
    """Returns the exception of an error document."""
    message = str(error.get("message", ""))
    make = _MAKERS.get(str(error.get("type")))
    return make(error, message) if make is not None else errors.CoreFailed(message)


def _problem(error: dict[str, Any]) -> Problem:
    problem = Problem.parse(error.get("problem"))
    return problem or Problem("unknown", str(error.get("message", "")), 500, "")


def _untrusted(message: str) -> MotifError:
    return errors.Untrusted(message.removeprefix("the gateway's answer is not acceptable: "))


_MAKERS: dict[str, Callable[[dict[str, Any], str], MotifError]] = {
    "invalid-call": lambda _, message: errors.InvalidInput(message),
    "invalid-input": lambda _, message: errors.InvalidInput(message),
    "account-invalid": lambda _, message: errors.InvalidInput(message),
    "terms-invalid": lambda _, message: errors.InvalidInput(message),
    "content-unreadable": lambda _, message: errors.InvalidInput(message),
    "content-too-large": lambda _, message: errors.InvalidInput(message),
    "unknown-payer": lambda _, message: errors.CoreFailed(message),
    "refused": lambda error, _: errors.Refused(_problem(error), bool(error.get("is_definite", True))),
    "outcome-unknown": lambda error, _: errors.OutcomeUnknown(_problem(error)),
    "untrusted": lambda _, message: _untrusted(message),
    "over-budget": lambda error, _: errors.OverBudget(int(error["total"]), int(error["budget"])),
    "price-too-high": lambda error, message: errors.PriceTooHigh(message, int(error["price"]), int(error["max"])),
    "license-not-found": lambda _, message: errors.LicenseNotFound(message),
    "not-licensed": lambda _, message: errors.LicenseNotFound(message),
    "license-refuses": lambda _, message: errors.LicenseRefuses(message),
    "statement-full": lambda _, message: errors.LicenseRefuses(message),
    "price-tag-mismatch": lambda _, message: errors.NotPayable(message),
    "overflow": lambda _, message: errors.AmountOverflow(message),
    "state-invalid": lambda _, message: errors.StateInvalid(message),
    "receipt-invalid": lambda _, message: errors.ReceiptInvalid(message),
    "proof-invalid": lambda _, message: errors.ReceiptInvalid(message),
    "voucher-invalid": lambda _, message: errors.ReceiptInvalid(message),
}
