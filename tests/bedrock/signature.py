"""Who is asking: AWS Signature Version 4 in the `Authorization` header, and Bedrock's bearer keys.

The signature is computed again from the request as it came over the wire:

    canonical request = method, path, query, headers, names of the signed headers, hash of the body; a line each
    text to sign      = "AWS4-HMAC-SHA256", time, scope (day/region/service/aws4_request), hash of the canonical request
    signing key       = HMAC chain over the secret: day, region, service, "aws4_request"

Signed URLs (the signature in the query) are not read: no client of this stub uses them.
"""

import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
# What AWS allows between the clock of the caller and its own.
CLOCK_SKEW = datetime.timedelta(minutes=5)
AUTHORIZATION = re.compile(
    ALGORITHM + r"\s+Credential=(?P<key>[^/\s]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request"
    r",\s*SignedHeaders=(?P<headers>[a-z0-9;_-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
BODY_NOT_SIGNED = "UNSIGNED-PAYLOAD"


class Denied(Exception):
    """The caller is not let in; the code is the exception's name on the wire, always with status 403."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came: the target undecoded, headers in order and with the names as sent."""

    method: str
    path: str
    query: str
    headers: list
    body: bytes


@dataclass(frozen=True)
class Door:
    """The credentials that are let in."""

    secrets: dict = field(default_factory=lambda: {"AKIASTUBSTUBSTUBSTUB": "stub-secret-of-no-value"})
    bearers: frozenset = frozenset({"stub-bearer-of-no-value"})
    service: str = "bedrock"

    def check(self, request, now):
        """Returns how the caller was known, or raises `Denied`."""
        given = single(request.headers, "authorization")
        if given is None:
            raise Denied("AccessDeniedException", "Missing Authentication Token")
        if given.startswith("Bearer "):
            if given.removeprefix("Bearer ") not in self.bearers:
                raise Denied("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
            return "bearer"
        claim = AUTHORIZATION.fullmatch(given)
        if claim is None:
            raise Denied("IncompleteSignatureException", "Authorization header is not a signature of version 4")
        if claim["service"] != self.service:
            raise Denied("InvalidSignatureException", f"Credential should be scoped to correct service: '{self.service}'.")
        secret = self.secrets.get(claim["key"])
        if secret is None:
            raise Denied("UnrecognizedClientException", "The security token included in the request is invalid.")
        verify(request, claim, secret, now)
        return "sigv4"


def verify(request, claim, secret, now, normalise=True):
    """Raises `Denied` unless the claim is what this secret signs, and is fresh. No time: not checked for freshness."""
    stamp = single(request.headers, "x-amz-date") or ""
    signed = claim["headers"].split(";")
    must = {"host"} | {name.lower() for name, _ in request.headers if name.lower() == "x-amz-date"}
    if not must <= set(signed) or not stamp.startswith(claim["day"]):
        raise Denied("InvalidSignatureException", "The signature does not cover host and date.")
    if now is not None and abs(now - time_of(stamp)) > CLOCK_SKEW:
        raise Denied("InvalidSignatureException", f"Signature expired or not yet valid: {stamp}")
    canonical = canonical_request(request, signed, payload_hash(request), normalise)
    expected = sign(secret, claim, text_to_sign(claim, stamp, canonical))
    if not hmac.compare_digest(expected, claim["signature"]):
        raise Denied("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")


def payload_hash(request):
    actual = hashlib.sha256(request.body).hexdigest()
    stated = single(request.headers, "x-amz-content-sha256")
    if stated in (None, actual, BODY_NOT_SIGNED):
        return stated or actual
    raise Denied("InvalidSignatureException", "The body is not the one that was signed.")


def canonical_request(request, signed, body_hash, normalise=True):
    lines = [f"{name}:{joined(request.headers, name)}" for name in signed]
    path = canonical_path(request.path, normalise)
    return "\n".join([request.method, path, canonical_query(request.query), *lines, "", ";".join(signed), body_hash])


def canonical_path(path, normalise=True):
    """Every byte as sent is encoded, so what was encoded already is encoded twice, as all services but S3 want it."""
    return quote(without_dots(path) if normalise else path, safe="/~")


def without_dots(path):
    kept = []
    for segment in path.split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(segment)
    tail = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return "/" + "/".join(kept) + tail


def canonical_query(query):
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    encoded = [(quote(unquote_to_bytes(name), safe="~"), quote(unquote_to_bytes(value), safe="~")) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def text_to_sign(claim, stamp, canonical):
    scope = f"{claim['day']}/{claim['region']}/{claim['service']}/aws4_request"
    return "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])


def sign(secret, claim, text):
    key = f"AWS4{secret}".encode()
    for part in (claim["day"], claim["region"], claim["service"], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def time_of(stamp):
    try:
        return datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Denied("InvalidSignatureException", "Date must be in ISO-8601 'basic format'.") from None


def single(headers, name):
    return next((value for given, value in headers if given.lower() == name), None)


def joined(headers, name):
    """A header's values in order, blanks at the ends dropped and runs of them made one."""
    return ",".join(" ".join(value.split()) for given, value in headers if given.lower() == name)
