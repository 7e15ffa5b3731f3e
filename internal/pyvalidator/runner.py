"""Runs 1EdTech's Open Badges validator on one input, without the network.

Reads one JSON request on standard input and writes one JSON answer:
  {"input": "...", "recipient": {...} | null, "hosts": {"host": "http://127.0.0.1:port"}, "resources": {url: {...}}, "repeat": n}
With "repeat" the input is verified so many times more, and the answer has the
median of the seconds that took.
Known contexts are answered from the text that the validator's own package
carries; addresses of the named hosts go to their local server; anything else is
unreachable.
"""
import base64
import json
import logging
import statistics
import sys
import time
from urllib.parse import urlsplit, urlunsplit

import requests
import requests_cache

logging.disable(logging.CRITICAL)
REQUEST = json.load(sys.stdin)
HOSTS = REQUEST.get("hosts") or {}
RESOURCES = REQUEST.get("resources") or {}
CONTEXTS = {}


def answer(url, status, content_type, body):
    r = requests.Response()
    r.status_code, r.url, r._content, r.encoding = status, url, body, "utf-8"
    if content_type:
        r.headers["Content-Type"] = content_type
    return r


class LocalSession(requests.Session):
    """Takes the place of every session that the validator makes."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.trust_env = False  # no proxies from the environment

    def remove_expired_responses(self):
        pass

    def get(self, url, **kwargs):
        r = self.find(url, kwargs.get("headers") or {})
        r.from_cache = False
        return r

    def find(self, url, headers, hops=0):
        if hops > 5:
            raise requests.TooManyRedirects(url)
        if url in RESOURCES:
            e = RESOURCES[url]
            body = e["body"].encode() if e.get("body") is not None else base64.b64decode(e.get("body_base64") or "")
            return answer(url, e.get("status", 200), e.get("content_type"), body)
        if url in CONTEXTS:
            return answer(url, 200, "application/ld+json", CONTEXTS[url])
        parts = urlsplit(url)
        base = HOSTS.get(parts.netloc)
        if base is None and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise requests.ConnectionError("offline: " + url)
        target = url
        headers = dict(headers)
        if base is not None:
            b = urlsplit(base)
            target = urlunsplit((b.scheme, b.netloc, parts.path, parts.query, ""))
            headers["Host"] = parts.netloc
            headers["X-Forwarded-Proto"] = parts.scheme
        r = super().get(target, headers=headers, allow_redirects=False, timeout=20)
        if r.is_redirect:
            return self.find(requests.compat.urljoin(url, r.headers["Location"]), headers, hops + 1)
        r.url = url
        return r


requests_cache.CachedSession = LocalSession

from openbadges.verifier import openbadges_context, verify  # noqa: E402  (after the patch)
from openbadges.verifier import utils  # noqa: E402

for name in ("https://w3id.org/openbadges/v2", "http://w3id.org/openbadges/v2", "https://openbadgespec.org/v2/context.json"):
    CONTEXTS[name] = json.dumps(openbadges_context.OPENBADGES_CONTEXT_V2_DICT).encode()
utils.requests.Session = LocalSession

result = verify(REQUEST["input"], recipient_profile=REQUEST.get("recipient"))
report = result["report"]
if REQUEST.get("repeat"):
    times = []
    for _ in range(REQUEST["repeat"]):
        start = time.perf_counter()
        verify(REQUEST["input"], recipient_profile=REQUEST.get("recipient"))
        times.append(time.perf_counter() - start)
    report = dict(report, medianSeconds=statistics.median(times))
json.dump(report, sys.stdout)
