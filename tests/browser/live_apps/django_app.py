"""gunicorn django_app:app"""

import os

import django
from busy import KEEP_S, LOGIN, SLOW_S, WELCOME, crunch
from django.conf import settings

from marey.integrations import failed, slower_than

settings.configure(
    SECRET_KEY="of the tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    AUTHENTICATION_BACKENDS=[f"{__name__}.Users"],
    MIDDLEWARE=[
        "marey.integrations.django.Middleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    MAREY={
        "live": True,
        "users": {"ann"},
        "keep": [slower_than(KEEP_S), failed()],
        "folder": os.environ["KEPT"],
    },
)
django.setup()

from django.contrib.auth import get_user_model, login  # noqa: E402 - settings come first
from django.contrib.auth.signals import user_logged_in  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402

# It would write to a database, which there is none of.
user_logged_in.disconnect(dispatch_uid="update_last_login")
NAMES = ["ann", "bob"]


class Users:
    def get_user(self, number):
        return get_user_model()(id=number, username=NAMES[int(number) - 1])


def enter(request):
    if request.method == "GET":
        return HttpResponse(LOGIN)
    number = NAMES.index(request.POST["name"]) + 1
    login(request, Users().get_user(number), f"{__name__}.Users")
    return HttpResponse(WELCOME)


def work(request, number):
    crunch(0.002)
    return HttpResponse(str(number))


def slow(request):
    crunch(SLOW_S)
    return HttpResponse("done")


urlpatterns = [
    path("marey/", include("marey.integrations.django.urls")),
    path("login", enter),
    path("work/<int:number>", work),
    path("slow", slow),
]
app = get_wsgi_application()
