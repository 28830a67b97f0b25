"""Calls that end by an exception."""


def raise_a():
    sum(range(100))
    raise ValueError("a")


def catch_a():
    try:
        raise_a()
    except ValueError:
        pass


def raise_b():
    sum(range(100))
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
