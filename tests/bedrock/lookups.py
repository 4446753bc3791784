#!/usr/bin/env python3
"""What AWS tells about inference profiles, through a real Custody: what stops the start, what a call is priced as, and what happens to
a route whose profile changes while Custody runs.

Needs boto3 (requirements.txt). Fails on any difference.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cases
import fronts
import profiles
from custody_process import CAPABILITY, POLICY, PROMPT, Custody
from harness import RunningStub

ARN = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/"
SYSTEM_ARN = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/"
# The model, the route's other keys, what the start says of it.
REFUSED = {
    "missing": (ARN + profiles.MISSING, "", "AWS knows no such inference profile"),
    "denied": (ARN + profiles.DENIED, "", "does not let these credentials ask (bedrock:GetInferenceProfile)"),
    "throttled": (ARN + profiles.THROTTLED, "", "AWS throttled the question until its time was over"),
    "slow": (ARN + profiles.SLOW, "", "AWS did not answer in time"),
    "garbage": (ARN + profiles.GARBAGE, "", "AWS's answer can't be read"),
    "another": (ARN + profiles.ANOTHER, "", "names no single model"),
    "two-models": (ARN + profiles.TWO_MODELS, "", "names no single model"),
    "model": (ARN + "eu.stub.ok", 'inference_profile.model = "stub.other"', "is `stub.other`, and AWS says `stub.ok`"),
    "regions": (ARN + "us.stub.ok", 'inference_profile.regions = ["us-east-1"]', "are us-east-1, and AWS says us-east-1, us-east-2, us-west-2"),
    "region": (ARN + "apac.stub.ok", 'region = "eu-central-1"', "and the model may run in ap-northeast-1, ap-southeast-2"),
    "stays": ("eu.stub.ok", 'allowed_regions = ["eu-central-1"]', "does not hold eu-north-1"),
    "anywhere": (ARN + profiles.ANYWHERE, 'allowed_regions = ["eu-central-1"]', "where the profile runs is not"),
}
# How often each is asked about, at least and at most. Pauses of a throttled one are 2 s at most, and it has 20 s.
TIMES = {profiles.MISSING: (1, 1), profiles.DENIED: (1, 1), profiles.THROTTLED: (8, 25), "eu.stub.ok": (2, 2)}
# A profile for each of so many tenants, and a second route to each.
CROWD = {f"{twin}{place}": (f"{ARN}{profiles.CROWD}{place}", "", 1) for place in range(100) for twin in ("one-", "two-")}
EUROPE = 'allowed_regions = ["eu-central-1", "eu-west-1", "eu-north-1"]'
# The model, the route's other keys, how many times the model's own price it costs.
PRICED = {
    "plain": ("stub.ok", "", 1),
    "one-region": (ARN + "abc123", 'region = "eu-central-1"', 1),
    "over-europe": (ARN + "eu.stub.ok", EUROPE, 2),
    "system-id": ("eu.stub.ok", EUROPE, 2),
    "system-arn": (SYSTEM_ARN + "eu.stub.ok", EUROPE, 2),
    "anywhere": (ARN + profiles.ANYWHERE, "", 3),
    "stated": (ARN + "abc456", 'inference_profile = { model = "stub.ok", regions = ["eu-central-1", "eu-west-1"] }', 2),
    "last-word": (ARN + "eu.stub.ok", 'priced_as = "stub.ok"', 1),
    "throttled-once": (ARN + profiles.ONCE, "", 1),
    "moves": (ARN + profiles.MOVES, EUROPE, 2),
    "moves-freely": (ARN + profiles.MOVES, 'inference_profile.geography = "eu"', 2),
    "falters": (ARN + profiles.FALTERS, EUROPE, 2),
}
PRICE = """
version = "lookups"
currency = "USD"
[[entries]]
id = "stub.ok"
provider = "bedrock"
model = "stub.ok"
effective_from = 2023-01-01
[entries.per_million_tokens]
input = "3"
cache_read = "0.7"
cache_write_5m = "11"
cache_write_1h = "17"
output = "23"
[entries.premiums]
eu = "2"
global = "3"
"""
# A question is asked again that often; and so long a change may take to be seen.
EVERY_S, PATIENCE_S = 1, 30


class Deployment(Custody):
    """`custody up` with a route for each of `routes`."""

    def __init__(self, binary, work, stub_url, routes, asks=True, every_s=EVERY_S):
        self.routes, self.asks, self.every_s = routes, asks, every_s
        super().__init__(binary, work, stub_url, ())

    def _write(self, stub_url):
        main = self.workspace / "custody.toml"
        asks = f'lookup_profiles = true\ncontrol_endpoint_url = "{stub_url}"\nlookup_every_s = {self.every_s}\n' if self.asks else ""
        provider = f'\n[providers.bedrock]\nkind = "bedrock"\nregion = "eu-central-1"\nendpoint_url = "{stub_url}"\n{asks}'
        main.write_text(main.read_text() + provider + "".join(_route(name, *keys) for name, keys in self.routes.items()))
        (self.workspace / "policies/bedrock.cedar").write_text(POLICY)
        prompt = self.workspace / "prompts/bedrock-case/v1.toml"
        prompt.parent.mkdir(parents=True)
        prompt.write_text(PROMPT)
        for name in self.routes:
            (self.workspace / f"capabilities/lookup-{name}.toml").write_text(CAPABILITY.format(name=f"lookup.{name}"))
        shutil.rmtree(self.workspace / "prices")
        (self.workspace / "prices").mkdir()
        (self.workspace / "prices/lookups.toml").write_text(PRICE)

    def ask(self, name):
        return fronts.ask(fronts.OPENAI, self.url, self.key, f"lookup.{name}", False)

    def fails(self):
        """What it says instead of starting, and its exit code."""
        command = [self.binary, "up", "--data-dir", str(self.data), "--listen", "127.0.0.1:0"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=120)
        return done.stderr, done.returncode


def _route(name, model, keys, *_):
    return f'\n[routes."lookup.{name}"]\nprovider = "bedrock"\nmodel = "{model}"\ndata_class_ceiling = "restricted"\n{keys}\n'


def refused(binary, work, stub):
    """Every mistake is told in one run."""
    began = time.monotonic()
    said, code = Deployment(binary, work, stub.url, REFUSED).fails()
    took = time.monotonic() - began
    found = [f"{name}: the start does not say `{sentence}`" for name, (_, _, sentence) in REFUSED.items()
             if not any(f"lookup.{name}" in line and sentence in line for line in said.replace(" | ", "\n").splitlines())]
    found += [f"{name}: AWS was asked {times} times" for name, times, (least, most) in _times(stub) if not least <= times <= most]
    found += ["the start quotes what AWS said"] * (cases.UPSTREAM_MESSAGE in said)
    found += [f"the start took {took:.0f} s"] * (took > 60)
    found += [f"the start ended with {code}: {said[-2000:]}"] * (code != 2 or bool(found))
    print(f"refused: {len(REFUSED)} routes, the start took {took:.1f} s and ended with {code}")
    return found


def _times(stub):
    return [(name, stub.received(ARN + name) + stub.received(name), wanted) for name, wanted in TIMES.items()]


def crowded(binary, work, stub):
    """Many profiles and a throttled account: the start takes its time, and each profile is asked about until AWS tells."""
    stub.reset()
    custody = Deployment(binary, work, stub.url, CROWD, every_s=3600)
    began = time.monotonic()
    custody.start()
    took = time.monotonic() - began
    seen = [custody.ask(name).status for name in ("one-0", "two-0", "one-99", "two-99")]
    custody.stop()
    rows = [row for row in stub.report()["requests"] if row["operation"] == "GetInferenceProfile"]
    asked = sum(row["count"] for row in rows)
    print(f"crowded: {len(CROWD)} routes to {len(rows)} profiles, {asked} questions, the start took {took:.1f} s, callers got {seen}")
    found = [f"{len(rows)} profiles were asked about"] * (len(rows) != len(CROWD) // 2)
    found += ["nothing was throttled"] * (asked == len(rows))
    return found + [f"callers got {seen}"] * (set(seen) != {200})


def unasked(binary, work, stub):
    """Where nobody allowed it, AWS is asked nothing."""
    stub.reset()
    custody = Deployment(binary, work, stub.url, {"one": (ARN + "abc123", "")}, asks=False)
    custody.start()
    seen = custody.ask("one")
    custody.stop()
    asked = [row for row in stub.report()["requests"] if row["operation"] == "GetInferenceProfile"]
    (cost,) = custody.sql("select amount_pico, finding from costs")
    print(f"unasked: {len(asked)} questions, the caller got {seen.status}, the cost is {cost}")
    found = [f"AWS was asked {asked}"] * bool(asked)
    found += [f"the caller got {seen.status} {seen.code}"] * (seen.status != 200)
    return found + [f"a call behind an unknown model costs {cost}"] * (cost["finding"] != "missing_price")


def used(binary, work, stub):
    stub.reset()
    custody = Deployment(binary, work, stub.url, PRICED)
    custody.start()
    found = [f"{name}: the caller got {seen.status} {seen.code}"
             for name, seen in ((name, custody.ask(name)) for name in PRICED if name != "moves") if seen.status != 200]
    found += changes(custody)
    custody.stop()
    log = custody.log.read_text(errors="replace")
    found += [f"the log does not say `{words}`" for words in ("an inference profile changed", "could not be asked about again") if words not in log]
    found += ["the log quotes what AWS said"] * (cases.UPSTREAM_MESSAGE in log)
    return found + prices(custody) + recorded(custody)


def changes(custody):
    """The profile that moved takes its route out of use; where no rule of the route is broken, and where AWS only fell silent, it stays."""
    until = time.monotonic() + PATIENCE_S
    while (seen := custody.ask("moves")).status == 200 and time.monotonic() < until:
        time.sleep(0.2)
    found = [f"moves: the caller got {seen.status} {seen.code}"] * ((seen.status, seen.code) != (503, "routes_unavailable"))
    while "could not be asked about again" not in custody.log.read_text(errors="replace") and time.monotonic() < until:
        time.sleep(0.2)
    for name in ("moves-freely", "falters"):
        seen = custody.ask(name)
        found += [f"{name}: the caller got {seen.status} {seen.code} after the change"] * (seen.status != 200)
    return found


def prices(custody):
    rows = custody.sql("select r.capability, c.amount_pico, c.finding from costs c join requests r on c.request_id = r.request_id")
    one = next(row["amount_pico"] for row in rows if row["capability"] == "lookup.plain")
    found = [f"the model's own price is {one}"] * (not one)
    for row in rows:
        wanted = PRICED[row["capability"].removeprefix("lookup.")][2] * one
        if (row["amount_pico"], row["finding"]) != (wanted, None):
            found.append(f"{row['capability']}: costs {row['amount_pico']} ({row['finding']}) and not {wanted}")
    print(f"used: {len(rows)} calls priced, the model's own price is {one} pico-dollars")
    return found


def recorded(custody):
    rows = custody.sql("select control_subject as subject, control_parameters as parameters from events "
                       "where kind = 'control' and control_action = 'profile_changed'")
    print(f"used: {rows}")
    shown = {row["subject"]: str(row["parameters"]) for row in rows}
    found = [f"changes were recorded of {sorted(shown)}"] * (set(shown) != {"lookup.moves", "lookup.moves-freely"})
    found += ["a change names no Region"] * any("us-east-1" not in text for text in shown.values())
    reasons = custody.sql("select distinct unnest(route_reasons) as reason from events where kind = 'route'")
    return found + ["no route event says profile_changed"] * ("profile_changed" not in {row["reason"] for row in reasons})


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options = options.parse_args()
    found, stub = [], RunningStub()
    try:
        for check in (refused, crowded, unasked, used):
            work = Path(tempfile.mkdtemp(prefix="custody-lookups-"))
            try:
                found += [f"{check.__name__}: {one}" for one in check(options.binary, work, stub)]
            finally:
                shutil.rmtree(work)
    finally:
        stub.stop()
    print("\n".join(f"DIFFERS: {one}" for one in found))
    print(f"{len(REFUSED) + len(CROWD) + len(PRICED) + 1} routes, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
