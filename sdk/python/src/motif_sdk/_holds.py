"""Holds: units are reserved first, then captured with the units used, or released."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from ._engine import Engine, Paid, generation_of, now
from ._machine import JSON


@dataclass(frozen=True)
class HeldGeneration:
    """Hold of at most `units` units. Digests are hex."""

    hold: str
    """Name of the hold."""
    license: int
    units: int
    request_digest: str
    expires_at: int
    """Last unix second in which the hold can be captured."""


def purchase_of(license: int, units: JSON, request_digest: str, seconds: int, key: str | None = None) -> JSON:
    """Returns a purchase as the rules read it, under an idempotency key, by default a random one."""
    key = key or secrets.token_hex(16)
    expires_at = now() + seconds
    return {
        "license": license,
        "units": units,
        "key": key,
        "request_digest": request_digest,
        "expires_at": expires_at,
    }


async def place(
    engine: Engine[Any], license: int, units: int, request_digest: str, seconds: int, tag: str | None
) -> HeldGeneration:
    """Places a hold, if budgets allow its units. Nothing is paid, and budgets count captures only."""
    tagged = {} if tag is None else {"tag": tag}
    engine.machine.call("payer.check", license=license, units=units, now=now(), **tagged)
    purchase = purchase_of(license, {"at_most": units}, request_digest, seconds)
    expires_at = purchase["expires_at"]
    proof = await engine.proof({"hold": purchase})
    body: JSON = {
        "license": license,
        "units": units,
        "request_digest": request_digest,
        "expires_at": expires_at,
        "proof": proof,
    }
    path, headers = f"/v1/channels/{engine.channel}/holds", {"idempotency-key": purchase["key"]}
    facts = await engine.calls.json("POST", path, body, headers)
    hold = engine.machine.call_foreign("hold.check", purchase=purchase, facts=facts)["hold"]
    return HeldGeneration(hold, license, units, request_digest, expires_at)


async def capture(engine: Engine[Any], held: HeldGeneration, units: int, output_digest: str, tag: str | None) -> Paid:
    """Pays for the units that a held generation used."""
    generation = generation_of(held.license, units, held.request_digest, output_digest)
    return await engine.pay([generation | {"captures": {"hold": held.hold}}], tag)


async def release(engine: Engine[Any], held: HeldGeneration) -> None:
    """Releases a hold without payment. Repeating is safe."""
    proof = await engine.proof({"release": held.hold})
    await engine.calls.json("POST", f"/v1/holds/{held.hold}/release", {"channel": engine.channel, "proof": proof})
