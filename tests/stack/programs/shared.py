"""Two branches that go through the same functions: what is called at the end belongs to the
branch."""


def leaf_a():
    return 1


def leaf_b():
    return 2


def inner(leaf):
    return leaf()


def shared(leaf):
    return inner(leaf)


def branch_a():
    return shared(leaf_a)


def branch_b():
    return shared(leaf_b)


def main():
    while True:
        branch_a()
        branch_b()


main()
