"""Generators that run inside different callers, one within another, and functions called from C."""


def numbers_a():
    for i in range(3):
        yield leaf_a(i)


def leaf_a(i):
    return i + sum(range(100))


def numbers_b():
    for i in range(3):
        yield leaf_b(i)


def leaf_b(i):
    return i + sum(range(100))


def inner():
    yield sum(range(300))
    yield sum(range(300))


def outer():
    yield from inner()


def user_a():
    for _ in numbers_a():
        pass


def user_b():
    for _ in numbers_b():
        pass


def user_c():
    for _ in outer():
        pass


def key_a(x):
    return sum(range(x + 100))


def sorter():
    return sorted(range(5), key=key_a)


def main():
    while True:
        user_a()
        user_b()
        user_c()
        sorter()


main()
