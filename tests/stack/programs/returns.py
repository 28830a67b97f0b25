"""Functions that return on another line than the one that calls."""


def leaf_a():
    return 1


def call_a():
    value = leaf_a()
    return value


def leaf_b():
    return 1


def call_b():
    value = leaf_b()
    return value


def main():
    while True:
        call_a()
        call_b()


main()
