"""python -m marey.compat.tracepatch, which was `tph`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
