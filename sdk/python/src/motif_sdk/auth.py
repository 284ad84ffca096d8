"""Authentication of httpx clients that pays for answers behind a paywall."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, cast

import httpx

from ._purchase import Answer, Buyer, Close, Read, Send
from ._sansio import Command
from ._stream import Chunk
from .aio import AsyncPayer
from .errors import MotifError
from .payer import Payer
from .receipts import Receipt
from .transport import answer_of, buyer_of, outgoing_of, request_of


class MotifAuth(httpx.Auth):
    """`auth=` of an httpx client or request that pays the 402s of Motif's paywalls, except for streams.

    A `Payer` serves `httpx.Client`, an `AsyncPayer` serves `httpx.AsyncClient`. `on_receipt` gets each verified
    receipt. Requests are sent once; after an error whose outcome is unknown, the next identical request continues the
    purchase.
    """

    requires_request_body = True

    def __init__(
        self,
        payer: Payer | AsyncPayer,
        *,
        max_price: int | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        api_key: str | None = None,
    ) -> None:
        """Creates an authentication that pays at most `max_price` for an answer, base units, fees included."""
        self._payer = payer
        self._buyer = buyer_of(payer, max_price, on_receipt, api_key)
        self._buyer.can_stream = False

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yields the requests of a purchase."""
        if not isinstance(self._payer, Payer):
            raise TypeError("httpx.Client needs a Payer, not an AsyncPayer")
        request.read()
        flow, execute = self._buyer.buy(outgoing_of(request)), self._payer._engine.host.execute  # pyright: ignore[reportPrivateUsage]
        steps = _Steps(flow, self._buyer, request)
        while (command := steps.command) is not None:
            if isinstance(command, Send):
                steps.send(answer_of((yield steps.request(command))))
            elif isinstance(command, Read):
                steps.send(cast(httpx.Response, command.answer.native).read())
            elif isinstance(command, (Close, Chunk)):
                steps.send(cast(httpx.Response, command.answer.native).read() and None)
            else:
                steps.execute(execute)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yields the requests of a purchase."""
        if not isinstance(self._payer, AsyncPayer):
            raise TypeError("httpx.AsyncClient needs an AsyncPayer, not a Payer")
        await request.aread()
        flow, execute = self._buyer.buy(outgoing_of(request)), self._payer._engine.host.execute  # pyright: ignore[reportPrivateUsage]
        steps = _Steps(flow, self._buyer, request)
        while (command := steps.command) is not None:
            if isinstance(command, Send):
                steps.send(answer_of((yield steps.request(command))))
            elif isinstance(command, Read):
                steps.send(await cast(httpx.Response, command.answer.native).aread())
            elif isinstance(command, (Close, Chunk)):
                await cast(httpx.Response, command.answer.native).aread()
                steps.send(None)
            else:
                try:
                    value = await execute(command)
                except BaseException as error:
                    steps.throw(error)
                else:
                    steps.send(value)


class _Steps:
    """Steps of a purchase, of which httpx sends the requests."""

    def __init__(self, flow: Any, buyer: Buyer, request: httpx.Request) -> None:
        self._flow, self._extensions = flow, request.extensions
        self.command: Command[Any] | None = None
        self.send(None)

    def send(self, value: Answer | bytes | Any) -> None:
        """Continues with the result of a command."""
        try:
            self.command = self._flow.send(value)
        except StopIteration:
            self.command = None

    def throw(self, error: BaseException) -> None:
        """Continues with the error of a command."""
        try:
            self.command = self._flow.throw(error)
        except StopIteration:
            self.command = None

    def execute(self, execute: Callable[[Command[Any]], Any]) -> None:
        """Executes the command and continues."""
        try:
            value = execute(cast("Command[Any]", self.command))
        except MotifError as error:
            self.throw(error)
        else:
            self.send(value)

    def request(self, command: Send) -> httpx.Request:
        """Returns the request of a command."""
        return request_of(command.request, self._extensions)
