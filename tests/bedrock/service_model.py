"""AWS service models, and whether a request obeys one: everything that a model can say, at the path where it is broken."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

FILES = ("bedrock-runtime.service-2.json", "bedrock.service-2.json")


class Invalid(Exception):
    """What AWS answers with a ValidationException."""


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    route: re.Pattern
    input: str
    output: str
    errors: tuple


class ServiceModel:
    """Operations and shapes of one service."""

    def __init__(self, text):
        model = json.loads(text)
        self.shapes = model["shapes"]
        self.operations = {name: _operation(name, form) for name, form in model["operations"].items()}
        self.statuses = {name: shape["error"]["httpStatusCode"] for name, shape in self.shapes.items() if shape.get("exception")}

    def check_request(self, operation, path_values, headers, body):
        """Raises `Invalid` with all violations. `body` is parsed JSON, or bytes where the body itself is one member."""
        shape = self.shapes[operation.input]
        values, broken = {}, []
        for name, member in shape["members"].items():
            place, key = member.get("location"), member.get("locationName", name)
            if place == "uri":
                values[name] = path_values.get(key)
            elif place == "header" and key.lower() in headers:
                values[name] = headers[key.lower()]
        if payload := shape.get("payload"):
            self._check(shape["members"][payload]["shape"], body, payload, broken)
        elif isinstance(body, dict):
            unbound = {name: member for name, member in shape["members"].items() if "location" not in member}
            broken += [f"Unknown member at '{name}'" for name in body if name not in unbound]
            values |= {name: body[name] for name in body if name in unbound}
        elif body is not None:
            raise Invalid("The body is not a JSON object")
        self._check_members(shape, values, "", broken)
        if broken:
            raise Invalid(f"{len(broken)} validation error{'s' * (len(broken) > 1)} detected: {'; '.join(broken)}")

    def check_answer(self, operation, body):
        """The same for an answer: violations as a list. For tests of what this stub itself says."""
        return self.check_value(operation.output, body)

    def check_value(self, shape, value):
        broken = []
        self._check(shape, value, "", broken)
        return broken

    def _check(self, shape_name, value, path, broken):
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if shape.get("document"):
            return
        check = getattr(self, f"_check_{kind}", None) or self._check_number
        check(shape, value, path, broken)

    def _check_structure(self, shape, value, path, broken):
        if not isinstance(value, dict):
            broken.append(_wrong_type(path, "a structure"))
            return
        members = {_wire_name(name, member): name for name, member in shape["members"].items()}
        broken += [f"Unknown member at '{_join(path, name)}'" for name in value if name not in members]
        known = {members[name]: value[name] for name in value if name in members and value[name] is not None}
        if shape.get("union") and len(value) != 1:
            broken.append(f"Value at '{path}' failed to satisfy constraint: Member must have exactly one of {', '.join(members)}")
        self._check_members(shape, known, path, broken)

    def _check_members(self, shape, values, path, broken):
        for name in shape.get("required", ()):
            if values.get(name) is None:
                broken.append(f"Value at '{_join(path, name)}' failed to satisfy constraint: Member must not be null")
        for name, value in values.items():
            if value is not None and name in shape["members"]:
                self._check(shape["members"][name]["shape"], value, _join(path, name), broken)

    def _check_list(self, shape, value, path, broken):
        if not isinstance(value, list):
            broken.append(_wrong_type(path, "a list"))
            return
        _check_length(shape, value, len(value), path, broken)
        for place, item in enumerate(value, 1):
            self._check(shape["member"]["shape"], item, f"{path}.{place}.member", broken)

    def _check_map(self, shape, value, path, broken):
        if not isinstance(value, dict):
            broken.append(_wrong_type(path, "a map"))
            return
        _check_length(shape, value, len(value), path, broken)
        for key, item in value.items():
            self._check(shape["key"]["shape"], key, f"{path}.{key}.key", broken)
            self._check(shape["value"]["shape"], item, f"{path}.{key}.value", broken)

    def _check_string(self, shape, value, path, broken):
        if not isinstance(value, str):
            broken.append(_wrong_type(path, "a string"))
            return
        _check_length(shape, value, len(value), path, broken)
        if "enum" in shape and value not in shape["enum"]:
            broken.append(_broken(value, path, f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"))
        if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
            broken.append(_broken(value, path, f"Member must satisfy regular expression pattern: {shape['pattern']}"))

    def _check_blob(self, shape, value, path, broken):
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except binascii.Error:
                broken.append(_wrong_type(path, "base64"))
                return
        if not isinstance(value, bytes):
            broken.append(_wrong_type(path, "base64"))
            return
        _check_length(shape, b"", len(value), path, broken)

    def _check_boolean(self, _shape, value, path, broken):
        if not isinstance(value, bool):
            broken.append(_wrong_type(path, "a boolean"))

    def _check_timestamp(self, _shape, value, path, broken):
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            broken.append(_wrong_type(path, "a timestamp"))

    def _check_number(self, shape, value, path, broken):
        whole = shape["type"] in ("integer", "long")
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            broken.append(_wrong_type(path, "a whole number" if whole else "a number"))
            return
        if "min" in shape and not value >= shape["min"]:
            broken.append(_broken(value, path, f"Member must have value greater than or equal to {shape['min']}"))
        if "max" in shape and not value <= shape["max"]:
            broken.append(_broken(value, path, f"Member must have value less than or equal to {shape['max']}"))


def load(folder):
    """Runtime and control plane: the services that this stub stands for. Without the folder, as the installed botocore has them."""
    if Path(folder).is_dir():
        return [ServiceModel((Path(folder) / name).read_text()) for name in FILES]
    from botocore.loaders import Loader

    return [ServiceModel(json.dumps(Loader().load_service_model(name.partition(".")[0], "service-2"))) for name in FILES]


def find_operation(models, method, path):
    """The operation that a request line means, its model, and the values in the path; nothing where there is none."""
    for model in models:
        for operation in model.operations.values():
            found = operation.route.fullmatch(path) if operation.method == method else None
            if found:
                return model, operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _operation(name, form):
    # A label is one segment; a slash inside it must come encoded. `{name+}` may span segments.
    def group(label):
        greedy = label[1].endswith("+")
        return f"(?P<{label[1].rstrip('+')}>{'.+' if greedy else '[^/]+'})"

    route = re.sub(r"\{([^}]+)\}", group, form["http"]["requestUri"].partition("?")[0])
    errors = tuple(error["shape"] for error in form.get("errors", ()))
    output = form.get("output", {}).get("shape")
    return Operation(name, form["http"]["method"], re.compile(route), form.get("input", {}).get("shape"), output, errors)


@lru_cache(maxsize=None)
def _pattern(text):
    return re.compile(text)


def _check_length(shape, value, length, path, broken):
    if length < shape.get("min", 0):
        broken.append(_broken(value, path, f"Member must have length greater than or equal to {shape['min']}"))
    if "max" in shape and length > shape["max"]:
        broken.append(_broken(value, path, f"Member must have length less than or equal to {shape['max']}"))


def _broken(value, path, constraint):
    # AWS quotes the value. So does the stub: whoever passes such a message on leaks what was asked.
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _wrong_type(path, wanted):
    return f"Value at '{path}' failed to satisfy constraint: Member must be {wanted}"


def _wire_name(name, member):
    return member.get("locationName", name)


def _join(path, name):
    return f"{path}.{name}" if path else name
