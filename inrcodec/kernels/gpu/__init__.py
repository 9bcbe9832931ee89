"""The GPU engine: the numbers of `reference`, fused by Triton kernels and replayed as a CUDA graph.

The kernels run without a GPU under Triton's interpreter (TRITON_INTERPRET=1), which is how they
are tested everywhere.

```
 latents ─perturb─► z ─down─► wide ─┐
                    │               └─across, dense─► plane 0 ─3x3─► ... picture, difference
                    │                 adjoints ◄───── plane 0 ◄─3x3─ ... ◄──────────┘
                    └─contexts─► context network ─► bits, rows of context gradients
                                                        └─collect─► gradient ─Adam─► latents
 every program's sums ─add─► gradient of the networks ─clip, SOAP─► theta
```

Every sum has a fixed order, so that on one device the same seed gives the same numbers; where
memory is too short for the rows of context gradients they are added by atomics, in any order.
"""
