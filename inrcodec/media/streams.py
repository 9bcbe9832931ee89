"""What FFmpeg opens, through PyAV: containers of sound and video."""

from __future__ import annotations

from typing import BinaryIO

import av

from inrcodec.media.limit import max_pixels

# Formats of files that people have. None of them names other files or addresses, as playlists and
# lists for concatenation do: what is read is the file that was given and nothing else.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,"
    "ogg,wav,w64,aiff,caf,au,flac,mp3,aac,ac3,eac3,amr,amrnb,amrwb,wv,tta,ape,mpc,mpc8,dv,mxf,gif,"
    "nut,yuv4mpegpipe"
)


def open_container(file: BinaryIO) -> av.container.InputContainer:
    """A file, opened by FFmpeg; closing it leaves `file` open.

    Args:
        file: a binary file that can seek.

    Raises:
        av.FFmpegError: FFmpeg does not know it, or it is not one of FORMATS.
    """
    file.seek(0)
    return av.open(file, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace")


def picture_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    """The first stream of moving pictures, which the cover of a song is not; None without one."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def decoder_options(**options: str) -> dict[str, str]:
    """Options of a decoder that bound the size of its pictures before they are allocated."""
    limit = max_pixels()
    return options if limit is None else options | {"max_pixels": str(min(limit, 2**31 - 1))}
