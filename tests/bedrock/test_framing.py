"""The frames against AWS's own vectors."""

import datetime
import struct
import unittest
import uuid
import zlib

import framing
import places

VECTORS = places.AWS_WIRE / "eventstream_test_data"
ALL_HEADERS = [
    ("true", True), ("false", False), ("byte", framing.Integer(50, 2)), ("short", framing.Integer(20_000, 3)),
    ("int", framing.Integer(500_000, 4)), ("long", framing.Integer(50_000_000_000, 5)), ("bytes", b"some bytes"), ("str", "some str"),
    ("time", datetime.datetime.fromtimestamp(5_000_000, datetime.timezone.utc)),
    ("uuid", uuid.UUID("b79bc914-de21-4e13-b8b2-bc47e85b7f0b")),
]
VALID = {
    "valid_with_all_headers_and_payload": (ALL_HEADERS, b"some payload"),
    "valid_empty_payload": ([("some-header", framing.Integer(500, 3))], b""),
    "valid_no_headers": ([], b"another test payload"),
}


def sealed(body):
    """With a right checksum of the message."""
    return body + struct.pack(">I", zlib.crc32(body))


def with_prelude(total, headers_length, frame):
    """The frame's bytes behind another prelude with a right checksum, without the message's."""
    prelude = struct.pack(">II", total, headers_length)
    return prelude + struct.pack(">I", zlib.crc32(prelude)) + frame[12:-4]


class Vectors(unittest.TestCase):
    def test_valid_ones_are_read_and_written_byte_for_byte(self):
        for name, (headers, payload) in VALID.items():
            with self.subTest(name):
                data = (VECTORS / name).read_bytes()
                self.assertEqual(framing.decode(data), (headers, payload))
                self.assertEqual([header.kind for _, header in framing.decode(data)[0] if isinstance(header, framing.Integer)],
                                 [header.kind for _, header in headers if isinstance(header, framing.Integer)])
                self.assertEqual(framing.encode(headers, payload), data)

    def test_invalid_ones_are_refused(self):
        names = [path.name for path in VECTORS.iterdir() if path.name.startswith("invalid")]
        self.assertEqual(len(names), 8)
        for name in names:
            with self.subTest(name), self.assertRaises(framing.FrameError):
                framing.decode((VECTORS / name).read_bytes())

    def test_invalid_headers_are_refused_for_their_headers_too(self):
        """Some of the vectors' checksums are wrong as well. With right ones they must still fail."""
        for name in ("invalid_header_name_length_too_long", "invalid_header_string_length_cut_off", "invalid_header_string_value_length",
                     "invalid_header_value_type"):
            data = (VECTORS / name).read_bytes()
            block = data[framing.PRELUDE : framing.PRELUDE + int.from_bytes(data[4:8])]
            with self.subTest(name), self.assertRaises(framing.FrameError):
                framing._decode_headers(block)

    def test_any_flipped_byte_is_noticed(self):
        data = framing.event("messageStart", b'{"role":"assistant"}')
        for place in range(len(data)):
            bad = bytearray(data)
            bad[place] ^= 1
            with self.subTest(place), self.assertRaises(framing.FrameError):
                framing.decode(bytes(bad))

    def test_each_check_stands_alone(self):
        """Frames that are wrong in one way only, with every other length and checksum right."""
        whole = framing.encode([("a", "b")], b"{}")
        wrong = {
            "too short": whole[:10],
            "one byte too many": sealed(whole[:-4] + b"x"),
            "prelude's checksum": sealed(whole[:8] + b"\0\0\0\0" + whole[12:-4]),
            "headers longer than the frame": sealed(with_prelude(len(whole), len(whole), whole)),
            "header without a name": sealed(with_prelude(18, 2, bytes(12) + b"\0\0\0\0\0\0")),
        }
        for name, data in wrong.items():
            with self.subTest(name), self.assertRaises(framing.FrameError):
                framing.decode(data)
        for name in ("", "x" * 256):
            with self.assertRaises(framing.FrameError):
                framing.encode([(name, True)], b"")

    def test_a_stream_is_split_into_frames_and_a_rest(self):
        one, two = framing.event("a", b"{}"), framing.exception("b", b"[]")
        frames, rest = framing.split(one + two + one[:20])
        self.assertEqual([payload for _, payload in frames], [b"{}", b"[]"])
        self.assertEqual(rest, one[:20])


if __name__ == "__main__":
    unittest.main()
