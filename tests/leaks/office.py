"""What people do at the desk, with reasons that hold what reasons should not: reveal, hold, erasure. And the proof that texts were kept at
all: who may see one is shown it, word for word.
"""

import json
import os
import subprocess
import time

from governed import KEPT, REVIEWERS
from ways import chat_body

# Until the lake has what was just sent.
PATIENCE = 60


class Office:
    """`place` are the arguments that say where Custody is."""

    def __init__(self, binary, place, environment, keys):
        self.binary, self.place, self.environment, self.keys = str(binary), place, environment, keys

    def all(self, ways, canaries):
        """Everything at the desk. What it said to those who may not see the text, and what it said of its work. Fails where who may see a text
        does not see it."""
        person = canaries.text("user that is erased")
        prompt = canaries.text("prompt that is revealed")
        ways.send("POST", "/v1/chat/completions", json.dumps(chat_body(f"chat.answer.{KEPT}", {"prompt": prompt, "user": person})).encode(),
                  {"authorization": f"Bearer {self.keys['acme']}", "content-type": "application/json"})
        request = ways.last_id
        reasons = [canaries.reason(f"the reason of {task}") for task in ("a reveal", "a denied reveal", "a hold", "an erasure")]
        self.see(request, prompt, reasons[0])
        denied = [self.run(self.keys[who], "reveal", request, "--redacted", "--reason", reasons[1]) for who in ("acme", "globex")]
        denied += [self.run("ck_none_none", "reveal", request, "--redacted", "--reason", reasons[1])]
        return denied, self.forget(request, person, *reasons[2:])

    def see(self, request, prompt, reason):
        """A kept text is there, and opens for whom the rules name."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            said = self.run(self.keys[REVIEWERS], "reveal", request, "--redacted", "--reason", reason)
            if prompt.encode() in said:
                return
            time.sleep(1)
        raise RuntimeError(f"the kept text of a request was not revealed: {said.decode(errors='replace')[-2000:]}")

    def forget(self, request, person, hold, erasure):
        """A hold that keeps one request, and the erasure of somebody else's texts and of theirs."""
        erase = ("erase", "--tenant", "acme", "--user", person, "--reason", erasure)
        tasks = [("hold", "add", "--request", request, "--reason", hold), ("hold", "list"), ("retention", "report"), erase, (*erase, "--yes"),
                 ("erase", "--list"), ("vault", "status")]
        return [self.run(self.keys["acme"], *task) for task in tasks]

    def run(self, key, *arguments):
        done = subprocess.run([self.binary, *arguments, *self.place], capture_output=True, env={**self.environment, "CUSTODY_KEY": key})
        return done.stdout + done.stderr


def reviewer_key(binary, data, environment=None):
    """A key for somebody who may see what is kept."""
    command = [str(binary), "keys", "add", "--data-dir", str(data), "--tenant", "acme", "--principal", "reviewer", "--group", REVIEWERS]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment or dict(os.environ)).stdout
    return next(word for word in said.replace(",", " ").split() if word.startswith("ck_"))
