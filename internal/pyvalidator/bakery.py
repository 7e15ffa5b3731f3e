"""Bakes and unbakes with openbadges-bakery.

Reads one JSON request on standard input: {"op": "bake"|"unbake", "image": base64,
"text": ...}; writes one JSON answer: {"image": base64} or {"text": ...}.
"""
import base64
import io
import json
import sys

from openbadges_bakery import bake, unbake

request = json.load(sys.stdin)
image = io.BytesIO(base64.b64decode(request["image"]))
if request["op"] == "bake":
    out = bake(image, request["text"])
    out.seek(0)
    data = out.read()
    json.dump({"image": base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()}, sys.stdout)
else:
    text = unbake(image)
    json.dump({"text": text.decode() if isinstance(text, bytes) else text}, sys.stdout)
