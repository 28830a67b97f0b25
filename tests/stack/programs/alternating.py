"""Two branches that take turns many times in a millisecond: their frames stand at the same
places, but never mix."""


def leaf_a():
    return sum(range(30))


def middle_a():
    return leaf_a() + 1


def branch_a():
    return middle_a() + 1


def leaf_b():
    return sum(range(30))


def middle_b():
    return leaf_b() + 2


def branch_b():
    return middle_b() + 2


def short_c():
    return sum(range(30))


def main():
    while True:
        branch_a()
        branch_b()
        short_c()


main()
