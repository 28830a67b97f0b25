trace sampled >app.perfetto-trace
COLUMNS=80 marey report --own '*/jinja2/*' --not-own '*/package/*' --process app --thread Main* app.perfetto-trace
