"""Streams: the events of a script in AWS's order, and what each case does to them.

    messageStart, then for each block contentBlockStart (tools only), contentBlockDelta…, contentBlockStop,
    then messageStop, then metadata with the usage
"""

import json
import struct
from functools import lru_cache

import cases
import framing
import scripts
from answers import EVENT_STREAM, Answer, End, Pause, identity, of_html

PIECE = 12
# Real frames carry padding of a length of its own, so that sizes tell an eavesdropper nothing.
PADDING = "abcdefghijklmnop"
TRICKLE = 0.02
DELAY = 0.7


def converse_stream(name):
    if name == "stub.lie.html":
        return of_html(200)
    return Answer(200, [("Content-Type", EVENT_STREAM), *identity()], steps_of(name), chunked=True)


# Under load the same few cases are asked all the time; a megabyte of checksums would be made for each.
@lru_cache(maxsize=256)
def steps_of(name):
    kind = name.removeprefix("stub.stream.") if name.startswith("stub.stream.") else "text-only"
    events = events_of(scripts.of(name))
    return tuple(_exceptional(kind, events) if kind.startswith("exception.") else WAYS[kind](events))


def events_of(script):
    """Pairs of name and payload."""
    events = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(script.content):
        events += _events_of_block(index, block)
    stop = {"stopReason": script.stop_reason}
    if script.fields is not None:
        stop["additionalModelResponseFields"] = script.fields
    metadata = {"metrics": {"latencyMs": 12}, **script.more}
    if script.usage is not None:
        metadata["usage"] = script.usage
    if script.trace is not None:
        metadata["trace"] = script.trace
    return [*events, ("messageStop", stop), ("metadata", metadata)]


def _events_of_block(index, block):
    kind, value = next(iter(block.items()))
    deltas, start = [], None
    if kind == "text":
        deltas = [{"text": piece} for piece in _pieces(value)]
    elif kind == "toolUse":
        start = {"toolUse": {"toolUseId": value["toolUseId"], "name": value["name"]}}
        deltas = [{"toolUse": {"input": piece}} for piece in _pieces(json.dumps(value["input"]))] if value["input"] else []
    elif kind == "reasoningContent":
        said = value.get("reasoningText")
        deltas = [{"text": piece} for piece in _pieces(said["text"])] + [{"signature": said["signature"]}] if said else [value]
        deltas = [{"reasoningContent": delta} for delta in deltas]
    elif kind == "citationsContent":
        deltas = [{"text": piece["text"]} for piece in value["content"]] + [{"citation": citation} for citation in value["citations"]]
    else:
        start = {kind: value}
    opened = [("contentBlockStart", {"start": start, "contentBlockIndex": index})] if start else []
    moved = [("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in deltas]
    return [*opened, *moved, ("contentBlockStop", {"contentBlockIndex": index})]


def _pieces(text):
    # A long text leaves in long pieces, or a megabyte would be a hundred thousand frames.
    size = max(PIECE, len(text) // 64)
    return [text[place : place + size] for place in range(0, len(text), size)]


def frame(name, payload):
    data = json.dumps({**payload, "p": PADDING[: len(name)]}, ensure_ascii=False).encode()
    return framing.event(name, data)


def frames(events):
    return [frame(*event) for event in events]


def until_half(events):
    """The frames up to where exactly `HALF` of the text has been said."""
    return frames(events[:1] + [("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0}) for piece in _pieces(cases.HALF)])


def without(events, *names):
    return [event for event in events if event[0] not in names]


def _exceptional(kind, events):
    _, name, moment = kind.split(".")
    before = {"start": [], "mid": until_half(events), "stop": frames(without(events, "metadata"))}[moment]
    return [*before, _exception(name)]


def _exception(name):
    members = {"message": cases.UPSTREAM_MESSAGE}
    if name == "modelStreamErrorException":
        members |= {"originalStatusCode": 502, "originalMessage": cases.UPSTREAM_MESSAGE}
    return framing.exception(name, json.dumps(members).encode())


def _block_start(events):
    """Some models open text blocks too, with an empty start."""
    return frames([events[0], ("contentBlockStart", {"start": {}, "contentBlockIndex": 0}), *events[1:]])


def _interleaved(events):
    """The blocks' events in turns, one of each."""
    lanes = {}
    for event in events[1:-2]:
        lanes.setdefault(event[1]["contentBlockIndex"], []).append(event)
    turns, lanes = [], list(lanes.values())
    while any(lanes):
        turns += [lane.pop(0) for lane in lanes if lane]
    return frames([events[0], *turns, *events[-2:]])


def _tool_pieces(events):
    """One character a piece, an empty piece between."""
    start, stop = events[1], next(event for event in events if event[0] == "contentBlockStop")
    pieces = ["", *json.dumps(cases.TOOL["input"]), ""]
    deltas = [("contentBlockDelta", {"delta": {"toolUse": {"input": piece}}, "contentBlockIndex": 0}) for piece in pieces]
    return frames([events[0], start, *deltas, stop, *events[-2:]])


def _tool_bad_json(events):
    bad = ("contentBlockDelta", {"delta": {"toolUse": {"input": '{"number": "NL-'}}, "contentBlockIndex": 0})
    return frames([*events[:2], bad, ("contentBlockStop", {"contentBlockIndex": 0}), *events[-2:]])


def _unknown_member(events):
    return frames([(name, {**payload, "brandNew": {"deep": [1]}}) for name, payload in events])


def _unknown_delta(events):
    delta = ("contentBlockDelta", {"delta": {"brandNewDelta": {"x": 1}}, "contentBlockIndex": 7})
    return frames([*events[:-2], delta, ("contentBlockStop", {"contentBlockIndex": 7}), *events[-2:]])


def _no_usage(events):
    return frames([(name, {key: value for key, value in payload.items() if key != "usage"}) for name, payload in events])


def _broken(place):
    """A frame in the middle with one byte turned over at this place."""
    def steps(events):
        bad = bytearray(frame("contentBlockDelta", {"delta": {"text": "x"}, "contentBlockIndex": 0}))
        bad[place] ^= 0xFF
        return [*until_half(events), bytes(bad), *frames(events[-2:])]
    return steps


def _giant(events):
    """A frame that announces two gigabytes, with a right checksum."""
    prelude = struct.pack(">II", 2**31, 0)
    return [*until_half(events), prelude + struct.pack(">I", framing.zlib.crc32(prelude)), b"\0" * 4096]


def _cut(how, inside):
    """Off in the middle of a frame or after one; no way of ending leaves the chunked body properly ended."""
    def steps(events):
        part = [frame("contentBlockDelta", {"delta": {"text": "never whole"}, "contentBlockIndex": 0})[:40]] if inside else []
        # The caller must have what was sent before a reset takes it back.
        return [*until_half(events), *part, *([Pause(0.1), End(how)] if how else [])]
    return steps


def _bytes(events):
    whole = b"".join(frames(events))
    return [whole[place : place + 1] for place in range(len(whole))]


def _slow(events):
    whole = b"".join(frames(events))
    pieces = [whole[place : place + 100] for place in range(0, len(whole), 100)]
    return [step for piece in pieces for step in (piece, Pause(TRICKLE))]


WAYS = {
    "text-only": frames,
    "block-start": _block_start,
    "interleaved": _interleaved,
    "tool-pieces": _tool_pieces,
    "tool-cut": lambda events: frames(events[:4]),
    "tool-bad-json": _tool_bad_json,
    "no-usage": _no_usage,
    "no-metadata": lambda events: frames(without(events, "metadata")),
    "metadata-first": lambda events: frames([*events[:-2], events[-1], events[-2]]),
    "metadata-twice": lambda events: frames([*events, events[-1]]),
    "no-message-start": lambda events: frames(events[1:]),
    "no-message-stop": lambda events: frames(without(events, "messageStop", "metadata")),
    "no-message-stop-but-metadata": lambda events: frames(without(events, "messageStop")),
    "no-block-stop": lambda events: frames(without(events, "contentBlockStop")),
    "cut-in-frame": _cut(None, True),
    "cut-under-guardrail": _cut(None, True),
    "cut-between-frames": _cut(None, False),
    "reset-in-frame": _cut("reset", True),
    "reset-between-frames": _cut("reset", False),
    "close-between-frames": _cut("close", False),
    "bad-crc": _broken(-1),
    "bad-prelude-crc": _broken(8),
    "garbage": lambda events: [*until_half(events), b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>canary of garbage</html>" * 8],
    "giant-frame": _giant,
    "not-json": lambda events: [*until_half(events), framing.event("contentBlockDelta", b"{not json"), *frames(events[-2:])],
    "unknown-event": lambda events: frames([events[0], ("brandNewEvent", {"x": 1}), *events[1:]]),
    "unknown-member": _unknown_member,
    "unknown-delta": _unknown_delta,
    "unknown-exception": lambda events: [*until_half(events), _exception("brandNewException")],
    "error-message": lambda events: [*until_half(events), framing.error("InternalFailure", cases.UPSTREAM_MESSAGE)],
    "empty": frames,
    "no-frames": lambda _: [],
    "slow": _slow,
    "single-bytes": _bytes,
    "one-write": lambda events: [b"".join(frames(events))],
    "delayed": lambda events: [Pause(DELAY), *frames(events)],
    "stall": lambda events: [*until_half(events), End("stall")],
    "stall-after-stop": lambda events: [*frames(without(events, "metadata")), End("stall")],
}
