"""Measures of quality: pure functions in float64, each with its source.

| file | what |
|---|---|
| `pixel` | MSE and PSNR of pictures: all samples, each channel, Y U V and 6:1:1 |
| `structure` | SSIM, MS-SSIM |
| `spectral` | SPDER's rho_AG, Spectral Energy Centroid, radial spectra of signal and error |
| `waveform` | SNR, SI-SNR, segmental SNR and log-spectral distance of sound |
| `perceptual` | ViSQOL, Zimtohrli, PESQ and STOI, where their packages are installed |
| `video` | PSNR and SSIM of planes frame by frame, VMAF where FFmpeg has it |
| `ffmpeg` | the filters of FFmpeg that compare two videos |
| `catalogue` | all of them by name: what can run here, and every number of a pair of signals |
"""

from inrcodec.evaluate.metrics.pixel import mse, psnr_db

__all__ = ["mse", "psnr_db"]
