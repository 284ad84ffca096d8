"""Nodes of ComfyUI: *Motif style* finds the license of a model file, *Motif pay* holds before the sampler, and
*Motif save* pays and saves the images with their receipts.

To install them, put a file with `from motif_sdk.comfyui import *` into `custom_nodes`. The payer is that of
`use_payer`, or of the variables `MOTIF_GATEWAY_URL`, `MOTIF_CHANNEL`, `MOTIF_KEYPAIR`, `MOTIF_RPC_URL` and
`MOTIF_PAYER_STATE`.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import threading
from pathlib import Path
from typing import Any, ClassVar

from .content import Content
from .errors import InvalidInput, LicenseNotFound
from .gateway import GatewayClient
from .images import capture_all, request_digest
from .payer import Hold, Payer

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

_payer: Payer | None = None
_lock = threading.Lock()


def use_payer(payer: Payer | None) -> None:
    """Sets the payer of the nodes; `None` opens that of the environment at its first use."""
    global _payer
    _payer = payer


def payer_of_environment() -> Payer:
    """Returns the payer of the nodes. Raises `InvalidInput` if a variable is missing."""
    global _payer
    with _lock:
        if _payer is None:
            _payer = Payer.open(
                _variable("MOTIF_CHANNEL"),
                _variable("MOTIF_KEYPAIR"),
                state=os.environ.get("MOTIF_PAYER_STATE"),
            )
        return _payer


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise InvalidInput(f"the variable {name} is not set")
    return value


class MotifStyle:
    """Finds the registered work of a model file, such as a LoRA, and the channel's license of it."""

    RETURN_TYPES: ClassVar = ("STRING", "STRING", "INT")
    RETURN_NAMES: ClassVar = ("work", "price", "license")
    FUNCTION = "find"
    CATEGORY = "Motif"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Returns the inputs: path of the file, and use."""
        uses = ["generate", "style-transfer", "voice-convert", "play"]
        return {"required": {"file": ("STRING", {"default": ""}), "use": (uses, {"default": "generate"})}}

    def find(self, file: str, use: str) -> tuple[str, str, int]:
        """Returns the work's address, the price of a unit in base units, and the license's index.

        Raises `LicenseNotFound` if the file is not registered, or the channel has no license of it.
        """
        hasher = hashlib.sha256()
        with Path(file).open("rb") as opened:
            while chunk := opened.read(1 << 20):
                hasher.update(chunk)
        digest = hasher.hexdigest()
        with GatewayClient() as gateway:
            exact = gateway.authenticate(Content(digest, "other", "application/octet-stream", None, ()))["exact"]
        if not exact:
            raise LicenseNotFound(f"{file} is no registered work")
        license = payer_of_environment().license_for(exact[0]["work"], use)
        return license.work, str(license.price), license.index


class MotifPay:
    """Holds the price of images before the sampler runs: put it between the model and the sampler."""

    RETURN_TYPES: ClassVar = ("MODEL", "MOTIF_HOLDS")
    RETURN_NAMES: ClassVar = ("model", "holds")
    FUNCTION = "hold"
    CATEGORY = "Motif"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Returns the inputs: model, license, number of images, prompt, and time."""
        return {
            "required": {
                "model": ("MODEL",),
                "license": ("INT", {"default": 0, "min": 0, "max": 65_535}),
                "images": ("INT", {"default": 1, "min": 1, "max": 64}),
                "prompt": ("STRING", {"multiline": True, "default": ""}),
                "seconds": ("INT", {"default": 600, "min": 60, "max": 3_600}),
            }
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> float:
        """Returns a value that differs from itself: a hold is used once."""
        return float("nan")

    def hold(self, model: Any, license: int, images: int, prompt: str, seconds: int) -> tuple[Any, list[Hold]]:
        """Returns the model unchanged, and a hold for each image."""
        payer, request = payer_of_environment(), request_digest(prompt, {})
        holds = list[Hold]()
        try:
            for _ in range(images):
                holds.append(payer.hold(license, 1, request, seconds))
        except BaseException:
            for one in holds:
                one.release()
            raise
        return model, holds


class MotifSave:
    """Pays for images and saves each as a PNG file, with its receipt beside it as JSON."""

    RETURN_TYPES: ClassVar = ()
    FUNCTION = "save"
    OUTPUT_NODE = True
    CATEGORY = "Motif"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Returns the inputs: images, holds, folder and beginning of the files' names."""
        return {
            "required": {
                "images": ("IMAGE",),
                "holds": ("MOTIF_HOLDS",),
                "folder": ("STRING", {"default": "output"}),
                "prefix": ("STRING", {"default": "motif"}),
            }
        }

    def save(self, images: Any, holds: list[Hold], folder: str, prefix: str) -> dict[str, Any]:
        """Saves the images. Raises an error of the payment before anything is saved.

        Raises `InvalidInput` if there is not a hold for each image.
        """
        files = [png_of_array(image) for image in images]
        if len(files) != len(holds):
            raise InvalidInput(f"there are {len(holds)} holds: expected one for each of {len(files)} images")
        receipts = capture_all(holds[0].payer, holds, files)
        place, saved = Path(folder), list[dict[str, str]]()
        place.mkdir(parents=True, exist_ok=True)
        for file, receipt in zip(files, receipts, strict=True):
            path = place / f"{prefix}-{receipt.digest[:16]}.png"
            path.write_bytes(file)
            path.with_suffix(".receipt.json").write_text(json.dumps(receipt.parts))
            saved.append({"filename": path.name, "subfolder": folder, "type": "output"})
        return {"ui": {"images": saved}}


def png_of_array(image: Any) -> bytes:
    """Returns an image of ComfyUI, floats from 0 to 1 by row, column and channel, as a PNG file."""
    # Both come with ComfyUI.
    numpy: Any = importlib.import_module("numpy")
    pillow: Any = importlib.import_module("PIL.Image")
    array: Any = image.cpu().numpy() if hasattr(image, "cpu") else image
    pixels: Any = numpy.clip(numpy.asarray(array) * 255.0, 0, 255).astype(numpy.uint8)
    file = io.BytesIO()
    pillow.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


NODE_CLASS_MAPPINGS: dict[str, type] = {"MotifStyle": MotifStyle, "MotifPay": MotifPay, "MotifSave": MotifSave}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    "MotifStyle": "Motif style",
    "MotifPay": "Motif pay",
    "MotifSave": "Motif save",
}
