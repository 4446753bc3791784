"""The workspace that the scan drives: a capability for each way of answering, at each kind of provider, once with every text kept and once
with none."""

import re
import shutil

from echo import MODES

KEPT, FREE = "kept", "free"
REVIEWERS = "reviewers"
POLICY = """
@id("leaks.echo")
permit (principal in Tenant::"acme", action == Action::"InvokeCapability", resource)
when { resource.owner == "leaks" };

@id("leaks.routes")
permit (principal, action == Action::"UseRoute", resource)
when { resource.provider == "bedrock" || resource.provider == "openai_compatible" };

@id("leaks.reveal")
permit (principal in Group::"reviewers", action == Action::"RevealContent", resource);
"""
PROMPT = """
id = "leaks"
version = 1
owner = "leaks"
approved_by = "tests"
text = "You say back what you are told."
"""
CAPABILITY = """
name = "{name}"
owner = "leaks"
control_level = "internal"
data_class = "internal"
handling = "display"
feature = "leaks"
workflow = "scan"
scope = ["acme"]
routes = ["{route}"]
caller_system = "demote"
[prompt]
id = "leaks"
version = 1
[limits]
max_input_bytes = 8388608
[validation]
non_empty = false
{validation}
"""
SCHEMA = """on_invalid = "refuse"
json_schema = '{"type": "object", "required": ["right"]}'"""
# Texts above a KiB go to the vault's store, so that both ways are taken.
HANDLING = """
version = 3
claim_above_bytes = 1024

[feedback]
reasons = ["wrong"]

[retention.short]
days = 30

[[rule]]
name = "leaks"
capability = [{capabilities}]
capture = ["prompt", "response", "tool_arguments", "retrieved_text", "feedback"]
purpose = "leak-scan"
retention = "short"
reveal = {{ groups = ["reviewers"], second_person = false, per_hour = 1000 }}
"""
PRICE = """
version = "leaks"
currency = "USD"
"""
ENTRY = """
[[entries]]
id = "{provider}-{model}"
provider = "{provider}"
model = "{model}"
effective_from = 2023-01-01
[entries.per_million_tokens]
input = "3"
output = "7"
"""
PROVIDERS = {"chat": "openai_compatible", "converse": "bedrock", "sim": "simulator"}


def capabilities():
    """Name, provider, way of answering."""
    for keeping in (KEPT, FREE):
        for provider in ("chat", "converse"):
            for mode in MODES:
                yield f"{provider}.{mode}.{keeping}", provider, mode
        yield f"sim.defect.{keeping}", "sim", "defect"


def write(workspace, echo_url):
    """Over the example workspace."""
    main = workspace / "custody.toml"
    text = main.read_text().replace('unsafe_values = "drop"', 'unsafe_values = "hash"')
    text = re.sub(r"(?m)^\[limits\]$", "[limits]\nattempt_timeout_ms = 5000\nretry_pause_ms = 5", text)
    # Every failure is one of the request's own making: no route may be taken for broken.
    text += "\n[breaker]\nmin_attempts = 1000000\n"
    text += f'\n[providers.chat]\nkind = "openai_compatible"\nbase_url = "{echo_url}/v1"\nlabels = true\n'
    text += f'\n[providers.converse]\nkind = "bedrock"\nregion = "eu-central-1"\nendpoint_url = "{echo_url}"\n'
    text += '\n[providers.sim]\nkind = "simulator"\n'
    routes = {(provider, mode) for _, provider, mode in capabilities()}
    text += "".join(_route(provider, mode) for provider, mode in sorted(routes))
    main.write_text(text)
    (workspace / "policies/leaks.cedar").write_text(POLICY)
    prompt = workspace / "prompts/leaks/v1.toml"
    prompt.parent.mkdir(parents=True, exist_ok=True)
    prompt.write_text(PROMPT)
    for name, provider, mode in capabilities():
        validation = SCHEMA if mode == "schema" else 'on_invalid = "flag"'
        file = workspace / f"capabilities/{name.replace('.', '-')}.toml"
        file.write_text(CAPABILITY.format(name=name, route=f"{provider}.{mode}", validation=validation))
    shutil.rmtree(workspace / "prices")
    (workspace / "prices").mkdir()
    entries = "".join(ENTRY.format(provider=PROVIDERS[provider], model=f"echo-{mode}") for provider, mode in sorted(routes))
    (workspace / "prices/leaks.toml").write_text(PRICE + entries)
    kept = ", ".join(f'"{name}"' for name, _, _ in capabilities() if name.endswith(KEPT))
    (workspace / "data-handling.toml").write_text(HANDLING.format(capabilities=kept))


def _route(provider, mode):
    region = 'region = "eu-central-1"\n' if provider == "converse" else 'region = "local"\n'
    return f'\n[routes."{provider}.{mode}"]\nprovider = "{provider}"\nmodel = "echo-{mode}"\n{region}data_class_ceiling = "restricted"\n'
