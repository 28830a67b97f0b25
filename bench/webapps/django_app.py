"""Django, with the middlewares that a new project has, but for those of a database: the same."""

import time
from pathlib import Path

import around
import django
import shop
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if around.options() is not None:
    MIDDLEWARE.insert(0, "marey.integrations.django.Middleware")

settings.configure(
    DEBUG=False,
    SECRET_KEY="bench",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=MIDDLEWARE,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [str(Path(__file__).parent / "templates")],
        }
    ],
    MAREY=around.options() or {},
)
django.setup()


def cart(request, user):
    return render(request, "cart.html", {"user": user, "rows": shop.rows(user)})


def hello(request):
    return HttpResponse("hello")


def slow(request):
    time.sleep(1.5 * around.SLOW)
    return HttpResponse("slow")


urlpatterns = [path("cart/<int:user>", cart), path("hello", hello), path("slow", slow)]
application = around.around_wsgi(get_wsgi_application())
