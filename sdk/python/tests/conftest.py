"""Fixtures: a simulated cluster for every test, and the `motif` binary for those that need a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_double import GatewayDouble
from localnet import Localnet, binary_path
from world import World


@pytest.fixture(scope="session")
def world() -> World:
    """A work, an operator and a channel, on a cluster in this process."""
    return World()


@pytest.fixture
def gateway(world: World) -> Iterator[GatewayDouble]:
    """A gateway of that channel, which has accepted nothing."""
    with GatewayDouble(world) as double:
        yield double


@pytest.fixture(scope="session")
def localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    """`motif localnet` with a gateway and its paywall."""
    with Localnet(binary_path(), tmp_path_factory.mktemp("localnet")) as network:
        yield network


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    """Path of a state file."""
    return tmp_path / "payer.state"
