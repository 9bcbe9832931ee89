"""How much an `.inr` file may ask of the decoder, checked before anything is allocated.

Thirty bytes can order an image of any size, rendered by a network of any size. So compute is
bounded (pixels x multiplications per pixel), not memory alone. Python integers do not wrap: no
product of header numbers can slip below a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from inrcodec.errors import LimitExceeded

# Above every product of three 63-bit header numbers.
_NEVER_REACHED = 1 << 256


# From here on a file that asks for more work also costs its sender more bytes.
LARGE_FILE_BYTES = 100_000


@dataclass(frozen=True)
class Limits:
    """Upper bounds, all inclusive.

    Args:
        max_dimension: largest width or height, pixels. One axis of 2**20 - 1 is wider than any
            scanner or panorama, and still an area that `max_pixels` allows.
        max_pixels: width x height; 2**28 is the default of libavif.
        max_params: parameters of the network, latents not included.
        max_macs: multiply-accumulates, of the context model per native pixel and of rendering per
            position; 1e12 is some 10 to 60 minutes on one core. Rendering a file of more than
            LARGE_FILE_BYTES may take more in proportion: an hour of sound is an hour's work.
        max_samples: samples of a whole sound or video that are held at once, frames x channels or
            frames x width x height. A segment of one may have `max_pixels` of them.
        max_sections: sections in one file, segments not counted.
        max_segments: segments of one sound or video.
        max_metadata_bytes: ICC, EXIF or XMP payload, each; ICC and EXIF can be megabytes.
        max_file_bytes: the file as a whole.
    """

    max_dimension: int = 2**20 - 1
    max_pixels: int = 2**28
    max_params: int = 2**24
    max_macs: int = 10**12
    max_samples: int = 2**32
    max_sections: int = 256
    max_segments: int = 2**16
    max_metadata_bytes: int = 2**24
    max_file_bytes: int = 2**32

    @classmethod
    def unlimited(cls) -> Limits:
        """Limits that no file reaches; only for files from a source you trust."""
        return cls(**{f.name: _NEVER_REACHED for f in fields(cls)})

    def check_size(self, width: int, height: int, what: str = "image") -> None:
        """Refuse an image of `width` x `height` pixels above `max_dimension` or `max_pixels`.

        Args:
            width, height: of the image, or of one frame of a video.
            what: which of them, for the message.

        Raises:
            LimitExceeded: it is above.
        """
        for name, found in (("width", width), ("height", height)):
            if found > self.max_dimension:
                raise LimitExceeded(
                    f"the {what} {name} is {found} pixels, allowed are {self.max_dimension}; "
                    + _raise_it("max_dimension")
                )
        if width * height > self.max_pixels:
            raise LimitExceeded(
                f"the {what} has {width} x {height} = {width * height} pixels, allowed are "
                f"{self.max_pixels}; decode a smaller size or a region, or "
                + _raise_it("max_pixels")
            )

    def check_segment(self, samples: int) -> None:
        """Refuse a segment of a sound or video of more samples than `max_pixels`.

        Raises:
            LimitExceeded: it has more.
        """
        if samples > self.max_pixels:
            raise LimitExceeded(
                f"a segment has {samples} samples, allowed are {self.max_pixels}; "
                + _raise_it("max_pixels")
            )

    def check_samples(self, samples: int) -> None:
        """Refuse to hold a sound or video of more samples than `max_samples`.

        Raises:
            LimitExceeded: it has more.
        """
        if samples > self.max_samples:
            raise LimitExceeded(
                f"the sound or video has {samples} samples, allowed are {self.max_samples} at "
                "once; decode a part of its time or a smaller size, or " + _raise_it("max_samples")
            )

    def check_params(self, n: int) -> None:
        """Refuse a network of `n` parameters above `max_params`.

        Raises:
            LimitExceeded: it is above.
        """
        if n > self.max_params:
            raise LimitExceeded(
                f"the network has {n} parameters, allowed are {self.max_params}; "
                + _raise_it("max_params")
            )

    def check_macs(self, pixels: int, macs_per_pixel: int, file_bytes: int = 0) -> None:
        """Refuse to render `pixels` at `macs_per_pixel` above `max_macs`.

        Args:
            pixels, macs_per_pixel: the work.
            file_bytes: of the whole file, where it is the work of all of it.

        Raises:
            LimitExceeded: it is above.
        """
        if pixels * macs_per_pixel > self.max_macs * max(1, file_bytes / LARGE_FILE_BYTES):
            raise LimitExceeded(
                f"decoding takes {pixels} points x {macs_per_pixel} = {pixels * macs_per_pixel} "
                f"multiply-accumulates, allowed are {self.max_macs}; decode a smaller size or a "
                "region, or " + _raise_it("max_macs")
            )

    def check_sections(self, n: int) -> None:
        """Refuse a file of `n` sections above `max_sections`.

        Raises:
            LimitExceeded: it is above.
        """
        if n > self.max_sections:
            raise LimitExceeded(
                f"the file has {n} sections or more, allowed are {self.max_sections}; "
                + _raise_it("max_sections")
            )

    def check_segments(self, n: int) -> None:
        """Refuse a file of `n` segments above `max_segments`.

        Raises:
            LimitExceeded: it is above.
        """
        if n > self.max_segments:
            raise LimitExceeded(
                f"the file has {n} segments or more, allowed are {self.max_segments}; "
                + _raise_it("max_segments")
            )

    def check_metadata(self, n_bytes: int, name: str) -> None:
        """Refuse a metadata payload of `n_bytes` above `max_metadata_bytes`.

        Args:
            n_bytes: size of the payload.
            name: what the payload is, for the message: "icc", "exif", "xmp".

        Raises:
            LimitExceeded: it is above.
        """
        if n_bytes > self.max_metadata_bytes:
            raise LimitExceeded(
                f"the {name} metadata has {n_bytes} bytes, allowed are {self.max_metadata_bytes}; "
                + _raise_it("max_metadata_bytes")
            )

    def check_file(self, n_bytes: int) -> None:
        """Refuse a file of `n_bytes` above `max_file_bytes`.

        Raises:
            LimitExceeded: it is above.
        """
        if n_bytes > self.max_file_bytes:
            raise LimitExceeded(
                f"the file has {n_bytes} bytes, allowed are {self.max_file_bytes}; "
                + _raise_it("max_file_bytes")
            )


def _raise_it(name: str) -> str:
    return f"if you trust the file, pass Limits({name}=...) with a larger value"
