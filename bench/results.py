"""What was measured, and the few statistics that the report makes of it."""

from statistics import median


class Results:
    """Records as the programs emitted them; `python` and `where` were added by run.py."""

    def __init__(self, records):
        self.records = records

    def find(self, **fields):
        """The one record with these fields, or None."""
        matching = [r for r in self.records if all(r.get(k) == v for k, v in fields.items())]
        assert len(matching) < 2, fields
        return matching[0] if matching else None

    def names(self, group, **fields):
        """Who took part in a race."""
        wanted = {"group": group, **fields}
        return [r["who"] for r in self.records if all(r.get(k) == v for k, v in wanted.items())]

    def figure(self, key, group, who, **fields):
        """The median of one of its figures; None where it was not taken."""
        record = self.find(group=group, who=who, **fields)
        return median(record[key]) if record and key in record else None

    def rounds(self, group, who, clock="process_ns", **fields):
        """Nanoseconds a time of the thing, one entry a round, the bare loop's own time taken off
        where it was measured. None where `who` did not take part."""
        record = self.find(group=group, who=who, **fields)
        if record is None:
            return None
        loop = self.find(group=group, who="loop", **fields)
        less = median(loop[clock]) if loop else 0.0
        return [ns - less for ns in record[clock]]

    def ratio(self, group, who, against, clock="process_ns", against_clock="process_ns", **fields):
        """(median, best) of who / against: the median of the rounds' own ratios, and the ratio of
        the two minima. None where one of them is missing."""
        a = self.rounds(group, who, clock, **fields)
        b = self.rounds(group, against, against_clock, **fields)
        if not a or not b:
            return None
        return median(x / y for x, y in zip(a, b)), min(a) / min(b)
