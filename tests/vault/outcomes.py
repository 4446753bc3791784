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
SHOWN, FAILED, DENIED, CLOSED = 0, 1, 3, 5
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
CODES_OF_A_REQUEST = "select decision, code, cardinality(content_ids) as texts from accesses where request_id = '{}' order by time"


class Drill:
    def __init__(self, binary):
        self.work = Path(tempfile.mkdtemp(prefix="custody-outcomes-"))
        self.house = House(binary, self.work)
        self.wrong, self.number, self.flowed = [], 0, []

    def ask(self, person, tenant="acme", size=60, capability="support.answer", house=None):
        """A request whose text is kept: its id and its text."""
        self.number += 1
        text = f"{person} asks {self.number:04} where order 4711 is. "
        text = (text * (1 + size // len(text))).strip()
        answer = (house or self.house).ask(text, tenant, capability, person)
        assert answer.status == 200, f"{answer.status} {answer.body}"
        return answer.request_id, text

    def ask_and_keep(self, *arguments, **more):
        request, text = self.ask(*arguments, **more)
        self.await_open(more.get("house") or self.house, request, text, more.get("tenant", "acme"))
        return request, text

    def await_open(self, house, request, text, tenant="acme"):
        end = time.monotonic() + PATIENCE
        while True:
            done = house.reveal(request, tenant, "--part", "prompt")
            if done.returncode == SHOWN and text in done.stdout:
                return True
            if time.monotonic() > end:
                self.wrong.append(f"{request} does not open: {done.returncode} {done.stderr.strip()}")
                return False
            time.sleep(0.5)

    def case(self, name, request, text, exit_code, code, part="prompt", tenant="acme", house=None, options=()):
        """Reveals, compares, and lets something new through."""
        house = house or self.house
        done = house.reveal(request, tenant, "--part", part, *options)
        said = (done.stderr.strip().splitlines() or [""])[-1]
        shown = text is not None and text in done.stdout
        right = done.returncode == exit_code and (code is None or f"[{code}]" in done.stderr) and shown == (exit_code == SHOWN)
        asked = house.sql(CODES_OF_A_REQUEST.format(request)) if uuid_or_none(request) else []
        events = " ".join(f"{event['decision']}:{event['code'] or '-'}" for event in asked[-2:])
        if code and asked and asked[-1]["code"] != code:
            right = False
        flows = self.flows(house)
        self.say(name, done.returncode, code if right else said, events, flows, right and flows)
        return done

    def flows(self, house):
        """Something new is answered, recorded and kept, and what is old opens."""
        if not house.process:
            return self.await_open(house, *self.witness)
        request, text = self.ask("newcomer", house=house)
        self.flowed.append(request)
        return self.await_open(house, request, text) and self.await_open(house, *self.witness)

    def say(self, name, exit_code, said, events, flows, right):
        print(f"{'ok   ' if right else 'WRONG'} {name:52} exit {exit_code} {said or '(text)':28} | {events:60} | {'flows' if flows else 'STOPS'}",
              flush=True)
        if not right:
            self.wrong.append(name)

    def run(self):
        house = self.house
        house.start()
        self.witness = self.ask_and_keep("witness")
        print("--- who asks for what")
        self.who_asks()
        print("--- altered at rest, beside the running platform")
        self.rows_altered()
        self.parts_swapped()
        self.claims_altered()
        self.unit_keys_altered()
        house.stop()
        print("--- altered on the way, between a kill -9 and the next start")
        self.way_altered()
        self.edge_key_altered()
        print("--- time, holds, erasure")
        self.time_goes_on()
        self.erased()
        self.everything_recorded()

    def who_asks(self):
        request, text = self.ask_and_keep("someone")
        self.case("nothing done", request, text, SHOWN, None)
        self.case("another tenant's analyst", request, text, DENIED, "reveal_nothing_here", tenant="globex")
        self.case("a request that is unknown", str(uuid.uuid4()), None, DENIED, "reveal_nothing_here")
        never, _ = self.ask("someone", capability=self.house.uncaptured)
        self.case("a request that was never captured", never, None, DENIED, "reveal_nothing_here")
        stranger = self.house.run("reveal", request, "--reason", "case", key="ck_nobody", check=False)
        self.say("a key that nobody issued", stranger.returncode, "invalid_api_key", "", True, "[invalid_api_key]" in stranger.stderr)

    def rows_altered(self):
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
        kept = self.await_open(self.house, again, text_again)
        self.say("a new text of the person whose key is altered", 0, "", "", kept, kept)
        key.unlink()
        self.case("unit key: gone", request, text, CLOSED, "unit_key_gone")
        key.write_bytes(whole)
        self.case("unit key: as it was", request, text, SHOWN, None)

    def key_of(self, row):
        found = list((self.house.data / "vault/units").rglob(f"{row['unit_key']}.key"))
        assert len(found) == 1, found
        return found[0]

    def way_altered(self):
        """Records of the content journal and claims of the edge; nothing is read before the next start."""
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
        self.await_open(house, *untouched)
        table = ContentTable(house.texts)
        for name, (request, text, code) in asked.items():
            tenant = "globex" if name == "another tenant" else "acme"
            row = table.of(request)
            right = row["state"] == "unopened" and row["reason"] == code
            if not right:
                self.wrong.append(f"{name}: the row says {row['state']} {row['reason']}")
            self.case(f"journal: {name} [{row['state']}: {row['reason']}]", request, text, DENIED, "reveal_text_unopened", tenant=tenant)
        self.case("journal: a bit turned, checksum as it was", damaged[0], damaged[1], DENIED, "reveal_nothing_here")
        letters = house.sql("select reason, count(*) as n from dead_letters group by reason")
        print(f"      dead letters: {letters}")
        if letters != [{"reason": "damaged", "n": 1}]:
            self.wrong.append(f"dead letters: {letters}")
        self.case("journal: nothing done", *untouched, SHOWN, None)
        house.stop()

    def edge_key_altered(self):
        """The key of the day does not open for a while: texts wait, parked, and are rows when it opens again."""
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
        done = house.reveal(waiting[0], "acme", "--part", "prompt")
        print(f"      parked after {time.monotonic() - began:.0f} s: {sum(file.is_file() for file in parked)}; reveal says {done.stderr.strip()}")
        for key, bytes_ in whole.items():
            key.write_bytes(bytes_)
        opened = self.await_open(house, *waiting)
        self.case("edge key: as it was again", *waiting, SHOWN if opened else CLOSED, None)
        house.stop()

    def time_goes_on(self):
        house = self.house
        house.start()
        due, held = self.ask_and_keep("passer"), self.ask_and_keep("keeper")
        house.stop()
        hold = house.run("hold", "add", "--request", held[0], "--reason", "case 7").stdout.split()
        hold = next(word.strip(".,") for word in hold if uuid_or_none(word.strip(".,")))
        house.shift = "+32d"
        first, self.witness = self.witness, held
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
        house.stop()

    def erased(self):
        house = self.house
        house.start()
        gone, kept = self.ask_and_keep("leaver"), self.ask_and_keep("sued")
        hold = house.run("hold", "add", "--tenant", "acme", "--user", "sued", "--reason", "case 8").stdout.split()
        hold = next(word.strip(".,") for word in hold if uuid_or_none(word.strip(".,")))
        for person in ("leaver", "sued"):
            print(indented(house.run("erase", "--tenant", "acme", "--user", person, "--reason", "asked for", "--yes").stdout))
        self.case("erased", *gone, DENIED, "reveal_nothing_here")
        self.case("erased, but on hold", *kept, SHOWN, None)
        house.run("hold", "release", hold, "--reason", "case closed")
        print(indented(house.run("erase", "--tenant", "acme", "--user", "sued", "--reason", "asked for", "--yes").stdout))
        self.case("hold released, erased again", *kept, DENIED, "reveal_nothing_here")
        house.stop()

    def everything_recorded(self):
        """Each request that came through has its whole trail, also those whose texts were destroyed."""
        listed = ", ".join(f"'{request}'" for request in self.flowed)
        trails = self.house.sql("select request_id, count(*) filter (where kind = 'outcome') as outcomes, count(*) filter (where kind = 'content')"
                                f" as texts from events where request_id in ({listed}) group by request_id")
        whole = sum(1 for trail in trails if trail["outcomes"] == 1 and trail["texts"] == 2)
        print(f"requests let through between the cases: {len(self.flowed)}, with one outcome and two texts in their events: {whole}")
        if whole != len(self.flowed):
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
