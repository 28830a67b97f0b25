"""Requests of web applications as spans: marey.integrations.wsgi, .asgi, .flask, .django.

None of them imports a framework before it is used with one.
"""
