"""Calls that end by an exception."""


def raise_a():
    raise ValueError("a")


def catch_a():
    try:
        raise_a()
    except ValueError:
        pass


def raise_b():
    raise KeyError("b")


def catch_b():
    try:
        raise_b()
    except KeyError:
        pass


def main():
    while True:
        catch_a()
        catch_b()


main()
