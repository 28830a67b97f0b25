"""Drop-ins: the interfaces of older tools, on top of Marey, for one changed import:

    from marey.compat import keke            # was: import keke

docs/migrating.md says what is better, what differs on purpose, and how the same is said natively.
"""
