"""What `inrcodec spectrum` measures: spectra of signals, and of networks while they are fitted.

| file | what |
|---|---|
| `view` | the part of a file that is looked at, as numbers of full scale 1 |
| `facts` | SEC, WINNER's centroid and strengths, radial spectra; the same against an original |
| `training` | what a coordinate network looks like from step to step of its fit |
| `tangent` | eigenvalues of the empirical tangent kernel, and the residual along its eigenvectors |
| `layers` | histograms and spectra of activations |
| `starts` | output and activations of networks before the first step |
| `study` | all of it for a file, a pair of files, or a fit |
| `record` | all of it as JSON |

Nothing here draws: figures are those of `evaluate.report`.
"""
