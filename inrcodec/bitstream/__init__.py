"""The bytes of an `.inr` file: container, header, numbers and limits; the standard library only.

```
file    = magic (8) | major (1) | minor (1) | section ... | CRC-32 (4, little-endian)
section = type (1) | length (varint) | payload
```

`container` splits a file into sections, `header` reads the first of them, `varint` the numbers in
both, and `limits` bounds what any of those numbers may ask for.
"""
