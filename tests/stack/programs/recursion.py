"""Recursion: to itself, and of two functions that call each other."""


def fib(n):
    if n < 2:
        return n
    left = fib(n - 1)
    return left + fib(n - 2)


def even(n):
    if n == 0:
        return True
    return odd(n - 1)


def odd(n):
    if n == 0:
        return False
    return even(n - 1)


def main():
    while True:
        fib(10)
        for _ in range(30):
            even(12)


main()
