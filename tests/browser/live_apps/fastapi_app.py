"""uvicorn fastapi_app:app"""

import os
from urllib.parse import parse_qs

from busy import KEEP_S, LOGIN, SLOW_S, WELCOME, crunch
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware

from marey.integrations import asgi, failed, slower_than


class ByCookie(AuthenticationBackend):
    async def authenticate(self, connection):
        name = connection.cookies.get("name")
        return name and (AuthCredentials(), SimpleUser(name))


def may_look(scope):
    return scope["user"].is_authenticated and scope["user"].username == "ann"


app = FastAPI()
app.add_middleware(
    asgi.Middleware,
    live="/marey",
    users=may_look,
    keep=[slower_than(KEEP_S), failed()],
    folder=os.environ["KEPT"],
)
app.add_middleware(AuthenticationMiddleware, backend=ByCookie())


@app.get("/login", response_class=HTMLResponse)
def ask():
    return LOGIN


@app.post("/login")
async def enter(request: Request):
    (name,) = parse_qs((await request.body()).decode())["name"]
    response = HTMLResponse(WELCOME)
    response.set_cookie("name", name, httponly=True)
    return response


@app.get("/work/{number}")
def work(number: int):
    crunch(0.002)
    return number


@app.get("/slow")
def slow():
    crunch(SLOW_S)
    return "done"
