"""`custody up` on a folder of its own, with one capability a case, each on a route of its own to what stands in for Bedrock."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import ACCESS_KEY, SECRET_KEY

# Dollars per million tokens. Primes, so that an amount tells which counts it was made of.
PRICES = {"input": "3", "cache_read": "0.7", "cache_write_5m": "11", "cache_write_1h": "17", "output": "23"}
# Dollars per unit of a guardrail's policies, primes again.
GUARDRAIL_PRICES = {"topic": "0.00031", "content": "0.00037", "word": "0", "sensitive": "0.00041", "sensitive_free": "0", "grounding": "0.00043"}
# Long enough for every answer that comes, short enough to wait for those that do not.
ATTEMPT_TIMEOUT_MS = 4000
OWNER = "bedrock-cases"

POLICY = f"""
@id("bedrock.cases")
permit (principal is Service in Tenant::"acme", action == Action::"InvokeCapability", resource)
when {{ resource.owner == "{OWNER}" }};

@id("route.bedrock")
permit (principal, action == Action::"UseRoute", resource)
when {{ resource.provider == "bedrock" }};
"""
SYSTEM = "You answer where parcels are."
PROMPT = f"""
id = "bedrock-case"
version = 1
owner = "bedrock-cases"
approved_by = "tests"
text = "{SYSTEM}"
"""
CAPABILITY = """
name = "{name}"
owner = "bedrock-cases"
control_level = "internal"
data_class = "internal"
handling = "display"
feature = "bedrock"
workflow = "case"
scope = ["acme"]
routes = ["{name}"]
caller_system = "refuse"
[prompt]
id = "bedrock-case"
version = 1
[validation]
non_empty = false
on_invalid = "flag"
[limits]
max_output_tokens = 256
"""


def capability_of(case):
    return "case." + case.name.removeprefix("stub.")


class Custody:
    def __init__(self, binary, work, provider_url, cases, attempt_timeout_ms=ATTEMPT_TIMEOUT_MS):
        self.binary, self.data = str(binary), work / "data"
        self.cases, self.attempt_timeout_ms = cases, attempt_timeout_ms
        self.workspace, self.log = self.data / "workspace", work / "up.log"
        known = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": "eu-central-1"}
        # Nothing of the machine's own AWS settings may reach the program.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {"RUST_LOG": "warn", **kept, **known, "AWS_EC2_METADATA_DISABLED": "true"}
        self.process = None
        # The first start writes the example workspace and prints its keys once.
        self.key = self.start()["acme"]
        # It has nothing to lose yet, and may be told to end before it listens for that.
        self.end()
        self._write(provider_url)

    def start(self):
        """Starts, waits until it is ready, and returns the keys it printed."""
        command = [self.binary, "up", "--data-dir", str(self.data), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True, env=self.environment)
        keys = {}
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["key"]:
                keys[words[1]] = words[2]
            if words[:1] == ["gateway"]:
                self.url = words[1].removesuffix("/v1")
            if words[:1] == ["ready"]:
                return keys
        raise RuntimeError(f"custody up ended with {self.process.wait()}: {self.log.read_text()[-4000:]}")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.read()
        return self.process.wait(60)

    def stop(self):
        """Everything recorded is in the lake afterwards."""
        if self.end() != 0:
            raise RuntimeError(f"custody up ended badly: {self.log.read_text()[-4000:]}")

    def sql(self, statement):
        command = [self.binary, "sql", "--data-dir", str(self.data), "--format", "json", statement]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise RuntimeError(f"custody sql: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _write(self, provider_url):
        main = self.workspace / "custody.toml"
        limits = f"[limits]\nattempt_timeout_ms = {self.attempt_timeout_ms}\nretry_pause_ms = 10"
        text = re.sub(r"(?m)^\[limits\]$", limits, main.read_text())
        providers = _provider("bedrock", provider_url) + _provider("bedrock_closed", closed_url())
        main.write_text(text + providers + "".join(map(_route, self.cases)))
        (self.workspace / "policies/bedrock.cedar").write_text(POLICY)
        prompt = self.workspace / "prompts/bedrock-case/v1.toml"
        prompt.parent.mkdir(parents=True, exist_ok=True)
        prompt.write_text(PROMPT)
        for number, case in enumerate(self.cases):
            (self.workspace / f"capabilities/case-{number:03}.toml").write_text(CAPABILITY.format(name=capability_of(case)))
        # There is one book; the cases' prices replace the example's.
        shutil.rmtree(self.workspace / "prices")
        (self.workspace / "prices").mkdir()
        entries = "".join(map(_price, self.cases)) + _guardrail_prices()
        (self.workspace / "prices/cases.toml").write_text(f'version = "cases"\ncurrency = "USD"\n{entries}')


def closed_url():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _provider(name, url):
    return f'\n[providers.{name}]\nkind = "bedrock"\nregion = "eu-central-1"\nendpoint_url = "{url}"\n'


def _route(case):
    provider = "bedrock_closed" if case.unreachable else "bedrock"
    return (f'\n[routes."{capability_of(case)}"]\nprovider = "{provider}"\nmodel = "{case.name}"\nregion = "eu-central-1"\n'
            f'data_class_ceiling = "restricted"\n{case.route}')


def _price(case):
    prices = "".join(f'{name} = "{price}"\n' for name, price in PRICES.items())
    return (f'\n[[entries]]\nid = "{case.name}"\nprovider = "bedrock"\nmodel = "{case.name}"\neffective_from = 2023-01-01\n'
            f"[entries.per_million_tokens]\n{prices}")


def _guardrail_prices():
    prices = "".join(f'guardrail_{name} = "{price}"\n' for name, price in GUARDRAIL_PRICES.items())
    return ('\n[[entries]]\nid = "guardrails"\nprovider = "bedrock"\nmodel = "guardrails"\neffective_from = 2023-01-01\n'
            f"[entries.per_item]\n{prices}")
