"""Flask: a page from a template, an answer in JSON, a minimal answer, and one that is slow."""

import time

import around
import flask
import shop

app = flask.Flask("shop")


@app.get("/cart/<int:user>")
def cart(user):
    return flask.render_template("cart.html", user=user, rows=shop.rows(user))


@app.get("/hello")
def hello():
    return "hello"


@app.get("/slow")
def slow():
    time.sleep(1.5 * around.SLOW)
    return "slow"


@app.get("/state")
def state():
    import marey

    return {"flight": watched.flight.state(), "losses": marey.status()["losses"]}


if around.options() is not None:
    from marey.integrations.flask import Marey

    watched = Marey(app, **around.options())
app.wsgi_app = around.around_wsgi(app.wsgi_app)
application = app
