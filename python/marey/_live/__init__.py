"""The live page: what a running application does, in a browser, and how it is watched.

`Live` is the page of an application in each of its processes; integrations hand requests to it.
`live` serves it where there is no web application.
"""

from .live_page import Live
from .server import live

__all__ = ["Live", "live"]
