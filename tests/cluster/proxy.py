"""A TCP proxy in front of S3 that does what networks do: it delays, cuts connections in the middle of a body, loses answers, or lets
nobody in."""

import random
import socket
import threading
import time

PASS, SLOW, CUT, MUTE, CLOSED = "pass", "slow", "cut", "mute", "closed"


class Proxy:
    def __init__(self, host, port):
        self.target = (host, port)
        self.mode = PASS
        self.connections = set()
        self.dice = random.Random()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode):
        self.mode = mode
        if mode == CLOSED:
            for connection in list(self.connections):
                close(connection)

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.mode == CLOSED:
                close(near)
                continue
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        try:
            far = socket.create_connection(self.target, timeout=10)
            far.settimeout(None)
        except OSError:
            close(near)
            return
        self.connections |= {near, far}
        forth = threading.Thread(target=self._copy, args=(near, far, True), daemon=True)
        forth.start()
        self._copy(far, near, False)
        forth.join()
        self.connections -= {near, far}
        near.close()
        far.close()

    def _copy(self, source, sink, forth):
        """One direction. Whatever ends it ends the whole connection: a half-open one would hide a lost answer."""
        try:
            while data := source.recv(16384):
                data = self._suffer(data, forth)
                sink.sendall(data)
        except (OSError, Lost):
            pass
        close(source)
        close(sink)

    def _suffer(self, data, forth):
        if self.mode == SLOW:
            time.sleep(self.dice.uniform(0.05, 0.4))
        if self.mode == CUT and self.dice.random() < 0.15:
            raise Lost
        # The request arrives and is done; only its answer is lost. A commit is then ambiguous.
        if self.mode == MUTE and not forth and self.dice.random() < 0.3:
            raise Lost
        return data


class Lost(Exception):
    pass


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
