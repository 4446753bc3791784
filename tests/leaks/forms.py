"""The forms in which a text may stand somewhere, as bytes to look for; and what is undone in a place before it is searched.

Undone are percent-encoding, JSON's and Rust's escapes, HTML's entities, spaces, line ends and zero bytes (which makes UTF-16 of ASCII
letters those letters); case never counts. Looked for are the text itself, backwards, in UTF-16, base64 at its three alignments and in
both alphabets, hexadecimal, and as a list of byte values.
"""

import base64
import html
import re

BLANK = b" \t\r\n\x0b\x0c\x00"
ESCAPE = re.compile(
    rb"%[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\}|\\u[0-9a-f]{4}(?:\\u[0-9a-f]{4})?|\\x[0-9a-f]{2}|\\[nrt0]|\\[\\\"'/]|&#x?[0-9a-f]{1,7};|&(?:lt|gt|amp|quot|apos);"
)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0"}
# A text may have been quoted in what was quoted again.
ROUNDS = 4


def needles(text):
    """Name and bytes of each form of a text, without regard to case and blanks."""
    raw = text.encode()
    # `lower` of bytes knows ASCII alone.
    for shape in {text, text.upper(), text.lower(), text.swapcase()}:
        yield "plain", squeezed(shape.encode().lower())
        yield "in a form", without_plus(squeezed(shape.encode().lower()))
    yield "backwards", squeezed(text[::-1].encode().lower())
    for name in ("utf-16-le", "utf-16-be"):
        yield name, text.encode(name).lower()
        yield name, squeezed(text.encode(name).lower())
    for shift in range(3):
        coded = _base64_core(raw, shift)
        yield "base64", coded.lower()
        yield "base64, for addresses", coded.translate(bytes.maketrans(b"+/", b"-_")).lower()
    yield "hexadecimal", raw.hex().encode()
    yield "byte values", ",".join(map(str, raw)).encode()


def views(data):
    """The place as it is, with all undone, and also without the `+` that stands for a space in forms."""
    lower = data.lower()
    yield lower
    plain = undone(lower)
    yield plain
    if b"+" in plain:
        yield without_plus(plain)


def undone(lower):
    for _ in range(ROUNDS):
        lower = squeezed(lower)
        plain = ESCAPE.sub(_unescaped, lower).lower()
        if plain == lower:
            break
        lower = plain
    return squeezed(lower)


def squeezed(data):
    return data.translate(None, BLANK)


def without_plus(data):
    return data.translate(None, b"+")


def _base64_core(raw, shift):
    """What every base64 of a text holds in which these bytes begin at this place of three: no character that others share in."""
    whole = base64.b64encode(bytes(shift) + raw + bytes(2))
    first = (0, 2, 3)[shift]
    return whole[first:(shift + len(raw)) * 8 // 6]


def _unescaped(found):
    escape = found.group()
    if escape.startswith(b"%") or escape.startswith(b"\\x"):
        return bytes([int(escape[-2:], 16)])
    if escape.startswith(b"\\u"):
        return _character(escape)
    if escape.startswith(b"\\"):
        return LETTERS.get(escape[1:], escape[1:])
    return html.unescape(escape.decode()).encode(errors="replace")


def _character(escape):
    if escape.startswith(b"\\u{"):
        return _utf8(int(escape[3:-1], 16))
    units = [int(unit, 16) for unit in escape.split(b"\\u")[1:]]
    return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", errors="replace").encode()


def _utf8(point):
    return chr(point).encode(errors="replace") if point < 0x110000 else b"?"
