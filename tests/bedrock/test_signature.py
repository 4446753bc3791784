"""The verifier against AWS's signing test suite, and against requests that were touched after they were signed."""

import dataclasses
import datetime
import json
import unittest

import places
import signature
from signature import AUTHORIZATION, Denied, Door, SignedRequest

SUITE = places.AWS_WIRE / "aws-signing-test-suite/v4"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
# Two older vectors name no secret in their files; these are what they were signed with.
OLDER = {"double-encode-path": "notrealrnrELgWzOk3IfjzDKtFBhDby", "double-url-encode": SECRET}


def read_request(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    method, _, target = first.removesuffix(" HTTP/1.1").partition(" ")
    headers = []
    for line in lines:
        if line[:1].isspace():
            # A value may go on in the next line.
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line}")
        elif line:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
    route, _, query = target.partition("?")
    return SignedRequest(method, route, query, headers, body)


def claim_of(request):
    return AUTHORIZATION.fullmatch(signature.single(request.headers, "authorization"))


def canonical(request, normalise):
    return signature.canonical_request(request, claim_of(request)["headers"].split(";"), signature.payload_hash(request), normalise)


def undated(text):
    return [line for line in text.split("\n") if not line.startswith("x-amz-date:")]


class Suite(unittest.TestCase):
    def test_there_are_forty(self):
        self.assertEqual(len(list(SUITE.iterdir())), 40)

    def test_each_signed_request_is_accepted(self):
        for folder in sorted(SUITE.iterdir()):
            if folder.name in OLDER:
                continue
            with self.subTest(folder.name):
                context = json.loads((folder / "context.json").read_text())
                request = read_request(folder / "header-signed-request.txt")
                claim, normalise = claim_of(request), context["normalize"]
                self.assertEqual(canonical(request, normalise), (folder / "header-canonical-request.txt").read_text())
                stamp = signature.single(request.headers, "x-amz-date")
                text = signature.text_to_sign(claim, stamp, canonical(request, normalise))
                self.assertEqual(text, (folder / "header-string-to-sign.txt").read_text())
                signature.verify(request, claim, context["credentials"]["secret_access_key"], signature.time_of(stamp), normalise)

    def test_older_vectors_are_accepted_with_their_paths_encoded_twice(self):
        for name, secret in OLDER.items():
            with self.subTest(name):
                request = read_request(SUITE / name / "header-signed-request.txt")
                # One vector's canonical request carries another date than what was signed, so the line of the date is left out.
                expected = (SUITE / name / "header-canonical-request.txt").read_text()
                self.assertEqual(undated(canonical(request, True)), undated(expected))
                signature.verify(request, claim_of(request), secret, None)



class Touched(unittest.TestCase):
    """One signed request, and everything that must not pass in its stead."""

    def setUp(self):
        self.request = read_request(SUITE / "post-x-www-form-urlencoded/header-signed-request.txt")
        self.door = Door(secrets={"AKIDEXAMPLE": SECRET}, service="service")
        self.now = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc)

    def code(self, request, now=None):
        with self.assertRaises(Denied) as denied:
            self.door.check(request, now or self.now)
        return denied.exception.code

    def changed(self, **changes):
        return dataclasses.replace(self.request, **changes)

    def header(self, name, value):
        """The request with another value of one header, or without it."""
        kept = [(given, old) for given, old in self.request.headers if given.lower() != name]
        return self.changed(headers=kept + ([(name, value)] if value is not None else []))

    def test_the_request_itself_passes(self):
        self.assertEqual(self.door.check(self.request, self.now), "sigv4")

    def test_what_was_touched_does_not_pass(self):
        touched = {
            "method": self.changed(method="PUT"),
            "path": self.changed(path="/other"),
            "query": self.changed(query="a=b"),
            "body": self.changed(body=self.request.body + b"x"),
            "host": self.header("host", "elsewhere.example"),
            "date": self.header("x-amz-date", "20150830T123601Z"),
            "no date": self.header("x-amz-date", None),
        }
        for name, request in touched.items():
            with self.subTest(name):
                self.assertEqual(self.code(request), "InvalidSignatureException")

    def test_an_old_signature_does_not_pass(self):
        self.assertEqual(self.code(self.request, self.now + datetime.timedelta(minutes=6)), "InvalidSignatureException")

    def test_a_signature_for_another_service_does_not_pass(self):
        self.door = Door(secrets={"AKIDEXAMPLE": SECRET})
        self.assertEqual(self.code(self.request), "InvalidSignatureException")

    def test_a_stranger_does_not_pass(self):
        self.door = Door(service="service")
        self.assertEqual(self.code(self.request), "UnrecognizedClientException")

    def test_no_credential_or_a_wrong_one_does_not_pass(self):
        codes = {None: "AccessDeniedException", "Bearer wrong": "AccessDeniedException", "Basic x": "IncompleteSignatureException"}
        for value, code in codes.items():
            with self.subTest(value):
                self.assertEqual(self.code(self.header("authorization", value)), code)


if __name__ == "__main__":
    unittest.main()
