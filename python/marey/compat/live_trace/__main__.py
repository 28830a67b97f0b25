"""`python -m marey.compat.live_trace` is the command `live-trace`."""

from .main import main

if __name__ == "__main__":
    main()
