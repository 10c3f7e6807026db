"""Checks /metrics with Prometheus' parser, and that it has the dashboard's metrics. Usage: metrics.py URL DASHBOARD"""
import json
import re
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

url, dashboard = sys.argv[1:]
with urllib.request.urlopen(url) as response:
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4"), response.headers
    families = list(text_string_to_metric_families(response.read().decode()))
samples = {sample.name for family in families for sample in family.samples}
assert all(family.documentation and family.type != "unknown" for family in families), families
with open(dashboard) as file:
    text = json.dumps(json.load(file))
asked = set(re.findall(r"\b(?:apus|process)_[a-z_]+", text))
assert asked and asked <= samples, asked - samples
answered = sum(s.value for f in families for s in f.samples if s.name == "apus_requests_total" and s.labels.get("route") == "/predict")
assert answered >= 4, answered
print(f"metrics: {len(families)} families parsed by Prometheus' parser; all {len(asked)} names of the dashboard exist")
