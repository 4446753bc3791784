#!/usr/bin/env python3
"""Precision, recall and F1 of redaction by entity type, beside Presidio, scrubadub and detect-secrets, on the same rows.

Usage: redaction.py BINARY [--data DIR] [--half held|dev] [--misses TYPE] [--no-peers]
  BINARY   custody-redact-spans, of a release build
  --data   folder with pii/pii.jsonl and secrets/secrets.jsonl (default: ../shared/data beside the checkout)

Peers: pip install -r redaction_requirements.txt. Rows are split in halves by a hash of their id; rules were tuned on `dev`.
A labelled span counts as found when at least half of its characters lie in finds of its type; a find is false when less than half of
its own lie in labels of its type. `covered` is the share of labelled spans at least half hidden by finds of any type: what redaction
is about. Rows that say something is there and not where are left out.

Exits with 1, and says why, where recall of a type (or precision of a group) is below its recorded floor, or where ten times the hostile
text takes more than fifteen times the processor time (base64: twenty-five times).

Every program runs in a process of its own on the same rows, one after the other. Presidio runs with all its pattern recognisers on a blank
spaCy pipeline: spaCy's models are not in the package index, so that its figures for names and places are those of patterns alone.
`custody-redact` is given the same time measure: seconds of processor time for finding, without start and reading.
"""
import argparse
import collections
import hashlib
import json
import pathlib
import random
import resource
import subprocess
import sys
import time

STRUCTURED = ["EMAIL", "PHONE", "CARD", "IBAN", "BANK", "IP", "NATIONAL_ID", "BUSINESS_ID", "PASSPORT", "LICENCE", "PLATE", "DATE", "URL"]
FREE_FORM = ["PERSON", "ADDRESS", "POSTCODE", "AGE", "ORGANIZATION", "PLACE", "GROUP", "TITLE"]

# Recall below which a half of the data may not fall, by type: what was measured, rounded down to whole hundredths.
RECALL = {
    "dev": {"EMAIL": 1.0, "PHONE": 0.93, "CARD": 1.0, "IBAN": 1.0, "BANK": 1.0, "IP": 1.0, "NATIONAL_ID": 0.92, "BUSINESS_ID": 0.85, "PASSPORT": 0.59,
            "LICENCE": 0.84, "PLATE": 0.35, "DATE": 0.74, "URL": 1.0, "PERSON": 0.33, "ADDRESS": 0.62, "POSTCODE": 0.77, "AGE": 1.0,
            "secrets": 0.93},
    "held": {"EMAIL": 1.0, "PHONE": 0.89, "CARD": 0.99, "IBAN": 1.0, "BANK": 0.5, "IP": 0.98, "NATIONAL_ID": 0.87, "BUSINESS_ID": 0.54, "PASSPORT": 0.68,
             "LICENCE": 0.47, "PLATE": 0.27, "DATE": 0.71, "URL": 0.91, "PERSON": 0.31, "ADDRESS": 0.68, "POSTCODE": 0.88, "AGE": 1.0,
             "secrets": 0.89},
}
# The same for precision, by group.
PRECISION = {"dev": {"structured": 0.97, "free-form": 0.94, "secrets": 0.84}, "held": {"structured": 0.96, "free-form": 0.95, "secrets": 0.87}}

# How much longer ten times the hostile text may take. Base64 is read twice around the edges of windows, of which one megabyte has none.
MOST_TIMES = collections.defaultdict(lambda: 15, {"base64": 25})

# What was not as it must be.
FAULTS = []

# The label's name in the data, the common type.
LABELS = {
    "EMAIL_ADDRESS": "EMAIL", "EMAIL": "EMAIL", "PHONE_NUMBER": "PHONE", "PHONE": "PHONE", "TR_PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN", "ABA_ROUTING": "BANK", "US_BANK": "BANK", "IP": "IP", "IP_ADDRESS": "IP", "DATE_TIME": "DATE", "DATE": "DATE",
    "DOMAIN_NAME": "URL", "URL": "URL", "US_DRIVER_LICENSE": "LICENCE", "IT_DRIVER_LICENSE": "LICENCE", "UK_POSTCODE": "POSTCODE",
    "ZIP_CODE": "POSTCODE", "PERSON": "PERSON", "SPACY": "PERSON", "ADDRESS": "ADDRESS", "STREET_ADDRESS": "ADDRESS", "AGE": "AGE",
    "ORGANIZATION": "ORGANIZATION", "GPE": "PLACE", "LOCATION": "PLACE", "NRP": "GROUP", "TITLE": "TITLE", "PREFIX": "TITLE",
    **dict.fromkeys(["US_SSN", "US_ITIN", "US_NPI", "UK_NHS", "IN_AADHAAR", "IN_VOTER", "ES_NIE", "ES_NIF", "CA_SIN", "DE_TAX_ID", "DE_LANR",
                     "IT_FISCAL_CODE", "IT_IDENTITY_CARD", "AU_MEDICARE", "TH_TNIN", "KR_FRN"], "NATIONAL_ID"),
    **dict.fromkeys(["IN_GSTIN", "SG_UEN", "SE_ORGANISATIONSNUMMER", "AU_ACN"], "BUSINESS_ID"),
    **dict.fromkeys(["KR_PASSPORT", "ES_PASSPORT", "DE_PASSPORT", "IN_PASSPORT"], "PASSPORT"),
    **dict.fromkeys(["UK_VEHICLE_REGISTRATION", "IN_VEHICLE_REGISTRATION", "NG_VEHICLE_REGISTRATION"], "PLATE"),
}
# `TRANSFORMERS` rows are labels of one model's output, months and all: they are no ground truth and are left out.

OURS = {
    "email": "EMAIL", "phone": "PHONE", "payment_card": "CARD", "iban": "IBAN", "bank_account": "BANK", "national_id": "NATIONAL_ID",
    "business_id": "BUSINESS_ID", "passport": "PASSPORT", "driver_licence": "LICENCE", "vehicle_plate": "PLATE", "birth_date": "DATE",
    "date": "DATE", "ip_address": "IP", "mac_address": "MAC", "url": "URL", "crypto_address": "CRYPTO", "person": "PERSON",
    "street_address": "ADDRESS", "postcode": "POSTCODE", "age": "AGE",
    "private_key": "SECRET", "api_key": "SECRET", "jwt": "SECRET", "password": "SECRET",
}
PRESIDIO = {
    "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "TR_PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "IBAN_CODE": "IBAN",
    "ABA_ROUTING_NUMBER": "BANK", "US_BANK_NUMBER": "BANK", "IP_ADDRESS": "IP", "DATE_TIME": "DATE", "URL": "URL", "CRYPTO": "CRYPTO",
    "MAC_ADDRESS": "MAC", "US_DRIVER_LICENSE": "LICENCE", "IT_DRIVER_LICENSE": "LICENCE", "UK_POSTCODE": "POSTCODE", "PERSON": "PERSON",
    "IN_GSTIN": "BUSINESS_ID", "SG_UEN": "BUSINESS_ID", "SE_ORGANISATIONSNUMMER": "BUSINESS_ID", "AU_ACN": "BUSINESS_ID",
    "AU_ABN": "BUSINESS_ID", "IT_VAT_CODE": "BUSINESS_ID", "DE_HANDELSREGISTER": "BUSINESS_ID", "KR_BRN": "BUSINESS_ID",
}
SCRUBADUB = {
    "email": "EMAIL", "phone": "PHONE", "credit_card": "CARD", "url": "URL", "name": "PERSON", "address": "ADDRESS", "postalcode": "POSTCODE",
    "date_of_birth": "DATE", "drivers_licence": "LICENCE", "vehicle_licence_plate": "PLATE", "social_security_number": "NATIONAL_ID",
    "national_insurance_number": "NATIONAL_ID", "tax_reference_number": "NATIONAL_ID", "credential": "SECRET", "twitter": "HANDLE",
}


def presidio_type(name):
    if name in PRESIDIO:
        return PRESIDIO[name]
    if name.endswith("PASSPORT"):
        return "PASSPORT"
    if "VEHICLE" in name or name == "DE_KFZ":
        return "PLATE"
    return "NATIONAL_ID"


def half_of(identity):
    return "dev" if hashlib.sha256(identity.encode()).digest()[0] % 2 == 0 else "held"


def read(path, half):
    rows = [json.loads(line) for line in path.read_text().split("\n") if line]
    return [row for row in rows if half_of(row["id"]) == half]


def ours(binary, rows):
    lines = "".join(json.dumps({"id": row["id"], "text": row["text"]}) + "\n" for row in rows)
    done = subprocess.run([binary, "--all"], input=lines, capture_output=True, text=True, check=True)
    finds = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in finds] == [row["id"] for row in rows], "an answer for each row, in order"
    spans = [[(span["start"], span["end"], OURS[span["entity"]]) for span in one["spans"]] for one in finds]
    return spans, done.stderr.strip().splitlines()[-1]


def processor(binary, lines, rounds, *more):
    """Seconds of processor time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([binary, "--rounds", str(rounds), *more], input=lines, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speed(binary, name, texts, fewer, more):
    """Megabytes a second of processor time, from the difference of two runs: without start, reading and first states."""
    lines = "".join(json.dumps({"id": 0, "text": text}) + "\n" for text in texts)
    megabytes = sum(len(text.encode()) for text in texts) * (more - fewer) / 1e6
    figures = []
    for option in ([], ["--redact"], ["--custom"]):
        seconds = min(processor(binary, lines, more, *option) for _ in range(3)) - min(processor(binary, lines, fewer, *option) for _ in range(3))
        figures.append(f"{seconds:8.3f} s {megabytes / seconds:6.1f} MB/s")
    print(f"  {name:52s} {megabytes:8.1f} MB  " + "  ".join(figures))


def speeds(binary, data):
    print("\nspeed of custody-redact a core, by processor time: finding; finding and replacing; finding with 200 words and 3 patterns of one's own")
    read_texts = lambda *path: [json.loads(line).get("text") or "" for line in data.joinpath(*path).read_text().split("\n") if line]
    passages = [passage["context"] for article in json.loads((data / "rag" / "xquad" / "xquad.en.json").read_text())["data"] for passage in article["paragraphs"]]
    speed(binary, "xquad, passage by passage (English prose)", passages, 5, 65)
    prompts = read_texts("injection", "injection.jsonl")
    speed(binary, "injection.jsonl, row by row (prompts, many languages)", prompts, 2, 12)
    speed(binary, "injection.jsonl as one text", ["\n".join(prompts)], 2, 12)
    speed(binary, "injection.jsonl as the JSON it is, one text", [(data / "injection" / "injection.jsonl").read_text()], 2, 12)
    speed(binary, "Bedrock's API description (JSON), one text", [(data / "specs" / "bedrock" / "bedrock.service-2.json").read_text()], 3, 43)
    pii = read_texts("pii", "pii.jsonl")
    speed(binary, "pii.jsonl, row by row (an identifier in each line)", pii, 3, 43)
    speed(binary, "pii.jsonl as one text", ["\n".join(pii)], 3, 43)


def timed(rows, find):
    begin, processor_begin = time.perf_counter(), time.process_time()
    spans = [find(row["text"]) for row in rows]
    seconds, processor_seconds = time.perf_counter() - begin, time.process_time() - processor_begin
    megabytes = sum(len(row["text"].encode()) for row in rows) / 1e6
    note = f"{megabytes:.3f} MB in {seconds:.2f} s, {processor_seconds:.2f} s of processor time: {megabytes / processor_seconds:.4f} MB/s a core"
    return spans, note


def apart(name, rows):
    """A peer in a process of its own: its spans, and how long it took."""
    lines = "".join(json.dumps({"text": row["text"]}) + "\n" for row in rows)
    done = subprocess.run([sys.executable, __file__, "--peer", name, "-"], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return [[tuple(span) for span in spans] for spans in answer["spans"]], answer["note"]


def be_peer(name):
    rows = [json.loads(line) for line in sys.stdin]
    peers = {"presidio-0.0": lambda: presidio(rows, 0.0), "presidio-0.4": lambda: presidio(rows, 0.4), "scrubadub": lambda: scrubadub(rows),
             "detect-secrets": lambda: detect_secrets(rows)}
    spans, note = peers[name]()
    print(json.dumps({"spans": spans, "note": note}))


def presidio(rows, threshold):
    """Every pattern recogniser of the package, on a blank spaCy pipeline: no model, so nothing that asks for one."""
    import logging
    import spacy
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry, predefined_recognizers
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from spacy.language import Language
    logging.disable(logging.WARNING)

    @Language.component("lowercase_lemmas")
    def lowercase_lemmas(document):
        for token in document:
            token.lemma_ = token.lower_
        return document

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}
            self.nlp["en"].add_pipe("lowercase_lemmas")

    recognisers = []
    for name in sorted(vars(predefined_recognizers)):
        kind = getattr(predefined_recognizers, name)
        if name == "PhoneRecognizer" or (isinstance(kind, type) and issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer):
            try:
                recognisers.append(kind(supported_language="en"))
            except Exception as error:  # some need a service or a file
                print(f"  presidio: {name} left out: {error}", file=sys.stderr)
    registry = RecognizerRegistry(recognizers=recognisers, supported_languages=["en"])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"], default_score_threshold=threshold)
    engine.analyze("warm", language="en")
    print(f"  presidio: {len(recognisers)} pattern recognisers, blank spaCy pipeline, no model", file=sys.stderr)
    return timed(rows, lambda text: [(r.start, r.end, presidio_type(r.entity_type)) for r in engine.analyze(text, language="en")])


def scrubadub(rows):
    import scrubadub as package
    scrubber = package.Scrubber()
    return timed(rows, lambda text: [(f.beg, f.end, SCRUBADUB.get(f.type, "OTHER")) for f in scrubber.iter_filth(text)])


def covered(start, end, spans):
    return sum(any(one[0] <= at < one[1] for one in spans) for at in range(start, end)) * 2 >= end - start


def score(rows, finds):
    tally = collections.defaultdict(collections.Counter)
    for row, spans in zip(rows, finds):
        labels = [(p["start"], p["end"], LABELS[p["type"]]) for p in row["spans"] if p["type"] in LABELS]
        for start, end, kind in labels:
            tally[kind]["labels"] += 1
            tally[kind]["found"] += covered(start, end, [s for s in spans if s[2] == kind])
            tally[kind]["covered"] += covered(start, end, spans)
        for start, end, kind in spans:
            right = covered(start, end, [label for label in labels if label[2] == kind])
            tally[kind]["right" if right else "false"] += 1
    return tally


def rates(total):
    return total["right"] / max(1, total["right"] + total["false"]), total["found"] / max(1, total["labels"])


def hold(what, figure, floor):
    """Notes a figure that fell below its floor."""
    if floor is not None and figure < floor:
        FAULTS.append(f"{what} is {figure:.4f}, below {floor}")


def hold_scores(half, tally):
    for kind in STRUCTURED + FREE_FORM:
        hold(f"recall of {kind} in {half}", rates(tally[kind])[1], RECALL[half].get(kind))
    for group, kinds in (("structured", STRUCTURED), ("free-form", FREE_FORM)):
        hold(f"precision of {group} in {half}", rates(sum((tally[kind] for kind in kinds), collections.Counter()))[0], PRECISION[half][group])


def figures(tally, kinds):
    total = sum((tally[kind] for kind in kinds), collections.Counter())
    precision, recall = rates(total)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"{precision:6.3f} {recall:6.3f} {f1:6.3f}   covered {total['covered'] / max(1, total['labels']):5.3f}", total


def show(name, tally):
    print(f"\n{name}\n  {'type':14s} {'labels':>6s} {'finds':>6s}   prec.  recall     F1")
    for title, kinds in (("structured", STRUCTURED), ("free-form", FREE_FORM)):
        for kind in kinds:
            text, total = figures(tally, [kind])
            print(f"  {kind:14s} {total['labels']:6d} {total['right'] + total['false']:6d}  {text}")
        text, total = figures(tally, kinds)
        print(f"  = {title:12s} {total['labels']:6d} {total['right'] + total['false']:6d}  {text}")


def secrets(rows, finds, name, note):
    seen = [bool([span for span in spans if span[2] == "SECRET"]) for spans in finds]
    real = [row["kind"] == "tp" for row in rows]
    found = sum(s and r for s, r in zip(seen, real))
    precision, recall = found / max(1, sum(seen)), found / max(1, sum(real))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    print(f"  {name:28s} rows {len(rows)} ({sum(real)} with a secret)  precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}   {note}")
    return [(row, s) for row, s, r in zip(rows, seen, real) if s != r], precision, recall


def detect_secrets(rows):
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings
    with default_settings():
        return timed(rows, lambda text: [(0, 1, "SECRET") for line in text.splitlines() for _ in scan_line(line)])


def hostile(binary):
    """Text that begins many forms and completes none; the time for ten times as much should be ten times as long."""
    pieces = {
        "digits and separators": ["4111 1111 ", "11-1", "+1 (", "0 0 0 ", "1.1.", "9-9 ", "2.2.2."],
        "beginnings of secrets": ["AKIAABCDEFGHIJKLMNO ", "password=", "ghp_aaaa", "eyJhbGciOi", "-----BEGIN RSA PRIVATE KEY-----\n", "secret: '"],
        "addresses without ends": ["a@b.", "a.b.c@", "@@", "http://a:b", "x:y@", "::1:", "fe80:"],
        "base64": ["bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc", "QUJD", "AAAA"],
        "signs of base64": ["-_", "+/", "-/", "_-+/"], "one pair of signs": ["-_"], "signs and letters": ["-a", "_a", "/a", "+a"], "brackets": ["[", "[[EMAIL", "{[", "]"], "homoglyphs": ["\uff14\uff11", "\U0001d7cf", "\u0430"],
        "zero width": ["4\u200b", "1\u200d1", "\u200b\u200b@"],
        "finds and zero width": ["a@b.cc " + "\u200b" * 99], "escapes": ["%40", "\\u0040", "%", "\\u", "%34"], "long words": ["abcdefgh" * 64 + " "],
        "one digit": ["1"], "one letter": ["A"], "spaced digits": ["1 "], "at signs": ["@"], "names": ["Mr. A ", "1 Main "],
    }
    print("\nhostile text: seconds of processor time for 0.1, 1 and 10 MB, start and reading taken off")
    for name, kinds in pieces.items():
        chance = random.Random(7)
        seconds = []
        for size in (100_000, 1_000_000, 10_000_000):
            parts, length = [], 0
            while length < size:
                parts.append(chance.choice(kinds))
                length += len(parts[-1].encode())
            line = json.dumps({"id": name, "text": "".join(parts)}) + "\n"
            rounds = {100_000: 21, 1_000_000: 11, 10_000_000: 2}[size]
            least = lambda rounds: min(processor(binary, line, rounds) for _ in range(2))
            seconds.append((least(rounds) - least(1)) / (rounds - 1))
        # What takes less than 0.05 s for a megabyte is as good as that: caches and the clock weigh more then.
        times = seconds[2] / max(seconds[1], 0.05)
        print(f"  {name:24s}" + "".join(f" {one:9.4f}" for one in seconds) + f"   10 MB / 1 MB = {times:.1f}", flush=True)
        if times > MOST_TIMES[name]:
            FAULTS.append(f"ten times of `{name}` take {times:.1f} times as long, more than {MOST_TIMES[name]}")


def main():
    beside = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--data", type=pathlib.Path, default=beside)
    parser.add_argument("--half", choices=["dev", "held"])
    parser.add_argument("--misses")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-hostile", action="store_true")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return be_peer(arguments.peer)
    if not arguments.data.exists():
        sys.exit(f"no data at {arguments.data}")
    for half in [arguments.half] if arguments.half else ["dev", "held"]:
        rows = [row for row in read(arguments.data / "pii" / "pii.jsonl", half)
                if (row["spans"] or not row.get("positive")) and not any(p["type"] == "TRANSFORMERS" for p in row["spans"])]
        finds, note = ours(arguments.binary, rows)
        print(f"\n==== {half} half: {len(rows)} rows of pii.jsonl")
        tally = score(rows, finds)
        show(f"custody-redact ({note})", tally)
        hold_scores(half, tally)
        if arguments.misses:
            misses(rows, finds, arguments.misses)
        others = read(arguments.data / "secrets" / "secrets.jsonl", half)
        secret_finds, secret_note = ours(arguments.binary, others)
        if half == "held" and not arguments.no_peers:
            for threshold in (0.0, 0.4):
                peer, note = apart(f"presidio-{threshold}", rows)
                show(f"Presidio, score of at least {threshold} ({note})", score(rows, peer))
            peer, note = apart("scrubadub", rows)
            show(f"scrubadub ({note})", score(rows, peer))
        print("\nsecrets.jsonl, by row")
        wrong, precision, recall = secrets(others, secret_finds, "custody-redact", secret_note)
        hold(f"recall of secrets in {half}", recall, RECALL[half]["secrets"])
        hold(f"precision of secrets in {half}", precision, PRECISION[half]["secrets"])
        if arguments.misses == "SECRET":
            for row, seen in wrong:
                print("   ", "false" if seen else "missed", row["detector"], repr(row["text"][:140]))
        if half == "held" and not arguments.no_peers:
            peer, note = apart("detect-secrets", others)
            secrets(others, peer, "detect-secrets", note)
    if not arguments.no_hostile:
        speeds(arguments.binary, arguments.data)
        hostile(arguments.binary)
    if FAULTS:
        sys.exit("not as it must be:\n  " + "\n  ".join(FAULTS))


def misses(rows, finds, kind):
    for row, spans in zip(rows, finds):
        labels = [(p["start"], p["end"], LABELS[p["type"]]) for p in row["spans"] if p["type"] in LABELS]
        for start, end, label in labels:
            if label == kind and not covered(start, end, [s for s in spans if s[2] == kind]):
                print("   missed", repr(row["text"][max(0, start - 40):start]), repr(row["text"][start:end]), [s for s in spans if s[0] < end and s[1] > start])
        for start, end, found in spans:
            if found == kind and not covered(start, end, [one for one in labels if one[2] == kind]):
                print("   false ", repr(row["text"][max(0, start - 40):start]), repr(row["text"][start:end]), [one for one in labels if one[0] < end and one[1] > start])


if __name__ == "__main__":
    main()
