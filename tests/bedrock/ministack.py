"""A running MiniStack, and how many requests its own log counts."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import aws_client
import cases

PINS = Path(__file__).resolve().parent / "ministack/requirements.txt"
START_SECONDS = 60


def install(folder):
    """A virtual environment with the pinned version, since it needs another botocore than our clients; made once for each list."""
    folder = folder.resolve()
    installed, python = folder / "requirements.txt", folder / "bin/python"
    if not (installed.exists() and installed.read_bytes() == PINS.read_bytes()):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", PINS], check=True)
        shutil.copy(PINS, installed)
    return python


class RunningMinistack:
    def __init__(self, python, work, model_url):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{port}", work / "ministack.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))}
        environment = {**kept, "GATEWAY_PORT": str(port), "LOG_LEVEL": "DEBUG", "MINISTACK_BEDROCK_PROXY_URL": model_url}
        self.process = subprocess.Popen(
            [python.parent / "ministack"], stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, cwd=work, env=environment)
        self._wait()

    def _wait(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                return urllib.request.urlopen(self.url + "/_ministack/health", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"MiniStack did not start: {self.log.read_text()[-4000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def make_guardrail(self, name, policies):
        made = aws_client.client(self.url, "bedrock").create_guardrail(
            name=name, blockedInputMessaging=cases.BLOCKED_TEXT, blockedOutputsMessaging=cases.BLOCKED_TEXT, **policies)
        return made["guardrailId"]

    def received(self, model_id):
        """The log has a line for each request, written before it is looked at."""
        places = [f"POST /model/{model_id}/{tail} -> " for tail in ("converse", "converse-stream")]
        return sum(self.log.read_text(errors="replace").count(place) for place in places)
