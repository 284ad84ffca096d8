"""Licensed pipelines and the nodes of ComfyUI, without diffusers and without torch."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from gateway_double import GatewayDouble, problem
from PIL import Image
from world import World

from motif_sdk import Payer, comfyui
from motif_sdk.errors import InvalidInput, LicenseNotFound, Refused
from motif_sdk.images import Licensed

JSON = dict[str, Any]


class Pipeline:
    """Pipeline of diffusers' shape: an object with `images`."""

    def __init__(self) -> None:
        self.calls = list[Any]()
        self.fails = False

    def __call__(self, prompt: Any, num_images_per_prompt: int = 1, **options: Any) -> Any:
        self.calls.append((prompt, options))
        if self.fails:
            raise RuntimeError("out of memory")
        count = (1 if isinstance(prompt, str) else len(prompt)) * num_images_per_prompt
        return SimpleNamespace(images=[Image.new("RGB", (8, 8), (number, 2, 3)) for number in range(count)])


@pytest.fixture
def released(gateway: GatewayDouble) -> list[str]:
    """Names of released holds."""
    names = list[str]()

    def releases(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if not path.endswith("/release"):
            return None
        names.append(path.split("/")[3])
        return 200, {"content-type": "application/json"}, b"{}"

    gateway.others = releases
    return names


@pytest.fixture
def payer(gateway: GatewayDouble, world: World) -> Iterator[Payer]:
    with Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0) as opened:
        yield opened


def test_images_have_receipts_of_their_files(payer: Payer, gateway: GatewayDouble, released: list[str]) -> None:
    pipe = Pipeline()
    made = Licensed(pipe, payer, payer.license_for(gateway.world.work))("New York", num_images_per_prompt=3, seed=7)
    assert [receipt.output_digest for receipt in made.receipts] == [
        hashlib.sha256(one).hexdigest() for one in made.files
    ]
    assert len({receipt.output_digest for receipt in made.receipts}) == 3
    assert Image.open(io.BytesIO(made.files[2])).getpixel((0, 0)) == (2, 2, 3)
    assert pipe.calls == [("New York", {"seed": 7})]
    assert (payer.spent, released, len(gateway.batches)) == (306, [], 1)
    assert all(one["captures"]["hold"] for one in gateway.batches[0]["generations"])


def test_several_prompts_are_held_each(payer: Payer, released: list[str]) -> None:
    made = Licensed(Pipeline(), payer, 0)(["New York", "Boston"], num_images_per_prompt=2)
    assert (len(made.images), payer.spent, released) == (4, 408, [])


def test_failed_pipeline_is_free(payer: Payer, gateway: GatewayDouble, released: list[str]) -> None:
    pipe = Pipeline()
    pipe.fails = True
    with pytest.raises(RuntimeError, match="out of memory"):
        Licensed(pipe, payer, 0)("New York", num_images_per_prompt=2)
    assert (len(released), gateway.batches, payer.spent) == (2, [], 0)


def test_refused_payment_returns_no_images(payer: Payer, gateway: GatewayDouble, released: list[str]) -> None:
    gateway.answers.append(lambda _: (409, problem("license-expired")))
    with pytest.raises(Refused):
        Licensed(Pipeline(), payer, 0)("New York")
    assert (len(released), payer.spent) == (1, 0)


class Tensor:
    """Image as ComfyUI hands it to nodes: floats from 0 to 1."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        return self.array


@pytest.fixture
def nodes(payer: Payer) -> Iterator[Payer]:
    comfyui.use_payer(payer)
    yield payer
    comfyui.use_payer(None)


def test_workflow_holds_pays_and_saves(nodes: Payer, tmp_path: Path, released: list[str]) -> None:
    model = object()
    passed, holds = comfyui.MotifPay().hold(model, 0, 2, "New York", 600)
    assert (passed is model, len(holds), nodes.spent) == (True, 2, 0)
    images = [Tensor(numpy.full((4, 4, 3), value)) for value in (0.0, 1.0)]
    saved = comfyui.MotifSave().save(images, holds, str(tmp_path / "out"), "style")["ui"]["images"]
    assert (len(saved), nodes.spent, released) == (2, 204, [])
    for one, color in zip(saved, (0, 255), strict=True):
        path = tmp_path / "out" / one["filename"]
        receipt = json.loads(path.with_suffix(".receipt.json").read_text())
        assert receipt["output_digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert Image.open(path).getpixel((0, 0)) == (color, color, color)


def test_node_without_enough_holds_saves_nothing(nodes: Payer, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="one for each"):
        comfyui.MotifSave().save([Tensor(numpy.zeros((2, 2, 3)))], [], str(tmp_path), "x")
    assert list(tmp_path.iterdir()) == []


def test_refused_hold_releases_the_others(nodes: Payer, gateway: GatewayDouble, released: list[str]) -> None:
    others, count = gateway.others, 0

    def second_fails(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        nonlocal count
        if path.endswith("/holds"):
            count += 1
            if count == 2:
                return 402, {}, json.dumps(problem("underfunded", 402)).encode()
        assert others is not None
        return others(method, path, headers, body)

    gateway.others = second_fails
    with pytest.raises(Refused):
        comfyui.MotifPay().hold(None, 0, 3, "New York", 600)
    assert len(released) == 1


def test_style_node_finds_work_of_file(
    nodes: Payer, gateway: GatewayDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora, world = tmp_path / "style.safetensors", gateway.world
    lora.write_bytes(b"weights")
    asked = list[JSON]()

    def authenticate(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if path != "/v1/authenticate":
            return None
        asked.append(json.loads(body))
        exact = [{"work": world.work}] if len(asked) == 1 else []
        return 200, {"content-type": "application/json"}, json.dumps({"exact": exact}).encode()

    gateway.others = authenticate
    monkeypatch.setenv("MOTIF_GATEWAY_URL", gateway.url)
    node = comfyui.MotifStyle()
    assert node.find(str(lora), "generate") == (world.work, "100", 0)
    assert asked == [{"digest": hashlib.sha256(b"weights").hexdigest(), "fingerprints": []}]
    with pytest.raises(LicenseNotFound, match="no registered work"):
        node.find(str(lora), "generate")


def test_payer_of_environment_needs_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    comfyui.use_payer(None)
    monkeypatch.delenv("MOTIF_CHANNEL", raising=False)
    with pytest.raises(InvalidInput, match="MOTIF_CHANNEL"):
        comfyui.payer_of_environment()


def test_nodes_are_registered() -> None:
    for name, node in comfyui.NODE_CLASS_MAPPINGS.items():
        inputs = node.INPUT_TYPES()["required"]
        assert callable(getattr(node, node.FUNCTION))
        assert comfyui.NODE_DISPLAY_NAME_MAPPINGS[name]
        assert len(node.RETURN_TYPES) == len(getattr(node, "RETURN_NAMES", ()))
        assert inputs
