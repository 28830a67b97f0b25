"""What the applications of bench/live.py do for a request: code of their own, some hundred calls of
it, that prices a cart and makes the rows of a page or of an answer in JSON."""

ITEMS = 250


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


def rows(user):
    """A request's work."""
    found = []
    for item in sorted(cart(user), key=by_weight):
        cents = price(item, user)
        found.append({"name": item.name, "price": text_of(cents), "cents": cents})
    return found


def by_weight(item):
    return item.weight
