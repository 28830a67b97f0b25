"""gunicorn flask_app:app"""

import os

import flask
from busy import KEEP_S, LOGIN, SLOW_S, WELCOME, crunch
from flask_login import LoginManager, UserMixin, login_user

import marey.integrations.flask
from marey.integrations import failed, slower_than

app = flask.Flask("shop")
app.secret_key = "of the tests"
login_manager = LoginManager(app)
marey.integrations.flask.Marey(
    app,
    live="/marey",
    users={"ann"},
    keep=[slower_than(KEEP_S), failed()],
    record="calls",
    folder=os.environ["KEPT"],
)


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@login_manager.user_loader
def load(name):
    return User(name)


@app.route("/login", methods=["GET", "POST"])
def login():
    if flask.request.method == "GET":
        return LOGIN
    login_user(User(flask.request.form["name"]))
    return WELCOME


@app.route("/work/<int:number>")
def work(number):
    crunch(0.002)
    return str(number)


@app.route("/slow")
def slow():
    crunch(SLOW_S)
    return "done"
