"""The pages' templates. Flask escapes what is put into them."""

from __future__ import annotations

_LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ox_profile</title></head>
<body><h1>ox_profile</h1>
{body}
<p><a href="{{{{ url_for('ox_profile.index') }}}}">index</a></p>
</body></html>
"""


def _page(body: str) -> str:
    return _LAYOUT.format(body=body)


INDEX = _page(
    """<ul>{% for name, address in commands %}
<li><a href="{{ address }}">{{ name }}</a></li>{% endfor %}
</ul>"""
)
MESSAGE = _page("{% for line in lines %}<p>{{ line }}</p>{% endfor %}")
PROBLEM = _page('<p class="error">{{ error_msg }}</p>')
ASK = _page(
    """<form method="post" action="{{ request.url }}">
<input type="hidden" name="csrf_token" value="{{ token }}">
<button>{{ what }}</button>
</form>"""
)
STATUS = _page(
    """<p>{{ "paused" if launcher.is_paused() else "sampling" }},
interval {{ launcher.interval }} seconds</p>
<p>Showing top {{ query|length }} functions ({{ total_records }} distinct calls)</p>
<p>Sampling stats: {{ launcher.tracker.stats() }}</p>
<ul>{% for record in query %}
<li> {{ record.name }}: {{ record.hits }} hits </li>{% endfor %}
</ul>"""
)
TIMES = _page(
    """<table>
<tr><th>endpoint</th><th>requests</th><th>average, seconds</th></tr>
{% for row in rinfo %}<tr><td>{{ row.name }}</td><td>{{ row.hits }}</td>
<td>{{ "%.6f"|format(row.avg_time) }}</td></tr>
{% endfor %}</table>
<p><a href="{{ csv_link }}">Download CSV</a></p>"""
)
