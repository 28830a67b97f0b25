"""FastAPI: the same, the cart as JSON by a model."""

import asyncio

import around
import shop
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

app = FastAPI()


class Row(BaseModel):
    name: str
    price: str
    cents: int


@app.get("/cart/{user}")
async def cart(user: int) -> "list[Row]":
    return [Row(**row) for row in shop.rows(user)]


@app.get("/hello", response_class=PlainTextResponse)
async def hello():
    return "hello"


@app.get("/slow", response_class=PlainTextResponse)
async def slow():
    await asyncio.sleep(1.5 * around.SLOW)
    return "slow"


if around.options() is not None:
    from marey.integrations.asgi import Middleware

    app.add_middleware(Middleware, **around.options())
application = around.around_asgi(app)
