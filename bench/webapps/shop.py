"""What the applications of bench/live.py do for a request: some 300 calls of code of their own, by
which a cart becomes the rows of a page or of an answer in JSON, and what such applications do by
libraries: a document is read and searched, a session signed and checked."""

import hashlib
import hmac
import json
import re

ITEMS = 50
STOCK = json.dumps([{"name": f"item {n}", "tags": ["a", "b"], "left": n % 9} for n in range(600)])
KEY = b"bench"


class Item:
    def __init__(self, number):
        self.name = f"item {number}"
        self.cents = 100 + 37 * number % 900
        self.weight = number % 7


def cart(user):
    return [Item(number + user % 5) for number in range(ITEMS)]


def discount(item, user):
    return 10 if item.weight > 3 and user % 2 else 0


def tax(cents):
    return cents * 19 // 100


def price(item, user):
    cents = item.cents * (100 - discount(item, user)) // 100
    return cents + tax(cents)


def text_of(cents):
    return f"{cents // 100}.{cents % 100:02}"


def left():
    return {item["name"]: item["left"] for item in json.loads(STOCK)}


def sign(user):
    return hmac.new(KEY, f"session {user}".encode() * 100, hashlib.sha256).hexdigest()


def is_signed(user, signature):
    return hmac.compare_digest(sign(user), signature)


def rows(user):
    """A request's work."""
    found, stock = [], left()
    assert is_signed(user, sign(user))
    for item in sorted(cart(user), key=by_weight):
        cents = price(item, user)
        if stock[item.name] or re.fullmatch(r"item \d+", item.name):
            found.append({"name": item.name, "price": text_of(cents), "cents": cents})
    return found


def by_weight(item):
    return item.weight
