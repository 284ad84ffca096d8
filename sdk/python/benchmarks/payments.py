"""Payments a second of 64 concurrent callers on one channel, through a proxy that delays each way by 25 ms.

    MOTIF_BINARY=target/release/motif python benchmarks/payments.py [--callers 64] [--seconds 10] [--delay-ms 25]

Prints one line of JSON; exits with 1 below `--least` payments a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from delaying_proxy import DelayingProxy
from localnet import Localnet, binary_path

from motif_sdk import AsyncPayer, Payer, sha256
from motif_sdk.chain import Chain


def main() -> None:
    """Measures threads and tasks."""
    parser = argparse.ArgumentParser()
    for name, default in [("callers", 64), ("seconds", 10), ("delay-ms", 25), ("least", 500)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Localnet(binary_path(), Path(folder)) as localnet:
        chain = Chain(localnet.key("bench"), localnet.rpc)
        channel = chain.open_channel(localnet.operator, localnet.mint, 90_000_000, localnet.voucher("bench").address)
        chain.accept(channel, localnet.model, max_price=1_000)
        with DelayingProxy(localnet.gateway_url, options.delay_ms / 1_000) as proxy:
            state = Path(folder) / "state"
            threads = with_threads(localnet, proxy.url, channel, state, options.callers, options.seconds)
            tasks = asyncio.run(with_tasks(localnet, proxy.url, channel, state, options.callers, options.seconds))
    report = {"callers": options.callers, "delay_ms": options.delay_ms, "threads": threads, "asyncio": tasks}
    print(json.dumps(report | {"unit": "payments/s"}))
    sys.exit(min(threads, tasks) < options.least)


def with_threads(localnet: Localnet, url: str, channel: str, state: Path, callers: int, seconds: float) -> int:
    """Returns the payments a second of threads."""
    ends = threading.Event()

    def pay(caller: int) -> int:
        count = 0
        while not ends.is_set():
            payer.generate(0, 1, sha256(f"{caller}-{count}"), sha256("output"))
            count += 1
        return count

    voucher = localnet.voucher("bench")
    with (
        Payer.open(channel, voucher, gateway=url, rpc=localnet.rpc, state=state) as payer,
        ThreadPoolExecutor(callers) as pool,
    ):
        begun, before = time.monotonic(), payer.spent
        futures = [pool.submit(pay, caller) for caller in range(callers)]
        time.sleep(seconds)
        ends.set()
        count = sum(future.result() for future in futures)
        elapsed = time.monotonic() - begun
        assert payer.spent - before == count * 1_020
        assert int(payer.state()["cumulative"]) == payer.cumulative
    return int(count / elapsed)


async def with_tasks(localnet: Localnet, url: str, channel: str, state: Path, callers: int, seconds: float) -> int:
    """Returns the payments a second of tasks."""
    voucher = localnet.voucher("bench")
    async with await AsyncPayer.open(channel, voucher, gateway=url, rpc=localnet.rpc, state=state) as payer:
        begun, before, ends = time.monotonic(), payer.spent, time.monotonic() + seconds

        async def pay(caller: int) -> int:
            count = 0
            while time.monotonic() < ends:
                await payer.generate(0, 1, sha256(f"{caller}-{count}"), sha256("output"))
                count += 1
            return count

        count = sum(await asyncio.gather(*(pay(caller) for caller in range(callers))))
        elapsed = time.monotonic() - begun
        assert payer.spent - before == count * 1_020
        assert int((await payer.state())["cumulative"]) == payer.cumulative
    return int(count / elapsed)


if __name__ == "__main__":
    main()
