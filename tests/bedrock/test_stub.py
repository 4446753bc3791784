#!/usr/bin/env python3
"""The running stub: each case as AWS's own client sees it, and the wire itself. Run as a program, all tests of this folder."""

import asyncio
import json
import sys
import unittest

from botocore.exceptions import ClientError, ReadTimeoutError

import answers
import aws_client
import cases
import places
import profiles
import scripts
import service_model
import streams
from cases import CONVERSE, STREAM
from harness import BEARER, HELLO, HERE, RunningStub, request_bytes

# Where botocore sees it otherwise. It reads on after a payload that is no JSON, makes whole numbers of anything, does not count the
# bytes of an answer, waits for usage that never comes, and knows no name for an exception or a member that is not in its model.
BOTOCORE_DIFFERS = {
    ("stub.stream.not-json", STREAM), ("stub.lie.fraction", CONVERSE), ("stub.lie.words", CONVERSE), ("stub.lie.length", CONVERSE),
    ("stub.stream.unknown-exception", STREAM), ("stub.stream.block-start", STREAM), ("stub.stream.stall-after-stop", STREAM)}
# Cases that go beyond the model on purpose.
BEYOND_THE_MODEL = ("stub.unknown", "stub.lie.")


class WithStub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stub = RunningStub()
        cls.runtime = aws_client.client(cls.stub.url)

    @classmethod
    def tearDownClass(cls):
        said, code = cls.stub.stop()
        if (said, code) != ("", 0):
            raise AssertionError(f"the stub said {said!r} and ended with {code}")

    def setUp(self):
        self.stub.reset()


class EachCase(WithStub):
    def check(self, wanted):
        impatient = aws_client.client(self.stub.url, read_timeout=1)
        for case in wanted:
            for operation in case.operations:
                with self.subTest(case=case.name, operation=operation):
                    before = self.stub.received(case.name)
                    found = aws_client.ask(impatient if case.endless else self.runtime, operation, case.name, HELLO)
                    self.assertEqual(self.stub.received(case.name) - before, 1)
                    self.compare(case, operation, found)

    def compare(self, case, operation, found):
        truth = case.truth
        if (case.name, operation) in BOTOCORE_DIFFERS:
            return
        self.assertEqual(found.end, truth.end, found.error)
        self.assertEqual(found.exception, truth.exception)
        if found.status is not None:
            self.assertEqual(found.status, truth.status)
        if truth.end in ("complete", "exception"):
            self.assertEqual(found.stop_reason, truth.stop_reason)
        self.assertEqual(found.usage, truth.usage)
        if truth.text is not None:
            self.assertEqual(found.text, truth.text)
        self.assertEqual(found.tools, truth.tools)

    def test_whole_answers(self):
        self.check(cases.WHOLE)

    def test_errors(self):
        self.check(case for case in cases.REFUSED if not case.varies)
        self.assertEqual(self.stub.received("stub.redirected"), 0)

    def test_connections(self):
        self.check(case for case in cases.CONNECTIONS if not case.unreachable)

    def test_lies(self):
        self.check(cases.LIES)

    def test_streams(self):
        self.check(cases.STREAMS)

    def test_names_are_used_once_and_may_be_sent(self):
        names = [case.name for case in cases.CASES]
        self.assertEqual(len(names), len(set(names)))
        model = service_model.load(places.BEDROCK)[0]
        for name in names:
            self.assertEqual(model.check_value("ConversationalModelId", name), [], name)


class Errors(WithStub):
    def test_each_has_its_class_and_its_members(self):
        for name, status, _ in cases.ERRORS:
            for operation in cases.BOTH:
                with self.subTest(name=name, operation=operation):
                    error = aws_client.ask(self.runtime, operation, f"stub.error.{name}", HELLO).error
                    self.assertIs(type(error), getattr(self.runtime.exceptions, name))
                    self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
                    self.assertTrue(error.response["ResponseMetadata"]["RequestId"])
                    self.assertEqual(error.response["Error"]["Message"], cases.UPSTREAM_MESSAGE)
                    if name == "ModelErrorException":
                        self.assertEqual(error.response["originalStatusCode"], 500)
                        self.assertTrue(error.response["resourceName"].startswith("arn:"))
                    if name == "ModelStreamErrorException":
                        self.assertEqual(error.response["originalStatusCode"], 502)

    def test_the_model_says_the_same_of_them(self):
        statuses = service_model.load(places.BEDROCK)[0].statuses
        named = {name: status for name, status, _ in cases.ERRORS}
        self.assertEqual(named, {name: statuses[name] for name in named})
        self.assertEqual(len(named), 11)

    def test_streams_raise_the_exception_with_its_name(self):
        for name in cases.STREAM_EXCEPTIONS:
            with self.subTest(name):
                error = aws_client.ask(self.runtime, STREAM, f"stub.stream.exception.{name}.mid", HELLO).error
                self.assertEqual((type(error).__name__, error.response["Error"]["Code"]), ("EventStreamError", name))
                self.assertEqual(error.response["Error"]["Message"], cases.UPSTREAM_MESSAGE)

    def test_botocore_sees_an_invalid_request_as_such(self):
        body = {"messages": [{"role": "user", "content": [{"text": " "}]}]}
        found = aws_client.ask(self.runtime, CONVERSE, "stub.ok", body)
        self.assertEqual((found.status, found.exception), (400, "ValidationException"))
        self.assertIn("messages.0.content.0 is blank", str(found.error))

    def test_strangers_are_not_let_in(self):
        strangers = {
            "UnrecognizedClientException": {"aws_access_key_id": "AKIASTRANGER", "aws_secret_access_key": "x"},
            "InvalidSignatureException": {"aws_access_key_id": aws_client.ACCESS_KEY, "aws_secret_access_key": "wrong"},
        }
        for code, known in strangers.items():
            with self.subTest(code):
                found = aws_client.ask(aws_client.client(self.stub.url, **known), CONVERSE, "stub.ok", HELLO)
                self.assertEqual((found.status, found.exception), (403, code))

    def test_when_to_come_back(self):
        for form, wanted in (("seconds", r"^2$"), ("date", r" GMT$")):
            error = aws_client.ask(self.runtime, CONVERSE, f"stub.retry-after.{form}", HELLO).error
            self.assertRegex(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"], wanted)

    def test_flaky_cases_fail_the_same_way_under_the_same_seed(self):
        rounds = []
        for _ in range(2):
            self.stub.reset()
            rounds.append([aws_client.ask(self.runtime, CONVERSE, "stub.flaky.30", HELLO).status for _ in range(60)])
        self.assertEqual(rounds[0], rounds[1])
        self.assertEqual(set(rounds[0]), {200, 429, 503})
        self.assertLess(abs(sum(status != 200 for status in rounds[0]) - 18), 10)


class FurtherOperations(WithStub):
    def test_count_tokens_counts_the_whole_input(self):
        for model_id, tokens in (("stub.ok", 21), ("stub.cache.all", 1721)):
            found = self.runtime.count_tokens(modelId=model_id, input={"converse": HELLO})
            self.assertEqual(found["inputTokens"], tokens)
        with self.assertRaises(self.runtime.exceptions.ThrottlingException):
            self.runtime.count_tokens(modelId="stub.error.ThrottlingException", input={"converse": HELLO})

    def test_invoke_model(self):
        found = self.runtime.invoke_model(modelId="stub.ok", body=json.dumps({"messages": []}), contentType="application/json")
        body = json.loads(found["body"].read())
        self.assertEqual((body["content"][0]["text"], body["usage"]["input_tokens"]), (cases.ANSWER, 21))
        self.assertEqual(found["ResponseMetadata"]["HTTPHeaders"]["x-amzn-bedrock-output-token-count"], "9")

    def test_inference_profiles_say_where_they_may_run(self):
        control = aws_client.client(self.stub.url, "bedrock")
        arn = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc123"
        for identifier, kind, regions in (
            ("eu.stub.ok", "SYSTEM_DEFINED", ["eu-central-1", "eu-west-1", "eu-north-1"]),
            ("global.stub.ok", "SYSTEM_DEFINED", ["eu-central-1", "us-east-1", "ap-northeast-1", "sa-east-1"]),
            (arn, "APPLICATION", ["eu-central-1"])):
            with self.subTest(identifier):
                found = control.get_inference_profile(inferenceProfileIdentifier=identifier)
                self.assertEqual(found["type"], kind)
                self.assertEqual([model["modelArn"].split(":")[3] for model in found["models"]], regions)
                self.assertTrue(all(model["modelArn"].endswith("foundation-model/stub.ok") for model in found["models"]))
                del found["ResponseMetadata"]
                found.update(createdAt="", updatedAt="")
                broken = service_model.load(places.BEDROCK)[1].check_value("GetInferenceProfileResponse", found)
                self.assertEqual(broken, [])
        with self.assertRaises(control.exceptions.ResourceNotFoundException):
            control.get_inference_profile(inferenceProfileIdentifier="stub.profile.missing")

    def test_inference_profiles_that_tell_nothing(self):
        control = aws_client.client(self.stub.url, "bedrock", read_timeout=1)
        for name, raised in ((profiles.MISSING, control.exceptions.ResourceNotFoundException),
                             (profiles.DENIED, control.exceptions.AccessDeniedException),
                             (profiles.THROTTLED, control.exceptions.ThrottlingException),
                             (profiles.ONCE, control.exceptions.ThrottlingException),
                             (profiles.SLOW, ReadTimeoutError)):
            with self.subTest(name), self.assertRaises(raised):
                control.get_inference_profile(inferenceProfileIdentifier=name)
        # botocore makes an empty answer of a page that is none.
        self.assertNotIn("models", control.get_inference_profile(inferenceProfileIdentifier=profiles.GARBAGE))
        models = self.models_of(control, f"arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/{profiles.ONCE}")
        self.assertEqual(models, ["arn:aws:bedrock:eu-central-1::foundation-model/stub.ok"])

    def test_inference_profiles_that_are_not_what_they_were(self):
        control = aws_client.client(self.stub.url, "bedrock")
        arn = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/"
        first, then = (self.models_of(control, arn + profiles.MOVES) for _ in range(2))
        self.assertEqual(set(then) - set(first), {"arn:aws:bedrock:us-east-1::foundation-model/stub.ok"})
        self.assertEqual(len(self.models_of(control, arn + profiles.FALTERS)), 3)
        with self.assertRaises(ClientError):
            self.models_of(control, arn + profiles.FALTERS)
        self.assertEqual(len({model.rpartition("/")[2] for model in self.models_of(control, arn + profiles.TWO_MODELS)}), 2)
        self.assertIn("arn:aws:bedrock:::foundation-model/stub.ok", self.models_of(control, arn + profiles.ANYWHERE))
        self.assertEqual(aws_client.ask(self.runtime, CONVERSE, arn + profiles.MOVES, HELLO).text, cases.ANSWER)

    def models_of(self, control, identifier):
        return [model["modelArn"] for model in control.get_inference_profile(inferenceProfileIdentifier=identifier)["models"]]

    def test_ids_in_arns_and_behind_geographies(self):
        for model_id in ("eu.stub.ok", "arn:aws:bedrock:eu-central-1::foundation-model/stub.ok",
                         "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.stub.ok"):
            with self.subTest(model_id):
                self.assertEqual(aws_client.ask(self.runtime, CONVERSE, model_id, HELLO).text, cases.ANSWER)
                self.assertEqual(self.stub.received(model_id), 1)

    def test_a_bearer_key_opens_too(self):
        found = aws_client.ask(aws_client.bearer_client(self.stub.url, BEARER), STREAM, "stub.ok", HELLO)
        self.assertEqual(found.text, cases.ANSWER, found.error)
        self.assertEqual(self.stub.report()["logins"], {"bearer": 1})


class TruthIsAWellFormedAnswer(unittest.TestCase):
    """What is not meant to be strange is what AWS's model describes."""

    def setUp(self):
        self.model = service_model.load(places.BEDROCK)[0]
        self.names = [case.name for case in cases.CASES if not case.name.startswith(BEYOND_THE_MODEL)]

    def test_answers(self):
        for name in self.names:
            with self.subTest(name):
                body = json.loads(answers.converse(name, scripts.of(name)).steps[0])
                self.assertEqual(self.model.check_answer(self.model.operations["Converse"], body), [])

    def test_events(self):
        members = self.model.shapes["ConverseStreamOutput"]["members"]
        for name in self.names:
            for kind, payload in streams.events_of(scripts.of(name)):
                with self.subTest(name=name, kind=kind):
                    self.assertEqual(self.model.check_value(members[kind]["shape"], payload), [])

    def test_traces_hold_what_must_not_be_kept(self):
        names = [name for name in self.names if name.startswith("stub.guardrail.")]
        said = json.dumps([scripts.of(name).trace for name in names])
        for canary in (*cases.MATCHES.values(), cases.UNMASKED_OUTPUT):
            self.assertEqual(said.count(canary) % 3, 0)
            self.assertGreaterEqual(said.count(canary), 3)


class Wire(WithStub):
    def exchange(self, data):
        with self.stub.connect() as connection:
            connection.sendall(data)
            received = b""
            while piece := connection.recv(65536):
                received += piece
            return received

    def test_connections_persist_and_requests_may_follow_each_other(self):
        last = request_bytes("/model/stub.ok/converse", HELLO, headers=[("Connection", "close")])
        received = self.exchange(request_bytes("/model/stub.ok/converse", HELLO) * 3 + last)
        self.assertEqual(received.count(b"HTTP/1.1 200 OK"), 4)
        self.assertEqual(self.stub.received("stub.ok"), 4)

    def test_chunked_requests(self):
        body = json.dumps(HELLO).encode()
        chunked = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, body[:10], len(body) - 10, body[10:])
        head = request_bytes("/model/stub.ok/converse", headers=[("Transfer-Encoding", "chunked"), ("Connection", "close")])
        self.assertIn(b"200 OK", self.exchange(head.replace(b"Content-Length: 0\r\n", b"") + chunked))

    def test_a_path_that_is_no_operation(self):
        received = self.exchange(request_bytes("/model/a/b/converse", HELLO, headers=[("Connection", "close")]))
        self.assertIn(b"UnknownOperationException", received)

    def test_nobody_is_answered_without_a_credential(self):
        received = self.exchange(request_bytes("/model/stub.ok/converse", HELLO, bearer=None, headers=[("Connection", "close")]))
        self.assertIn(b"403 Forbidden", received)
        self.assertIn(b"x-amzn-ErrorType: AccessDeniedException", received)

    def test_a_reset_is_a_reset_and_a_close_is_a_close(self):
        for name in ("stub.reset", "stub.reset-in-head"):
            with self.subTest(name), self.assertRaises(ConnectionResetError):
                self.exchange(request_bytes(f"/model/{name}/converse", HELLO))
        self.assertEqual(self.exchange(request_bytes("/model/stub.close/converse", HELLO)), b"")

    def test_the_ledger_tells_who_left(self):
        with self.stub.connect() as connection:
            connection.sendall(request_bytes("/model/stub.stream.stall/converse-stream", HELLO))
            self.assertIn(b"200 OK", connection.recv(4096))
        endings = set()
        while not endings:
            endings = {row["ending"] for row in self.stub.report()["endings"]}
        # Whether the stub notices at its wait or at a write depends on how the caller's system says goodbye.
        self.assertLessEqual(endings, {"stall", "caller left"})
        self.assertEqual(self.stub.report()["last"][-1]["body"], HELLO)
        self.assertNotIn("Authorization", self.stub.report()["last"][-1]["headers"])

    def test_a_thousand_callers_at_once(self):
        async def one(start):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.stub.port)
            writer.write(request_bytes("/model/stub.stream.stall/converse-stream", HELLO))
            await reader.readuntil(b"\r\n\r\n")
            self.open += 1
            await start.wait()
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", self.stub.port)
            writer.write(request_bytes("/model/stub.ok/converse-stream", HELLO, headers=[("Connection", "close")]))
            whole = await reader.read()
            writer.close()
            return whole.endswith(b"0\r\n\r\n")

        async def everybody():
            start = asyncio.Event()
            callers = [asyncio.create_task(one(start)) for _ in range(1000)]
            while self.open < 1000:
                await asyncio.sleep(0.05)
            start.set()
            return await asyncio.gather(*callers)

        self.open = 0
        self.assertTrue(all(asyncio.run(asyncio.wait_for(everybody(), 120))))
        self.assertEqual(self.stub.received("stub.ok"), 1000)


if __name__ == "__main__":
    # botocore leaves sockets to the garbage collector; that is not what is tested.
    unittest.main(module=None, warnings="ignore", argv=[sys.argv[0], "discover", "-s", str(HERE), *sys.argv[1:]])
