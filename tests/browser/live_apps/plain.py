"""A service that is no web application: python plain.py"""

import threading

from busy import TOKEN, crunch

import marey


def serve():
    while True:
        crunch(0.002)


if __name__ == "__main__":
    threading.Thread(target=serve, name="service", daemon=True).start()
    print(f"at {marey.live(token=TOKEN, name='plain <service>').url}", flush=True)
    threading.Event().wait()
