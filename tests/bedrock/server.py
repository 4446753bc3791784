"""HTTP/1.1 as this stub needs it: persistent connections, and answers that break off exactly where a case says."""

import asyncio
import json
import socket
import struct
import sys
import traceback
from email.utils import formatdate

import answers
from answers import End, Pause
from signature import SignedRequest

MOST_HEAD, MOST_BODY = 64 << 10, 32 << 20
# A thousand callers may knock at once.
BACKLOG = 2048
ADMIN = "/_stub/"


class BadRequest(Exception):
    """These bytes are no request that can be answered in this connection."""


class Gone(Exception):
    """The connection is over, as the case wants it."""


class Server:
    def __init__(self, service, ledger):
        self.service, self.ledger = service, ledger
        self.connections = set()

    async def start(self, port):
        self.listener = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MOST_HEAD, backlog=BACKLOG)
        return self.listener.sockets[0].getsockname()[1]

    async def stop(self):
        self.listener.close()
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.connections.add(task)
        # Frames leave when they are made, not when there are enough of them.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._one(reader, writer):
                pass
        except (Gone, BadRequest, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        except Exception as fault:  # a defect of the stub: where it is, but not what was asked
            print(f"defect: {type(fault).__name__}", *traceback.format_tb(fault.__traceback__), file=sys.stderr, flush=True)
        finally:
            self.connections.discard(task)
            writer.close()

    async def _one(self, reader, writer):
        """One request and its answer; whether the connection stays."""
        request = await read_request(reader, writer)
        if request is None:
            return False
        stays = not any(name.lower() == "connection" and value.lower() == "close" for name, value in request.headers)
        if request.path.startswith(ADMIN):
            await self._write(reader, writer, self._administer(request))
            return stays
        answer, key = self.service.answer(request)
        how = "caller left"
        try:
            await self._write(reader, writer, answer)
            how = "whole"
        except Gone as gone:
            how = str(gone)
            raise
        finally:
            self.ledger.ended(*key, how)
        return stays

    def _administer(self, request):
        if (request.method, request.path) == ("GET", ADMIN + "requests"):
            return answers.of_json(self.ledger.report())
        if (request.method, request.path) == ("POST", ADMIN + "reset"):
            self.ledger.reset()
            self.service.reset()
            return answers.of_json({})
        failing = request.path.removeprefix(ADMIN + "failing/")
        if request.method == "POST" and failing.isdigit():
            self.service.refusals.failing = int(failing)
            return answers.of_json({})
        return answers.of_json({"paths": ["GET /_stub/requests", "POST /_stub/reset", "POST /_stub/failing/PERCENT"]}, 404)

    async def _write(self, reader, writer, answer):
        for step in answer.before:
            await self._take(step, reader, writer)
        writer.write(head_of(answer)[: answer.head_bytes])
        for step in answer.steps:
            if isinstance(step, bytes):
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if answer.chunked else step)
                await writer.drain()
            else:
                await self._take(step, reader, writer)
        if answer.chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _take(self, step, reader, writer):
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return
        if step.how == "stall":
            await self._stall(reader)
        if step.how == "reset":
            # No lingering: what is not sent is dropped and the peer gets RST.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        raise Gone(step.how)

    async def _stall(self, reader):
        """Until the caller hangs up; what it still sends is not for this answer."""
        try:
            while await reader.read(MOST_HEAD):
                pass
        except ConnectionError:
            pass


async def read_request(reader, writer):
    """The next request; nothing where the caller is done."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    try:
        first, *lines = head.decode("ascii").split("\r\n")[:-2]
        method, target, version = first.split(" ")
        headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    except ValueError:
        raise BadRequest from None
    if version != "HTTP/1.1":
        raise BadRequest
    named = {name.lower(): value for name, value in headers}
    if named.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    path, _, query = target.partition("?")
    return SignedRequest(method, path, query, headers, await read_body(reader, named))


async def read_body(reader, named):
    if "chunked" in named.get("transfer-encoding", "").lower():
        return await read_chunks(reader)
    stated = named.get("content-length", "0")
    if not stated.isdigit() or int(stated) > MOST_BODY:
        raise BadRequest
    return await reader.readexactly(int(stated))


async def read_chunks(reader):
    body = b""
    while True:
        try:
            size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        except ValueError:
            raise BadRequest from None
        if not 0 <= size <= MOST_BODY - len(body):
            raise BadRequest
        data = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += data[:-2]


def head_of(answer):
    lines = [f"HTTP/1.1 {answer.status} {answers.REASONS[answer.status]}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append("Transfer-Encoding: chunked" if answer.chunked else f"Content-Length: {answer.length}")
    return "\r\n".join([*lines, "", ""]).encode()
