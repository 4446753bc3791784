#!/usr/bin/env python3
"""Every way in which a kept text does not open, on the built binary: what was done, what reveal says, what the events say, what still opens.

Texts are kept by a `custody up`, then altered by somebody who can write to the lake, the vault's folder and the content journal, and who makes
every checksum right again. After each case a new request must be answered, recorded and kept, its text must open, and so must a text of before.

Needs libfaketime (Debian: faketime) and what requirements.txt names.
"""

import argparse
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

from house import FAKETIME, House
from segments import flipped, segments
from table import ContentTable

# A text of this size lies in a claim check.
LARGE = 48 * 1024
NEVER_CAPTURED = "ticket.classify"
SHOWN, DENIED, CLOSED = 0, 3, 5
PATIENCE = 40
# Where what lies in a text sealed at rest, and what a bit turned there leads to.
AT_REST = [
    ("magic", 0, "sealed_malformed"), ("format version", 4, "sealed_version_unknown"), ("suite", 5, "sealed_suite_unknown"),
    ("key id", 6, "sealed_key_unknown"), ("salt", 22, "sealed_not_authentic"), ("key commitment", 54, "sealed_not_authentic"),
    ("length", 89, "sealed_malformed"), ("ciphertext", 95, "sealed_not_authentic"), ("tag", -1, "sealed_not_authentic"),
]
AT_THE_EDGE = [
    ("magic", 0, "sealed_malformed"), ("format version", 4, "sealed_version_unknown"), ("suite", 5, "sealed_suite_unknown"),
    ("segment id", 22, "sealed_not_authentic"), ("encapsulated key", 38, "sealed_not_authentic"), ("place", 77, "sealed_not_authentic"),
    ("key commitment", 78, "sealed_not_authentic"), ("length", 113, "sealed_malformed"), ("ciphertext", 120, "sealed_not_authentic"),
    ("tag", -1, "sealed_not_authentic"),
]


class Drill:
    def __init__(self, binary):
        self.work = Path(tempfile.mkdtemp(prefix="custody-outcomes-"))
        self.house = House(binary, self.work)
        self.wrong, self.number, self.attempts, self.newcomers, self.all_newcomers = [], 0, [], [], []

    def ask(self, person, tenant="acme", size=60):
        """A request whose text is kept: its id and its text."""
        self.number += 1
        text = f"{person} asks {self.number:04} where order 4711 is. "
        text = (text * (1 + size // len(text))).strip()
        answer = self.house.ask(text, tenant, "docs.summarise", person)
        assert answer.status == 200, f"{answer.status} {answer.body}"
        return answer.request_id, text

    def ask_and_keep(self, *arguments, **more):
        """The same, and its row is there."""
        request, text = self.ask(*arguments, **more)
        self.await_row(request)
        return request, text

    def await_row(self, request):
        end = time.monotonic() + PATIENCE
        while not any(row["request_id"] == request and row["part"] == "prompt" for row in ContentTable(self.house.texts).rows()):
            if time.monotonic() > end:
                raise RuntimeError(f"{request} has no row after {PATIENCE} s")
            time.sleep(0.2)

    def case(self, name, request, text, exit_code, code, tenant="acme", key=None):
        """Reveals, and lets something new through where the platform runs; what the events say is looked up at the end."""
        done = self.house.reveal(request, tenant, "--part", "prompt", key=key)
        shown = text is not None and text in done.stdout
        right = done.returncode == exit_code and (code is None or f"[{code}]" in done.stderr) and shown == (exit_code == SHOWN)
        said = code if right else (done.stderr.strip().splitlines() or [""])[-1]
        self.flows()
        self.say(name, done.returncode, said, right)
        self.attempts.append((name, request, exit_code, code))
        return right

    def flows(self):
        if self.house.process:
            self.newcomers.append(self.ask("newcomer"))

    def flowed(self):
        """What came between the cases of a section is a row each, and the last of them opens; so does a text of before."""
        end = time.monotonic() + PATIENCE
        while True:
            kept = {row["request_id"] for row in ContentTable(self.house.texts).rows() if row["state"] == "kept"}
            missing = [request for request, _ in self.newcomers if request not in kept]
            if not missing or time.monotonic() > end:
                break
            time.sleep(1)
        opened = 0
        for request, text in (self.newcomers[-1], self.witness):
            opened += text in self.house.reveal(request, "acme", "--part", "prompt").stdout
            self.attempts.append(("between the cases", request, SHOWN, None))
        right = not missing and opened == 2
        print(f"{'ok   ' if right else 'WRONG'} between the cases: {len(self.newcomers)} requests answered, {len(self.newcomers) - len(missing)} kept; "
              f"the last and one of before open: {opened} of 2", flush=True)
        if not right:
            self.wrong.append("what came between the cases")
        self.all_newcomers += self.newcomers
        self.newcomers = []

    def say(self, name, exit_code, said, right):
        print(f"{'ok   ' if right else 'WRONG'} {name:60} exit {exit_code}  {said or '(the text)'}", flush=True)
        if not right:
            self.wrong.append(name)

    def events_say_the_same(self):
        """Each attempt is an event, in order; a text that was allowed and then did not open is two."""
        seen = {}
        for event in self.house.sql("select request_id, decision, code from accesses where action = 'reveal' order by time, seq"):
            seen.setdefault(event["request_id"], []).append((event["decision"], event["code"]))
        wrong = 0
        for name, request, exit_code, code in self.attempts:
            expected = {SHOWN: [("allow", None)], CLOSED: [("allow", None), ("deny", code)], DENIED: [("deny", code)]}[exit_code]
            found, seen[request] = seen.get(request, [])[:len(expected)], seen.get(request, [])[len(expected):]
            if found != expected:
                wrong += 1
                self.wrong.append(f"{name}: the events say {found}, expected {expected}")
        print(f"events of attempts: {len(self.attempts)} attempts, {wrong} with other events than expected")

    def run(self):
        house = self.house
        house.start()
        self.witness = self.ask_and_keep("witness")
        for section in (self.who_asks, self.rows_altered, self.parts_swapped, self.claims_altered, self.unit_keys_altered):
            print(f"--- {section.__doc__}", flush=True)
            section()
            self.flowed()
        house.stop()
        for section in (self.way_altered, self.edge_key_altered, self.time_goes_on, self.erased):
            print(f"--- {section.__doc__}", flush=True)
            section()
        self.events_say_the_same()
        self.everything_recorded()

    def who_asks(self):
        """Who asks, and for what"""
        request, text = self.ask_and_keep("someone")
        self.case("nothing done", request, text, SHOWN, None)
        self.case("another tenant's analyst", request, text, DENIED, "reveal_nothing_here", tenant="globex")
        self.case("a program of the tenant, in the group", request, text, DENIED, "reveal_forbidden", key=self.house.program)
        self.case("a request that is unknown", str(uuid.uuid4()), None, DENIED, "reveal_nothing_here")
        never = self.house.ask("which queue?", "acme", NEVER_CAPTURED, "someone").request_id
        self.case("a request that was never captured", never, None, DENIED, "reveal_nothing_here")
        self.case("a key that nobody issued", request, text, DENIED, "invalid_api_key", key="ck_nobody")

    def rows_altered(self):
        """The row altered at rest, beside the running platform"""
        table = ContentTable(self.house.texts)
        request, text = self.ask_and_keep("row")
        sealed = table.of(request)["sealed"]
        for what, at, code in AT_REST:
            table.change(request, sealed=flipped(sealed, at))
            self.case(f"row: a bit of the {what}", request, text, CLOSED, code)
        table.change(request, sealed=sealed[:4] + b"\0" + sealed[5:])
        self.case("row: format version 0", request, text, CLOSED, "sealed_version_unknown")
        table.change(request, sealed=sealed)
        self.case("row: as it was", request, text, SHOWN, None)
        key = table.of(request)["unit_key"]
        table.change(request, unit_key="00" * 16)
        self.case("row: an unknown unit key", request, text, CLOSED, "unit_key_gone")
        table.change(request, unit_key=key, commitment=bytes(32))
        self.case("row: another commitment", request, text, CLOSED, "reveal_text_not_as_recorded")

    def parts_swapped(self):
        """Parts swapped between rows"""
        table = ContentTable(self.house.texts)
        (one, text), (other, _) = self.ask_and_keep("swapper"), self.ask_and_keep("swapper")
        prompt, response = table.of(one), table.of(one, "response")
        table.change(one, sealed=response["sealed"])
        self.case("the response's bytes in the prompt's row", one, text, CLOSED, "sealed_not_authentic")
        table.change(one, sealed=prompt["redacted_sealed"])
        self.case("the redacted text's bytes for the full text", one, text, CLOSED, "sealed_not_authentic")
        table.change(one, sealed=table.of(other)["sealed"], commitment=table.of(other)["commitment"])
        self.case("the bytes of another request of the person", one, text, CLOSED, "sealed_not_authentic")
        table.change(one, sealed=prompt["sealed"], commitment=prompt["commitment"])
        foreign, _ = self.ask_and_keep("swapper", tenant="globex")
        row = table.of(foreign)
        moved = {name: row[name] for name in ("sealed", "commitment", "unit_key", "unit_month")}
        table.change(one, **moved)
        self.case("another tenant's bytes and key in the row", one, text, CLOSED, "unit_key_gone")
        table.change(foreign, tenant="acme", person=prompt["person"])
        self.case("another tenant's row with the tenant changed", foreign, None, CLOSED, "unit_key_gone")

    def claims_altered(self):
        """The claim check altered at rest"""
        table = ContentTable(self.house.texts)
        request, text = self.ask_and_keep("claimant", size=LARGE)
        other, _ = self.ask_and_keep("claimant", size=LARGE)
        claim = self.house.data / "vault" / table.of(request)["claim"]
        whole = claim.read_bytes()
        for what, at, code in (AT_REST[1], AT_REST[7], AT_REST[8]):
            claim.write_bytes(flipped(whole, at))
            self.case(f"claim check: a bit of the {what}", request, text, CLOSED, code)
        claim.write_bytes((self.house.data / "vault" / table.of(other)["claim"]).read_bytes())
        self.case("claim check: another request's", request, text, CLOSED, "sealed_not_authentic")
        claim.write_bytes(whole[:-1])
        self.case("claim check: cut off", request, text, CLOSED, "sealed_malformed")
        claim.unlink()
        self.case("claim check: gone", request, text, CLOSED, "reveal_claim_gone")
        claim.write_bytes(whole)
        self.case("claim check: as it was", request, text, SHOWN, None)

    def unit_keys_altered(self):
        """The wrapped unit key altered"""
        table = ContentTable(self.house.texts)
        request, text = self.ask_and_keep("keyholder")
        other, _ = self.ask_and_keep("neighbour")
        key = self.key_of(table.of(request))
        whole = key.read_bytes()
        # The name of the wrapping key comes first, then what it is bound to, then what the key service made.
        places = [("format version", 4, "sealed_version_unknown"), ("name of the wrapping key", 14, "wrapping_key_unknown"),
                  ("wrapped bytes", -1, "wrapped_key_not_authentic")]
        for what, at, code in places:
            key.write_bytes(flipped(whole, at))
            self.case(f"unit key: a bit of the {what}", request, text, CLOSED, code)
        key.write_bytes(self.key_of(table.of(other)).read_bytes())
        self.case("unit key: another person's in its place", request, text, CLOSED, "vault_key_misplaced")
        key.write_bytes(flipped(whole, -1))
        again, text_again = self.ask("keyholder")
        self.await_row(again)
        self.case("unit key: altered; new text of the person, by the key in memory", again, text_again, CLOSED, "wrapped_key_not_authentic")
        self.house.stop()
        self.house.start()
        later, text_later = self.ask_and_keep("keyholder")
        self.case("unit key: altered; new text after a restart, by another key", later, text_later, SHOWN, None)
        key.unlink()
        self.case("unit key: gone", request, text, CLOSED, "unit_key_gone")
        key.write_bytes(whole)
        self.case("unit key: as it was", request, text, SHOWN, None)
        self.case("unit key: as it was; the text that came meanwhile", again, text_again, SHOWN, None)

    def key_of(self, row):
        found = list((self.house.data / "vault/units").rglob(f"{row['unit_key']}.key"))
        assert len(found) == 1, found
        return found[0]

    def way_altered(self):
        """Records of the content journal and claims of the edge, altered between a kill -9 and the next start"""
        house = self.house
        house.start(flush_age=3600)
        asked = {f"a bit of the {what}": (*self.ask("sender"), code) for what, _, code in AT_THE_EDGE}
        changes = {f"a bit of the {what}": sealed(lambda bytes, at=at: flipped(bytes, at)) for what, at, _ in AT_THE_EDGE}

        def also(name, code, change, size=60):
            asked[name] = (*self.ask("sender", size=size), code)
            changes[name] = change

        also("format version 0", "sealed_version_unknown", sealed(lambda bytes: bytes[:4] + b"\0" + bytes[5:]))
        also("an unknown edge key", "sealed_key_unknown", sealed(lambda bytes: bytes[:6] + b"\7" * 16 + bytes[22:]))
        also("another person", "sealed_not_authentic", lambda record: {**record, "person": "hmac:" + "0" * 32})
        also("another tenant", "sealed_not_authentic", lambda record: {**record, "tenant": "globex"})
        also("another purpose", "sealed_not_authentic", lambda record: {**record, "purpose": "marketing"})
        also("made an hour later", "sealed_not_authentic", lambda record: {**record, "time": record["time"] + 3_600_000_000})
        also("kept a year longer", "sealed_not_authentic", lambda record: {**record, "expires_on": record["expires_on"] + 365})
        also("another rule", "sealed_not_authentic", lambda record: {**record, "handling_rule": "lax@1"})
        also("another redaction", "sealed_not_authentic", lambda record: {**record, "redaction": "lax"})
        also("another id", "sealed_not_authentic", lambda record: {**record, "content_id": str(uuid.uuid4())})
        also("another commitment", "commitment_differs", lambda record: {**record, "commitment": bytes(32)})
        also("the bytes of another request", "sealed_not_authentic", None)
        also("a claim: a bit of the ciphertext", "sealed_not_authentic", None, LARGE)
        also("a claim: gone", "claim_missing", None, LARGE)
        damaged = self.ask("sender")
        untouched = self.ask("sender")
        house.kill()
        segment = segments(house.data / "content")[-1]
        of = {record["request_id"]: record for record in segment.records() if record["part"] == "prompt"}
        other = of[untouched[0]]["sealed"]
        changes["the bytes of another request"] = sealed(lambda _: other)
        claim = lambda name: house.data / "vault" / of[asked[name][0]]["claim"]
        claim("a claim: a bit of the ciphertext").write_bytes(flipped(claim("a claim: a bit of the ciphertext").read_bytes(), 200))
        claim("a claim: gone").unlink()
        by_request = {asked[name][0]: change for name, change in changes.items() if change}
        pick = lambda record: by_request.get(record["request_id"], same)(record) if record["part"] == "prompt" else record
        assert segment.alter(pick) == len(by_request)
        flip = sealed(lambda bytes: flipped(bytes, 150))
        assert segment.alter(lambda record: flip(record) if record["request_id"] == damaged[0] and record["part"] == "prompt" else record, False) == 1
        segment.write()
        house.start()
        self.await_row(untouched[0])
        table = ContentTable(house.texts)
        for name, (request, text, code) in asked.items():
            tenant = "globex" if name == "another tenant" else "acme"
            row = table.of(request)
            right = row["state"] == "unopened" and row["reason"] == code
            if not right:
                self.wrong.append(f"{name}: the row says {row['state']} {row['reason']}")
            # A rule that is none lets nobody see it, whatever is under it.
            denied = "reveal_not_in_group" if name == "another rule" else "reveal_text_unopened"
            self.case(f"journal: {name} [{row['state']}: {row['reason']}]", request, text, DENIED, denied, tenant=tenant,
                      key=self.house.seconds[tenant])
        self.case("journal: a bit turned, checksum as it was", damaged[0], damaged[1], DENIED, "reveal_nothing_here")
        letters = house.sql("select reason, count(*) as n from dead_letters group by reason")
        print(f"      dead letters: {letters}")
        if letters != [{"reason": "damaged", "n": 1}]:
            self.wrong.append(f"dead letters: {letters}")
        self.case("journal: nothing done", *untouched, SHOWN, None)
        self.flowed()
        house.stop()

    def edge_key_altered(self):
        """The keys of the days do not open for a while"""
        house = self.house
        house.start(flush_age=3600)
        waiting = self.ask("waiter")
        house.kill()
        keys = list((house.data / "vault/edge").glob("*.key"))
        whole = {key: key.read_bytes() for key in keys}
        for key in keys:
            key.write_bytes(flipped(whole[key], -1))
        began = time.monotonic()
        house.start()
        answer = house.ask("is somebody there", "acme", "support.answer", "waiter")
        print(f"      edge key altered: a new request is answered with {answer.status} {answer.code() or ''}")
        while not (parked := list((house.data / "vault/parked").rglob("*"))) and time.monotonic() - began < 120:
            time.sleep(1)
        print(f"      parked after {time.monotonic() - began:.0f} s: {sum(file.is_file() for file in parked)}")
        self.case("edge key: altered; a text that waits", *waiting, DENIED, "reveal_nothing_here")
        for key, bytes_ in whole.items():
            key.write_bytes(bytes_)
        self.await_row(waiting[0])
        self.case("edge key: as it was again", *waiting, SHOWN, None)
        self.flowed()
        house.stop()

    def time_goes_on(self):
        """Expiry, and a hold on one request"""
        house = self.house
        house.start()
        due, held = self.ask_and_keep("passer"), self.ask_and_keep("keeper")
        house.stop()
        hold = house.run("hold", "add", "--request", held[0], "--reason", "case 7").stdout.split()
        hold = next(word.strip(".,") for word in hold if uuid_or_none(word.strip(".,")))
        house.shift = "+32d"
        first = self.witness
        self.case("expired, before a retention run", *due, DENIED, "reveal_text_expired")
        self.case("expired, on hold, before a retention run", *held, SHOWN, None)
        print(indented(house.run("retention", "run").stdout))
        self.case("expired, after a retention run", *due, DENIED, "reveal_nothing_here")
        self.case("expired, on hold, after a retention run", *held, SHOWN, None)
        house.start()
        self.witness = self.ask_and_keep("later")
        house.run("hold", "release", hold, "--reason", "case closed")
        print(indented(house.run("retention", "run").stdout))
        self.case("hold released, after a retention run", *held, DENIED, "reveal_nothing_here")
        self.case("of before, expired too", *first, DENIED, "reveal_nothing_here")
        self.flowed()
        house.stop()

    def erased(self):
        """Erasure, and a hold on one person"""
        house = self.house
        house.start()
        gone, kept = self.ask_and_keep("leaver"), self.ask_and_keep("sued")
        hold = house.run("hold", "add", "--tenant", "acme", "--user", "sued", "--reason", "case 8").stdout.split()
        hold = next(word.strip(".,") for word in hold if uuid_or_none(word.strip(".,")))
        for person in ("leaver", "sued"):
            print(indented(house.run("erase", "--tenant", "acme", "--user", person, "--reason", "asked for", "--yes").stdout))
        self.case("erased", *gone, DENIED, "reveal_nothing_here")
        # The hold stopped the erasure of this text, and so keeps row and key until it is released.
        row = ContentTable(house.texts).of(kept[0])
        print(f"      on hold: the row stands, its key too: {self.key_of(row).name}")
        self.case("erased, but on hold", *kept, SHOWN, None)
        house.run("hold", "release", hold, "--reason", "case closed")
        self.case("hold released, not erased again yet", *kept, DENIED, "reveal_text_forgotten")
        print(indented(house.run("erase", "--tenant", "acme", "--user", "sued", "--reason", "asked for", "--yes").stdout))
        self.case("hold released, erased again", *kept, DENIED, "reveal_nothing_here")
        if list((house.data / "vault/units").rglob(f"{row['unit_key']}.key")):
            self.wrong.append("the key of the text that was on hold is still there")
        self.flowed()
        house.stop()

    def everything_recorded(self):
        """Each request that came through has its whole trail, also those whose texts were destroyed."""
        listed = ", ".join(f"'{request}'" for request, _ in self.all_newcomers)
        trails = self.house.sql("select request_id, count(*) filter (where kind = 'outcome') as outcomes, count(*) filter (where kind = 'content')"
                                f" as texts from events where request_id in ({listed}) group by request_id")
        whole = sum(1 for trail in trails if trail["outcomes"] == 1 and trail["texts"] == 2)
        print(f"requests let through between the cases: {len(self.all_newcomers)}, with one outcome and two texts in their events: {whole}")
        if whole != len(self.all_newcomers):
            self.wrong.append("trails of requests that came through")


def sealed(change):
    return lambda record: {**record, "sealed": change(record["sealed"])}


def same(record):
    return record


def indented(text):
    return "\n".join("      " + line for line in text.strip().splitlines())


def uuid_or_none(word):
    try:
        return uuid.UUID(word)
    except ValueError:
        return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("--keep", action="store_true", help="leave the folder")
    options = arguments.parse_args()
    if not FAKETIME.exists():
        sys.exit("libfaketime is missing: apt-get install faketime")
    drill = Drill(options.binary.resolve())
    drill.run()
    for line in drill.wrong:
        print(f"WRONG {line}")
    if options.keep:
        print(drill.work)
    else:
        shutil.rmtree(drill.work)
    sys.exit(1 if drill.wrong else 0)


if __name__ == "__main__":
    main()
