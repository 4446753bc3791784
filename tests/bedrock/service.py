"""From a request to an answer: which operation it is, who asks, whether it is valid, and what its case says."""

import datetime
import json

import answers
import cases
import conversation_rules
import profiles
import scripts
import service_model
import signature
import streams
from answers import Pause

CONVERSING = (cases.CONVERSE, cases.STREAM)
GEOGRAPHIES = ("eu.", "us.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca.")


class Service:
    def __init__(self, models, door, ledger, seed):
        self.models, self.door, self.ledger = models, door, ledger
        self.refusals, self.profiles = answers.Refusals(models[0].statuses, seed), profiles.Profiles()

    def reset(self):
        self.refusals.counts.clear()
        self.profiles.reset()

    def answer(self, request):
        """The answer to a `SignedRequest`, and the key under which the ledger counts how it ends."""
        found = service_model.find_operation(self.models, request.method, request.path)
        if found is None:
            self.ledger.received(None, "unknown", request.headers, None)
            return answers.error("UnknownOperationException", 404, "No operation answers here."), (None, "unknown")
        model, operation, values = found
        model_id = next(iter(values.values()), None)
        entry = self.ledger.received(model_id, operation.name, request.headers, _parsed(request.body))
        given = self._admitted(model, operation, values, request, entry)
        self.ledger.answered(model_id, operation.name, None if given.before else given.status)
        return given, (model_id, operation.name)

    def _admitted(self, model, operation, values, request, entry):
        try:
            login = self.door.check(request, datetime.datetime.now(datetime.timezone.utc))
            self.ledger.logins[login] += 1
            self._check(model, operation, values, request)
        except signature.Denied as denied:
            self.ledger.refused(entry, denied.code)
            return answers.error(denied.code, 403, denied.message)
        except service_model.Invalid as invalid:
            self.ledger.refused(entry, "ValidationException")
            return answers.error("ValidationException", 400, str(invalid))
        return self._of_case(operation.name, next(iter(values.values()), ""))

    def _check(self, model, operation, values, request):
        headers = {name.lower(): value for name, value in request.headers}
        if model.shapes[operation.input].get("payload"):
            model.check_request(operation, values, headers, request.body)
            _check_invocation(headers)
            return
        body = _parsed(request.body)
        if request.body and body is None:
            raise service_model.Invalid("The body is not JSON")
        model.check_request(operation, values, headers, body)
        if operation.name in CONVERSING:
            conversation_rules.check(values["modelId"], body or {})
        if operation.name == "CountTokens" and "converse" in body["input"]:
            conversation_rules.check(values["modelId"], body["input"]["converse"])

    def _of_case(self, operation, identifier):
        if operation == "GetInferenceProfile":
            return self.profiles.get(identifier)
        name = case_name(identifier)
        if profiles.APPLICATION in identifier and not is_known(name):
            name = profiles.MODEL
        if operation not in (*CONVERSING, "CountTokens", "InvokeModel"):
            return answers.error("UnknownOperationException", 404, "The stub does not speak this operation.")
        special = answers.of_connection(name, operation) or self.refusals.of(name, operation)
        if special:
            return special
        if not is_known(name):
            return answers.error("ResourceNotFoundException", 404, "The stub has no such case.")
        script = scripts.of(name)
        if operation == "CountTokens":
            return answers.count_tokens(script)
        if operation == "InvokeModel":
            return answers.invoke_model(script)
        # A case about streams is a plain answer where no stream is asked for.
        given = streams.converse_stream(name) if operation == cases.STREAM else answers.converse(name, script)
        if name.startswith("stub.delay."):
            given.before = [Pause(int(name.rpartition(".")[2]) / 1000)]
        return given


def case_name(identifier):
    """`stub.…`, out of an ARN and behind a geography."""
    name = identifier.rpartition("/")[2]
    for geography in GEOGRAPHIES:
        name = name.removeprefix(geography)
    return name


def is_known(name):
    return name in cases.BY_NAME or name.startswith(("stub.delay.", "stub.flaky.", "stub.failing")) or name == answers.REDIRECTED


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


def _check_invocation(headers):
    if headers.get("content-type", "application/json") != "application/json":
        raise service_model.Invalid("The content type of this model is application/json.")
    if "x-amzn-bedrock-request-metadata" in headers and not isinstance(_parsed(headers["x-amzn-bedrock-request-metadata"]), dict):
        raise service_model.Invalid("Value at 'requestMetadata' failed to satisfy constraint: Member must be JSON")
