"""`python -m inrcodec`, the same as `inrcodec`."""

import sys

from inrcodec.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
