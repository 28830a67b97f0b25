"""A function of the main interpreter, and one of another interpreter in a thread of its own."""

import threading

CODE = """
def deeper():
    return sum(range(50))


def other_work():
    while True:
        deeper()


other_work()
"""


def run_in_another():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    ident = interpreters.create()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    run(ident, CODE)


def leaf():
    return sum(range(50))


def main():
    threading.Thread(target=run_in_another, daemon=True).start()
    while True:
        leaf()


main()
