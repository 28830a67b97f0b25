"""The live page: what a running application does, in a browser, and how it is watched.

live_page.Live is the page of an application in each of its processes; integrations hand requests to
it, and server.live serves it where there is no web application.
"""
