"""Licensed generations around any pipeline that returns images, such as those of diffusers.

A pipeline is billed by call: a hold for each image before it runs, one payment with the images' digests after it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from .errors import InvalidInput, MotifError
from .payer import Generation, Hold, License, Payer
from .receipts import Receipt


@dataclass(frozen=True)
class LicensedImages:
    """Images with the files that their receipts name."""

    images: list[Any]
    """Images as the pipeline made them."""
    files: list[bytes]
    """The same images as PNG files; the digest of each is in its receipt."""
    receipts: list[Receipt]


class Licensed:
    """Pipeline whose images are paid for: `Licensed(pipe, payer, license)(prompt)`.

    Nothing is paid if the pipeline raises an error. An error of the payment is raised before images are returned.
    """

    def __init__(
        self,
        pipe: Callable[..., Any],
        payer: Payer,
        license: License | int,
        *,
        seconds: int = 600,
        encode: Callable[[Any], bytes] | None = None,
    ) -> None:
        """Creates a pipeline whose images cost a unit of a license each. `seconds` is the longest time of a call.

        `encode` returns the file of an image, by default a PNG by the image's own `save`.
        """
        self._pipe, self._payer, self._seconds = pipe, payer, seconds
        self._license = license.index if isinstance(license, License) else license
        self._encode = encode or png_of

    def __call__(self, prompt: str | Sequence[str], *arguments: Any, **options: Any) -> LicensedImages:
        """Generates images for a prompt, or several; arguments are the pipeline's."""
        count = (1 if isinstance(prompt, str) else len(prompt)) * int(options.get("num_images_per_prompt", 1))
        if count < 1:
            raise InvalidInput("invalid prompt: expected at least one image")
        request = request_digest(prompt, options)
        with ExitStack() as stack:
            holds = [stack.enter_context(self._hold(request)) for _ in range(count)]
            images = list(self._pipe(prompt, *arguments, **options).images)
            if len(images) != count:
                raise InvalidInput(f"the pipeline made {len(images)} images: expected {count}")
            files = [self._encode(image) for image in images]
            return LicensedImages(images, files, capture_all(self._payer, holds, files))

    def _hold(self, request: str) -> Hold:
        return self._payer.hold(self._license, 1, request, self._seconds)


def capture_all(payer: Payer, holds: Sequence[Hold], files: Sequence[bytes]) -> list[Receipt]:
    """Pays for a file for each hold, all or none, with one voucher; returns the receipts in order."""
    generations = [
        Generation(
            hold.held.license, hold.held.units, hold.held.request_digest, hashlib.sha256(file).digest(), hold.held
        )
        for hold, file in zip(holds, files, strict=True)
    ]
    try:
        receipts = payer.generate_batch(generations)
    except MotifError as error:
        for hold in holds:
            hold.end(None, is_over=not error.is_definite)
        raise
    for hold, receipt in zip(holds, receipts, strict=True):
        hold.end(receipt)
    return receipts


def request_digest(prompt: str | Sequence[str], options: dict[str, Any]) -> str:
    """Returns the SHA-256 of a prompt and those of its options that are plain values, in hexadecimal."""
    plain = {name: value for name, value in options.items() if isinstance(value, (str, int, float, bool))}
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    document = json.dumps({"prompt": prompts, "options": plain}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(document.encode()).hexdigest()


def png_of(image: Any) -> bytes:
    """Returns an image as a PNG file, by its method `save`, as Pillow's images have it."""
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
