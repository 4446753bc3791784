"""A running aimock, and what its own log says of each request that it received."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import aimock_cases

PINS = Path(__file__).resolve().parent / "aimock"
CLI = "node_modules/@copilotkit/aimock/dist/cli.js"
METER = re.compile(r'^aimock_requests_total\{method="POST",path="/model/\{modelId\}/converse(?:-stream)?",status="(\w+)"\} (\d+)$', re.M)
START_SECONDS = 20


def install(folder):
    """The pinned version; made once for each list of pins."""
    lock, installed = PINS / "package-lock.json", folder / "installed.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return folder
    if not shutil.which("npm"):
        sys.exit("the second Bedrock stub needs node (20 or newer) and npm")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, folder / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)
    shutil.copy(lock, installed)
    return folder


class RunningAimock:
    def __init__(self, folder, work, cases):
        fixtures, self.log = work / "fixtures.json", work / "aimock.log"
        fixtures.write_text(json.dumps(aimock_cases.fixtures(cases)))
        command = ["node", folder / CLI, "--port", "0", "--fixtures", fixtures, "--journal-max", "0", "--metrics"]
        self.process = subprocess.Popen(command, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT)
        self.url = self._address()

    def _address(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(r"listening on (http://\S+)", self.log.read_text()):
                return found[1]
            time.sleep(0.05)
        raise RuntimeError(f"aimock did not start: {self.log.read_text()[-4000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def received(self, model_id):
        """How many requests came for a model id. For one whose callers leave unanswered, how many callers left so far, of any model."""
        if not aimock_cases.BY_NAME[model_id].unlogged:
            return len(self.journal(model_id))
        time.sleep(0.3)
        return sum(count for status, count in self._meter() if status == "destroyed")

    def received_in_all(self):
        return sum(count for _, count in self._meter())

    def journal(self, model_id):
        entries = json.loads(self._get(f"/__aimock/journal?path=/model/{model_id}/"))
        return [entry for entry in entries if entry["path"].split("/")[2] == model_id]

    def _meter(self):
        return [(status, int(count)) for status, count in METER.findall(self._get("/metrics"))]

    def _get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read().decode()
