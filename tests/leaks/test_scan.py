#!/usr/bin/env python3
"""The scanner itself: each kind of text, in each form, in each container, is found; and where nothing was put, nothing is found.

A scanner that finds nothing proves nothing unless it is known to find.
"""

import base64
import html
import json
import random
import sys
import urllib.parse

import made_containers
from canaries import Canaries
from scan import Scan

PIECES_OF_A_LINE = 7


def in_lines(text):
    return "\n".join(text[at:at + PIECES_OF_A_LINE] for at in range(0, len(text), PIECES_OF_A_LINE)).encode()


FORMS = {
    "plain": str.encode,
    "cut short": lambda text: text.encode()[:34],
    "upper case": lambda text: text.upper().encode(),
    "reversed case": lambda text: text.swapcase().encode(),
    "backwards": lambda text: text[::-1].encode(),
    "split by line ends": in_lines,
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one byte later": lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
    "base64, two bytes later": lambda text: base64.b64encode(b"xy" + text.encode() + b"z"),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b"\xff\xfe" + text.encode()).rstrip(b"="),
    "base64 in lines": lambda text: base64.encodebytes(text.encode() * 2),
    "base64 of escaped base64": lambda text: json.dumps(base64.b64encode(text.encode()).decode()).replace("/", "\\/").encode(),
    "percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    "percent where needed": lambda text: urllib.parse.quote(text).encode(),
    "form": lambda text: urllib.parse.urlencode({"q": text}).encode(),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "hexadecimal capitals": lambda text: text.encode().hex().upper().encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})).encode(),
    "JSON, every character": lambda text: "".join(f"\\u{unit.hex()}" for unit in _units(text)).encode(),
    "Rust, debug": lambda text: "".join(f"\\u{{{ord(character):x}}}" for character in text).encode(),
    "Rust, bytes": lambda text: ", ".join(map(str, text.encode())).encode(),
    "HTML": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace"),
    "HTML, every character": lambda text: "".join(f"&#{ord(character)};" for character in text).encode(),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(character):X};" for character in text).encode(),
    "UTF-16 LE": lambda text: text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: text.encode("utf-16-be"),
}


def _units(text):
    coded = text.encode("utf-16-be")
    return [coded[at:at + 2] for at in range(0, len(coded), 2)]


def texts():
    canaries = Canaries(seed=7)
    yield "word", [canaries.word("word")], list(canaries.needles())
    canaries = Canaries(seed=8)
    yield "text", [canaries.text("text")], list(canaries.needles())
    values = ["6750 Koskikatu 25 Apt. 864\nArtilleros", "Krisztián Szöllösy-Gelencsér", "AKIA/Qy+LPMN5HHHFPZAM2=="]
    for at, value in enumerate(values):
        yield f"value {at}", [value], [("value", value)]


def main():
    failures, tried = [], 0
    for kind, (text,), wanted in texts():
        scan = Scan(wanted)
        for form, make in FORMS.items():
            if form == "cut short" and kind.startswith("value"):
                continue
            for container in made_containers.ALL:
                tried += 1
                if not scan.look(container.__name__, "planted", container(make(text))):
                    failures.append(f"{kind} as {form} in {container.__name__} is not found")
        # Another text of the same shape, in the same places: the scanner finds what it is asked for and nothing else.
        dice = random.Random(1)
        other = "".join(dice.choice("abcdefghijklmnopqrstuvwxyz0123456789 ") for _ in text * 3)
        for form, make in FORMS.items():
            for container in made_containers.ALL:
                tried += 1
                if scan.look("nothing", "empty", container(make(other))):
                    failures.append(f"another text than {kind}, as {form} in {container.__name__}, is taken for it")
    print(f"scanner: {tried} plantings, {len(failures)} failures")
    print("\n".join(failures[:40]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
