#!/usr/bin/env python3
"""Prices random usages of every Bedrock entry of LiteLLM's file with Custody and with LiteLLM's own calculator, and compares.

usage: litellm_prices.py BINARY [FILE] [--draws N] [--seed N]        (Python with litellm_requirements.txt)

Three figures per draw: what `custody price quote` says, what LiteLLM says (floats, so within 1e-12), and an exact decimal sum of
the file's own numbers written here (equal to Custody's to the last digit). Where they differ, the draw must have used something for
which the file has no price: Custody then says `missing_price`, LiteLLM assumes another price. Anything else is unexplained: exit 1.
"""
import argparse, collections, json, os, random, subprocess, sys, tempfile
from decimal import Decimal
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402
from litellm.cost_calculator import cost_per_token  # noqa: E402
from litellm.litellm_core_utils.llm_cost_calc.guardrail_cost import bedrock_guardrail_cost  # noqa: E402
from litellm.litellm_core_utils.llm_cost_calc.tool_call_cost_tracking import StandardBuiltInToolCostTracking  # noqa: E402
from litellm.litellm_core_utils.llm_cost_calc.utils import flat_image_cost  # noqa: E402
from litellm.types.utils import (  # noqa: E402
    CacheCreationTokenDetails, CompletionTokensDetailsWrapper, ImageObject, ImageResponse, PromptTokensDetailsWrapper, Usage,
)

HERE = Path(__file__).resolve().parent
DEFAULT_FILE = HERE.parent.parent.parent / "shared" / "data" / "prices" / "litellm_bedrock.json"
SUFFIX = {"standard": "", "batch": "_batches", "flex": "_flex", "priority": "_priority", "ultrafast": "_ultrafast"}
CLASS_FIELD = {
    "input": "input_cost_per_token", "input_audio": "input_cost_per_audio_token", "input_image": "input_cost_per_image_token",
    "cache_read": "cache_read_input_token_cost", "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr", "output": "output_cost_per_token",
    "output_audio": "output_cost_per_audio_token",
}
ITEM_FIELD = {
    "input_image": "input_cost_per_image", "input_audio_second": "input_cost_per_audio_per_second",
    "input_video_second": "input_cost_per_video_per_second", "query": "input_cost_per_query",
}
UNIT_ITEM = {
    "topicPolicyUnits": "guardrail_topic", "contentPolicyUnits": "guardrail_content", "contentPolicyImageUnits": "guardrail_content_image",
    "wordPolicyUnits": "guardrail_word", "sensitiveInformationPolicyUnits": "guardrail_sensitive",
    "sensitiveInformationPolicyFreeUnits": "guardrail_sensitive_free", "contextualGroundingPolicyUnits": "guardrail_grounding",
    "automatedReasoningPolicyUnits": "guardrail_reasoning",
}


def subject(key):
    """The model, Region and variant that a key is about."""
    *before, model = key.split("/")
    parts = [part for part in before if part not in ("bedrock", "*")]
    is_region = lambda part: part[0].islower() and part.count("-") >= 2 and part.rsplit("-", 1)[1].isdigit()
    regions, others = [p for p in parts if is_region(p)], [p for p in parts if not is_region(p)]
    return model, (regions or [None])[0], "/".join(others) or None


def count(rng, zero=0.35):
    """Often nothing, else of any order of magnitude up to a million."""
    return 0 if rng.random() < zero else int(10 ** rng.uniform(0, 6))


class Draw:
    """A random usage of one entry."""

    def __init__(self, rng, key, entry):
        self.key, self.entry, self.items, self.tokens, self.service, self.geography = key, entry, {}, {}, "standard", None
        self.tokens = dict.fromkeys(CLASS_FIELD, 0)
        self.reasoning = 0
        self.kind = self.kind_of(entry)
        getattr(self, "draw_" + self.kind)(rng)

    @staticmethod
    def kind_of(entry):
        if entry["mode"] in ("guardrail", "rerank"):
            return entry["mode"]
        if entry["mode"] in ("image_generation", "image_edit"):
            return "image"
        return "seconds" if "cost_per_second" in entry else "tokens"

    def draw_guardrail(self, rng):
        self.items = {unit: rng.randrange(0, 5000) for unit in self.entry["guardrail_cost_per_unit"]}

    def draw_rerank(self, rng):
        self.items = {"query": rng.randrange(1, 1000)}

    def draw_image(self, rng):
        self.items = {"output_image": rng.randrange(1, 40)}

    def draw_seconds(self, rng):
        self.tokens["input"], self.tokens["output"] = count(rng), count(rng)
        self.items = {"request_second": rng.randrange(1, 600_000)}

    def draw_tokens(self, rng):
        priced = [s for s, suffix in SUFFIX.items() if suffix == "" or any(f.endswith(suffix) for f in self.entry)]
        self.service = rng.choice(priced) if rng.random() < 0.9 else rng.choice(list(SUFFIX))
        for name, field in CLASS_FIELD.items():
            if name in ("input", "output"):
                self.tokens[name] = count(rng, 0.1 if field in self.entry else 0.6)
            elif field in self.entry or (name.startswith("cache") and rng.random() < 0.05):
                self.tokens[name] = count(rng)
        self.reasoning = rng.randrange(0, self.tokens["output"] + 1) if rng.random() < 0.5 else 0
        if self.service == "standard":
            self.items = {item: rng.randrange(1, 50_000) for item, f in ITEM_FIELD.items() if f in self.entry and rng.random() < 0.5}
            if "search_context_cost_per_query" in self.entry and rng.random() < 0.3:
                self.items["web_search_" + rng.choice(["low", "medium", "high"])] = rng.randrange(1, 9)
        if self.service != "batch" and "us" in self.entry.get("provider_specific_entry", {}) and rng.random() < 0.5:
            self.geography, self.items = "us", {}

    @property
    def input(self):
        return sum(n for name, n in self.tokens.items() if not name.startswith("output"))

    def question(self):
        model, region, variant = subject(self.key)
        tokens, items = self.tokens, {UNIT_ITEM.get(item, item): n for item, n in self.items.items()}
        usage = {
            "input": self.input, "output": tokens["output"] + tokens["output_audio"], "reasoning": self.reasoning, "items": items,
            **{name: n for name, n in tokens.items() if name not in ("input", "output")},
        }
        return {
            "provider": "bedrock", "model": model, "region": region, "variant": variant, "geography": self.geography,
            "service": self.service, "at": "2026-11-21T00:00:00Z", "usage": usage,
        }

    def litellm(self):
        """LiteLLM's own figure, by the function it uses for such a request."""
        provider = "bedrock_mantle" if self.entry["litellm_provider"] == "bedrock_mantle" else "bedrock"
        call = {"model": self.key, "custom_llm_provider": provider}
        if self.kind == "guardrail":
            return bedrock_guardrail_cost(self.items, None)
        if self.kind == "rerank":
            return sum(cost_per_token(**call, call_type="rerank", rerank_billed_units={"search_units": self.items["query"]}))
        info = litellm.get_model_info(**call)
        if self.kind == "image":
            return flat_image_cost(info, ImageResponse(data=[ImageObject(url="x")] * self.items["output_image"]))
        usage = self.litellm_usage()
        if self.kind == "seconds":
            return sum(cost_per_token(**call, usage_object=usage, response_time_ms=self.items["request_second"]))
        if self.service == "batch":
            return sum(cost_per_token(**call, usage_object=usage, call_type="aretrieve_batch"))
        service = None if self.service == "standard" else self.service
        cost = sum(cost_per_token(**call, usage_object=usage, service_tier=service))
        for item, n in self.items.items():
            if item.startswith("web_search_"):
                options = {"search_context_size": item.removeprefix("web_search_")}
                cost += n * StandardBuiltInToolCostTracking.get_cost_for_web_search(options, info)
        return cost

    def litellm_usage(self):
        t = self.tokens
        written = CacheCreationTokenDetails(ephemeral_5m_input_tokens=t["cache_write_5m"], ephemeral_1h_input_tokens=t["cache_write_1h"])
        seconds = lambda item: self.items.get(item, 0) / 1000
        inputs = PromptTokensDetailsWrapper(
            text_tokens=t["input"], audio_tokens=t["input_audio"], image_tokens=t["input_image"], cached_tokens=t["cache_read"],
            cache_creation_tokens=t["cache_write_5m"] + t["cache_write_1h"], cache_creation_token_details=written,
            image_count=self.items.get("input_image", 0), query_count=self.items.get("query", 0),
            audio_length_seconds=seconds("input_audio_second"), video_length_seconds=seconds("input_video_second"),
        )
        output = t["output"] + t["output_audio"]
        outputs = CompletionTokensDetailsWrapper(reasoning_tokens=self.reasoning, audio_tokens=t["output_audio"])
        usage = Usage(
            prompt_tokens=self.input, completion_tokens=output, total_tokens=self.input + output,
            prompt_tokens_details=inputs, completion_tokens_details=outputs,
        )
        if self.geography:
            usage.inference_geo = self.geography
        return usage

    def exact(self, exact_entry):
        """The file's numbers times the counts, and what has no number."""
        total, gaps = Decimal(0), []
        if self.service != "standard" and not any(field.endswith(SUFFIX[self.service]) for field in exact_entry):
            gaps.append("no price for the tier of service; LiteLLM takes the standard tier's (half of it for batch)")
        borders = {int(f.rsplit("_above_", 1)[1].split("k_")[0]) for f in exact_entry if f.endswith("k_tokens" + SUFFIX[self.service])}
        crossed = [border for border in borders if self.input > border * 1000]
        border = f"_above_{max(crossed)}k_tokens" if crossed else ""
        for name, n in self.tokens.items():
            price = exact_entry.get(CLASS_FIELD[name] + border + SUFFIX[self.service])
            if n and price is None and self.kind != "seconds":
                gaps.append(self.gap(name, exact_entry))
            total += n * (price or 0)
        for item, n in self.items.items():
            total += n * self.item_price(item, exact_entry)
        return total * exact_entry.get("provider_specific_entry", {}).get(self.geography, 1), gaps

    def gap(self, name, entry):
        if self.service != "standard" and CLASS_FIELD[name] in entry:
            return "no price for the class in that tier; LiteLLM takes another tier's or another class's"
        if name == "cache_write_1h" and CLASS_FIELD["cache_write_5m"] in entry:
            return "no price for one-hour writes; LiteLLM takes that of five minutes"
        if name.startswith("cache"):
            return "no price for the cache class; LiteLLM takes that of plain input"
        return "no price for plain input or output at all; LiteLLM takes zero"

    @staticmethod
    def item_price(item, entry):
        if item in UNIT_ITEM:
            return entry["guardrail_cost_per_unit"][item]
        if item.startswith("web_search_"):
            return entry["search_context_cost_per_query"]["search_context_size_" + item.removeprefix("web_search_")]
        if item in ("output_image", "request_second"):
            return entry["output_cost_per_image"] if item == "output_image" else entry["cost_per_second"] / 1000
        return entry[ITEM_FIELD[item]] / (1000 if item.endswith("_second") else 1)


def custody(binary, file, questions):
    """Answers of the program under test."""
    with tempfile.TemporaryDirectory() as work:
        book = os.path.join(work, "book.toml")
        importing = [binary, "price", "import", file, "--book-version", "oracle", "--effective-from", "2023-01-01", "--output", book]
        subprocess.run(importing, check=True, stdout=subprocess.DEVNULL)
        lines = "\n".join(map(json.dumps, questions)) + "\n"
        ran = subprocess.run([binary, "price", "quote", "--book", book], input=lines, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def close(one, other):
    return abs(one - other) <= 1e-12 * max(abs(one), abs(other))


def judge(draw, answer, theirs, exact, gaps, own_key):
    """Why the figures agree or differ; nothing where there is no reason."""
    if "finding" in answer:
        return gaps[0] if answer["finding"] == "missing_price" and gaps else None
    ours = Decimal(answer["total_pico"]) / 10**12
    assert sum(line["amount_pico"] for line in answer["lines"]) == answer["total_pico"], "lines do not add up"
    assert sum(line["quantity"] * line["unit_price_pico"] * Decimal(line.get("times", 1)) for line in answer["lines"]) == answer["total_pico"]
    if not own_key:
        return "equal" if close(float(ours), theirs) else "another key is about the same model; Custody keeps the fuller, LiteLLM reads the other"
    if ours != exact or gaps:
        return None
    return "equal" if close(float(ours), theirs) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("file", nargs="?", default=str(DEFAULT_FILE))
    parser.add_argument("--draws", type=int, default=40, help="random usages of each entry")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.draws} draws an entry")
    text = Path(args.file).read_text()
    entries, exact_entries = json.loads(text), json.loads(text, parse_float=Decimal)
    for key, entry in entries.items():
        litellm.model_cost[key] = entry
    subjects = collections.Counter(map(subject, entries))
    rng = random.Random(args.seed)
    draws = [Draw(rng, key, entry) for key, entry in entries.items() for _ in range(args.draws)]
    answers = custody(args.binary, args.file, [draw.question() for draw in draws])
    assert len(answers) == len(draws)
    reasons, by_entry, unexplained = collections.Counter(), collections.defaultdict(set), []
    for draw, answer in zip(draws, answers):
        theirs, (exact, gaps) = draw.litellm(), draw.exact(exact_entries[draw.key])
        own_key = subjects[subject(draw.key)] == 1
        reason = judge(draw, answer, theirs, exact, gaps, own_key)
        if reason is None:
            unexplained.append((draw, answer, theirs, exact, gaps))
        reasons[reason or "UNEXPLAINED"] += 1
        by_entry[draw.key].add(reason or "UNEXPLAINED")
    for reason, n in reasons.most_common():
        print(f"{n:8}  {sum(reason in found for found in by_entry.values()):4} entries  {reason}")
    print(f"{len(by_entry)} entries, {sum('equal' in found for found in by_entry.values())} of them equal in at least one draw, "
          f"{sum(found == {'equal'} for found in by_entry.values())} in all")
    for draw, answer, theirs, exact, gaps in unexplained[:10]:
        print(f"UNEXPLAINED {draw.key}: custody {answer}, litellm {theirs!r}, exact {exact}, gaps {gaps}, {json.dumps(draw.question())}")
    never = [key for key, found in by_entry.items() if "equal" not in found]
    if never:
        print("never equal:", ", ".join(sorted(never)))
    return 1 if unexplained or never else 0


if __name__ == "__main__":
    sys.exit(main())
