"""Signs, verifies and bakes with openbadgeslib, without the network.

One JSON request a line on standard input, one JSON answer a line on standard
output: {"result": ...} or {"error": "..."}. "documents" (address -> text) is all
that the library can fetch.
"""
import base64
import json
import logging
import socket
import sys
from datetime import datetime

logging.disable(logging.CRITICAL)

from openbadgeslib import baking, ob2, ob3  # noqa: E402
from openbadgeslib.ob2.models import Assertion  # noqa: E402
from openbadgeslib.ob3 import status as ob3_status  # noqa: E402


def no_network(*args, **kwargs):
    raise OSError("offline")


socket.socket.connect = no_network


def fetcher(request):
    documents = request.get("documents") or {}

    def fetch(url, *args, **kwargs):
        if url not in documents:
            raise OSError("offline: " + url)
        return documents[url].encode()

    return fetch


def when(text):
    return datetime.fromisoformat(text) if text else None


def credential(spec):
    a = spec["achievement"]
    return ob3.OpenBadgeCredential(
        issuer=ob3.Issuer(id=spec["issuer"], name="Example Association", url="https://example.org/"),
        recipient_id=spec.get("recipient"),
        identifiers=[ob3.IdentityObject(**i) for i in spec.get("identifiers", [])],
        achievement=ob3.Achievement(id=a["id"], name=a["name"], description=a["description"], criteria_narrative=a["criteria"]),
        id=spec["id"], issuance_date=when(spec["from"]), expiration_date=when(spec.get("until")),
        credential_status=spec.get("status") or [],
    )


def jwt_sign(r):
    return ob3.OB3Signer(r["key"], r["algorithm"]).sign(credential(r["credential"]))


def jwt_verify(r):
    # With a key, nothing is asked about the issuer; with a DID, the DID names the key.
    verifier = ob3.OB3Verifier(r["key"]) if r.get("key") else ob3.OB3Verifier.for_issuer_did(r["issuer"], download=fetcher(r))
    c = verifier.verify(r["token"], check_status=r.get("status", False), download=fetcher(r))
    return {"id": c.id, "issuer": c.issuer.id, "achievement": c.achievement.name}


def proof_sign(r):
    return json.dumps(ob3.OB3LdpSigner(r["key"], r.get("method")).sign(credential(r["credential"])))


def proof_verify(r):
    verifier = ob3.OB3LdpVerifier(pubkey_pem=r.get("key"))
    c = verifier.verify(r["document"], download=fetcher(r))
    return {"id": c.id, "issuer": c.issuer.id, "achievement": c.achievement.name}


def status_sign(r):
    document = ob3.build_status_list_credential(r["issuer"], r["id"], r["purpose"], r["set"])
    return {"document": document, "token": ob3.sign_status_list_credential(document, r["key"], r["algorithm"])}


def status_decode(r):
    return sorted(ob3.set_indices(ob3_status.decode_encoded_list(r["encodedList"])))


def jws_sign(r):
    return ob2.OB2Signer(r["key"], r["algorithm"]).sign(Assertion.from_dict(r["assertion"]))


def jws_verify(r):
    verifier = ob2.OB2Verifier(r.get("key"), download=fetcher(r))
    return verifier.verify(r["token"], expected_recipient=r.get("recipient"), check_revocation=True).id


def hosted_verify(r):
    verifier = ob2.OB2Verifier(download=fetcher(r))
    return verifier.verify_hosted(r["document"], expected_recipient=r.get("recipient")).id


def bake(r):
    image = base64.b64decode(r["image"])
    three = r["kind"] == "openbadgecredential"
    if image.startswith(b"\x89PNG"):
        out = baking.bake_png(image, r["text"], keyword=baking.ITXT_KEYWORD_OB3 if three else baking.ITXT_KEYWORD)
    elif three:
        out = baking.bake_svg(image, r["text"], element=baking.SVG_ELEMENT_OB3, namespace=baking.SVG_NS_OB3, as_text=r["text"].startswith("{"))
    else:
        out = baking.bake_svg(image, r["text"])
    return base64.b64encode(out).decode()


def unbake(r):
    image = base64.b64decode(r["image"])
    three = r["kind"] == "openbadgecredential"
    if image.startswith(b"\x89PNG"):
        text = baking.extract_png(image, keyword=baking.ITXT_KEYWORD_OB3 if three else baking.ITXT_KEYWORD)
    else:
        text = baking.extract_svg(image, element=baking.SVG_ELEMENT_OB3 if three else baking.SVG_ELEMENT, text_fallback=three)
    return text.decode() if isinstance(text, bytes) else text


OPERATIONS = {f.__name__: f for f in (
    jwt_sign, jwt_verify, proof_sign, proof_verify, status_sign, status_decode, jws_sign, jws_verify, hosted_verify, bake, unbake)}

for line in sys.stdin:
    try:
        request = json.loads(line)
        answer = {"result": OPERATIONS[request["op"]](request)}
    except Exception as e:  # whatever the library says is the answer
        answer = {"error": "%s: %s" % (type(e).__name__, e)}
    print(json.dumps(answer), flush=True)
