"""What is looked for: made-up texts that stand nowhere else, and the longer values of the public sets of personal data and secrets."""

import json
import os
import random
import re
import string
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parent / "../../../shared/data"
DATA = Path(os.environ.get("CUSTODY_DATA", BESIDE_THE_CHECKOUT))
# Shorter values stand in many texts by chance.
SHORTEST_VALUE = 16
# Any 31 letters of a canary hold one of these whole: what was cut short is found too.
PIECE = 16
WORD = 48
# What escapes change: quotes, markup, a backslash, letters of two, three and four bytes.
AWKWARD = ' "ü→<&>\\%41 𝔘 '


class Canary:
    def __init__(self, name, text, pieces):
        self.name, self.text, self.pieces = name, text, pieces

    @property
    def word(self):
        """The part that fits everywhere: letters only."""
        return self.pieces[0]


class Canaries:
    """Makes canaries; each is named after the way that it is sent."""

    def __init__(self, seed=None):
        self.dice = random.Random(seed)
        self.all = {}

    def word(self, name):
        """Letters alone: for headers, names and paths."""
        return self._keep(name, self._letters(WORD), lambda text: [text]).text

    def text(self, name):
        """Two words and what escapes would change between them: for prompts and answers."""
        before, after = self._letters(WORD), self._letters(WORD)
        return self._keep(name, before + AWKWARD + after, lambda _: [before, after]).text

    def reason(self, name):
        """A reason as a person in a hurry writes it: meant to be read by others, but for a credential and an address in it."""
        key = "AKIA" + "".join(self.dice.choice(string.ascii_uppercase + "234567") for _ in range(16))
        address = f"{self._letters(20).lower()}@example.com"
        self._keep(f"credential in {name}", key, lambda text: [text])
        self._keep(f"address in {name}", address, lambda text: [text])
        return f"complaint 17, the key {key} of {address} was in it"

    def _letters(self, count):
        return "".join(self.dice.choice(string.ascii_letters) for _ in range(count))

    def _keep(self, name, text, words):
        if name in self.all:
            raise ValueError(f"two canaries are named {name}")
        self.all[name] = Canary(name, text, words(text))
        return self.all[name]

    def needles(self):
        """Name and text of everything to look for: each canary whole, and in pieces."""
        for canary in self.all.values():
            yield canary.name, canary.text
            for word in canary.pieces:
                yield canary.name, word
                yield from ((canary.name, word[at:at + PIECE]) for at in range(0, len(word), PIECE))

    def save(self, file):
        Path(file).write_text(json.dumps(list(self.needles()), indent=0))


def _files(data):
    return data / "pii/pii.jsonl", data / "secrets/secrets.jsonl"


def some_public_rows(count, data=DATA):
    """The first rows, or none where the sets are not there, which is said: the canaries go through every way all the same."""
    if not all(file.is_file() for file in _files(data)):
        print(f"the public data is not in {data} (CUSTODY_DATA says where it is): the canaries alone are sent", flush=True)
        return []
    return list(public_rows(data))[:count]


def public_rows(data=DATA):
    """Name and text of each row of both sets, and the values in it that are long enough to be looked for."""
    files = _files(data)
    if not all(file.is_file() for file in files):
        raise SystemExit(f"the public data is not in {data}; CUSTODY_DATA says where it is")
    pii, secrets = ([json.loads(line) for line in file.read_text().split("\n") if line] for file in files)
    for row in pii:
        yield "pii", row["text"], [span["value"] for span in row["spans"] if is_long(span["value"])]
    for row in secrets:
        yield "secret", row["text"], _credentials(row) if row["kind"] == "tp" else []


def is_long(value):
    return len("".join(value.split())) >= SHORTEST_VALUE


def _credentials(row):
    """The rows do not say where in them the credential stands: it is the longest word."""
    longest = max(re.split(r"[\s\"'=,;`<>()]+", row["text"]), key=len)
    return [longest] if is_long(longest) else []
