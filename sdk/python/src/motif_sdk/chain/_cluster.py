"""Clusters that transactions are sent to."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Protocol

import httpx
from solders.instruction import Instruction

from .._hosts import SyncHost
from .._rpc import Account, RpcCalls
from ..signer import Signer
from ._transactions import signed

__all__ = ["Account", "Cluster", "RpcCluster"]


class Cluster(Protocol):
    """Cluster: a node, or a simulator in a test."""

    def account(self, address: str) -> Account | None:
        """Returns an account, or `None` if it does not exist."""
        ...

    def send(self, made: Sequence[Instruction], fee_payer: Signer, signers: Sequence[Signer] = ()) -> str:
        """Sends instructions in one transaction, and waits until it is confirmed; returns its signature.

        Raises `TransactionFailed`.
        """
        ...


class RpcCluster:
    """Cluster behind a JSON-RPC node, by default that of `MOTIF_RPC_URL`, or on this machine.

    All methods raise `RpcError` if the node does not answer.
    """

    def __init__(self, url: str | None = None, *, client: httpx.Client | None = None) -> None:
        self._calls, self._host = RpcCalls(url), SyncHost(client)

    def account(self, address: str) -> Account | None:
        """Returns an account, or `None` if it does not exist."""
        return self._host.run(self._calls.account(address))

    def send(self, made: Sequence[Instruction], fee_payer: Signer, signers: Sequence[Signer] = ()) -> str:
        """Sends instructions in one transaction, and waits until it is confirmed; returns its signature.

        Raises `TransactionFailed`, `RpcError`.
        """
        run, options = self._host.run, {"commitment": self._calls.commitment}
        blockhash = run(self._calls.value("getLatestBlockhash", [options]))["blockhash"]
        transaction = bytes(signed(made, fee_payer, signers, blockhash))
        settings = {"encoding": "base64", "preflightCommitment": self._calls.commitment}
        signature = run(self._calls.call("sendTransaction", [base64.b64encode(transaction).decode(), settings]))
        run(self._calls.confirm(signature))
        return signature

    def airdrop(self, address: str, lamports: int) -> None:
        """Requests SOL of a test network's faucet, and waits for it."""
        signature = self._host.run(self._calls.call("requestAirdrop", [address, lamports]))
        self._host.run(self._calls.confirm(signature))

    def close(self) -> None:
        """Closes the connections."""
        self._host.close()
