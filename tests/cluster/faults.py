"""The faults of the chaos test. Each takes its length from the dice, does its harm, and leaves everything as it was."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from cluster import http
from load import JOURNAL_CAPABILITY, LOG_CAPABILITY, figures
from proxy import CLOSED, CUT, MUTE, PASS, SLOW

FIRST_USER = 20001
FAKETIME = [Path(folder) / "libfaketimeMT.so.1" for folder in
            ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")]


class Services:
    """Kafka's brokers and S3, by `cargo xtask services`."""

    def __init__(self, command, folder):
        self.command, self.folder = command, Path(folder)
        self.brokers = [service["name"] for service in self._known() if service["name"].startswith("kafka")]

    def _known(self):
        return json.loads((self.folder / "services.json").read_text())["services"]

    def _of(self, name):
        return next(service for service in self._known() if service["name"] == name)

    def pid(self, name):
        return self._of(name)["process"]["pid"]

    def port(self, name, which):
        return self._of(name)["ports"][which]

    def do(self, verb, name, check=True):
        done = subprocess.run([*self.command, verb, name, "--dir", self.folder], capture_output=True, text=True, timeout=180)
        if check and done.returncode != 0:
            raise RuntimeError(f"services {verb} {name}: {done.stdout}{done.stderr}")
        return done.returncode == 0

    def start(self, name):
        """A broker that finds its former self's session still open ends at once: then once more."""
        for last in (False, False, True):
            if self.do("start", name, check=last):
                return

    def log_folder(self, broker):
        return self.folder / broker.replace(":", "-") / "log"

    def small_disk(self):
        """The broker whose log stands on a disk of its own that is small enough to fill."""
        for broker in self.brokers:
            folder = self.log_folder(broker)
            if os.path.ismount(folder) and shutil.disk_usage(folder).total < 4 << 30:
                return broker
        return None


def can_cut():
    """Only as root in a network namespace of its own, which has nothing but loopback: its rules concern nobody else."""
    up = subprocess.run("ip -o link show up", shell=True, capture_output=True, text=True).stdout.splitlines()
    if os.geteuid() != 0 or len(up) != 1 or " lo: " not in up[0]:
        return False
    rules = subprocess.run(["ip", "rule"], capture_output=True, text=True).stdout
    if rules.startswith("0:"):
        # The kernel asks the table of local addresses first; a rule that shall come before it needs it to stand later.
        subprocess.run("ip rule add pref 100 lookup local && ip rule del pref 0", shell=True, check=True)
    return True


def own_users(cluster):
    """Each part as a user of its own, by whom the network tells the parts apart; they may still read what is root's."""
    for number, part in enumerate(cluster.parts):
        rights = "+dac_override,+dac_read_search,+fowner"
        part.prefix = ["setpriv", f"--reuid={FIRST_USER + number}", f"--inh-caps={rights}", f"--ambient-caps={rights}"]
        part.user = FIRST_USER + number


class Cut:
    """Packets to some ports vanish, from one part or from everybody."""

    def __init__(self, ports, user=None):
        whose = ["uidrange", f"{user}-{user}"] if user else []
        self.rules = [["pref", "50", "ipproto", "tcp", "dport", str(port), *whose, "blackhole"] for port in ports]

    def __enter__(self):
        for rule in self.rules:
            subprocess.run(["ip", "rule", "add", *rule], check=True)

    def __exit__(self, *_):
        for rule in self.rules:
            subprocess.run(["ip", "rule", "del", *rule], check=True)


class Faults:
    def __init__(self, cluster, services, proxy, load, dice, note):
        self.cluster, self.services, self.proxy, self.load, self.dice, self.note = cluster, services, proxy, load, dice, note
        self.violations = []
        # Parts that were started in the middle of another fault.
        self.tried = set()
        self.background = []
        self.kinds = self._kinds()

    def _kinds(self):
        """Kind, its function and its weight. What this machine can't do is left out, and said."""
        kinds = [
            ("gateway_killed", self.gateway_killed, 12), ("ingest_killed", self.ingest_killed, 12), ("query_killed", self.query_killed, 6),
            ("ingest_zombie", self.ingest_zombie, 8), ("gateway_frozen", self.gateway_frozen, 4), ("query_frozen", self.query_frozen, 3),
            ("broker_stopped", self.broker_stopped, 5), ("broker_killed", self.broker_killed, 6), ("broker_frozen", self.broker_frozen, 6),
            ("two_brokers_killed", self.two_brokers_killed, 3),
            ("s3_stopped", self.s3_stopped, 4), ("s3_killed", self.s3_killed, 4),
            ("s3_slow", self.s3_slow, 6), ("s3_cut_in_body", self.s3_cut_in_body, 7), ("s3_answers_lost", self.s3_answers_lost, 7),
            ("s3_unreachable", self.s3_unreachable, 4),
            ("partitions_added", self.partitions_added, 3), ("upkeep_by_hand", self.upkeep_by_hand, 8),
            ("everything_killed", self.everything_killed, 2),
        ]
        if can_cut():
            own_users(self.cluster)
            kinds += [("gateway_cut_from_kafka", self.gateway_cut, 5), ("ingest_cut_from_kafka", self.ingest_cut, 6),
                      ("query_cut_from_kafka", self.query_cut, 3), ("broker_cut_from_all", self.broker_cut, 5)]
        else:
            self.note("left out: network cuts (needs root and a network namespace: `ip netns exec NAME …`)")
        if self.services.small_disk():
            kinds.append(("broker_disk_full", self.broker_disk_full, 4))
        else:
            self.note("left out: a broker's full disk (none stands on a small disk of its own)")
        self.faketime = next((str(library) for library in FAKETIME if library.exists()), None)
        if self.faketime:
            kinds += [("gateway_clock_stepped", self.gateway_clock, 4), ("ingest_clock_stepped", self.ingest_clock, 4)]
        else:
            self.note("left out: stepped clocks (libfaketime is not installed)")
        return kinds

    def sequence(self, count, only=None):
        """Each kind once before weights decide, in an order that the seed gives."""
        kinds = [kind for kind in self.kinds if not only or kind[0] in only]
        first = self.dice.sample(kinds, len(kinds))
        rest = self.dice.choices(kinds, [weight for *_, weight in kinds], k=max(0, count - len(first)))
        return [kind[:2] for kind in (first + rest)[:count]]

    def settle(self):
        """All parts are there again. One that was running and ended by itself is an offence; one that could not start while a service
        was away may end, saying why, and is started again, as a supervisor would."""
        for part in self.cluster.parts:
            if not part.is_running():
                code = part.process.poll()
                if part in self.tried and code == 1:
                    self.note(f"  {part.name} could not start during the fault: {part.tail()[-200:]}")
                else:
                    self.violations.append(f"{part.name} ended by itself with {code}: {part.tail()[-600:]}")
                part.start(wait=False)
        self.tried.clear()
        for part in self.cluster.parts:
            part.wait_ready(120)

    def meanwhile(self, kind):
        """Sometimes a kill -9 in the middle of another fault; nothing where the other fault is one of processes itself."""
        if not kind.startswith(("s3_", "broker_", "two_")) or self.dice.random() > 0.35:
            return None
        part, delay = self.dice.choice(self.cluster.parts), self.dice.uniform(1, 6)

        def kill():
            time.sleep(delay)
            self.tried.add(part)
            part.environment = {}
            part.kill()
            part.start(wait=False)

        return part.name.rstrip("0123456789") + "_killed_meanwhile", kill

    def _ingest(self):
        """Mostly the one that has work: few partitions carry events, and an idle zombie endangers nothing."""
        busy = lambda ingest: figures(http(ingest.url + "/metrics", timeout=2)[1]).get("custody_ingest_lag_records", 0)
        # The dice are thrown either way, so that the seed's later faults do not depend on what was busy.
        any_one, prefer = self.dice.choice(self.cluster.ingests), self.dice.random() < 0.7
        return max(self.cluster.ingests, key=busy) if prefer else any_one

    def hold(self, least, most):
        time.sleep(self.dice.uniform(least, most))

    # Processes.

    def _kill(self, *parts, pause=(0, 3)):
        for part in parts:
            part.environment = {}
            part.kill()
        self.hold(*pause)
        for part in parts:
            part.start(wait=False)
        for part in parts:
            part.wait_ready(120)

    def gateway_killed(self):
        self._kill(self.dice.choice(self.cluster.gateways))

    def ingest_killed(self):
        self._kill(self._ingest())

    def query_killed(self):
        self._kill(self.cluster.query)

    def everything_killed(self):
        self._kill(*self.cluster.parts)

    def _freeze(self, part, least, most):
        part.process.send_signal(signal.SIGSTOP)
        self.hold(least, most)
        part.process.send_signal(signal.SIGCONT)

    def ingest_zombie(self):
        """Longer than the session: its partitions are given away, and it wakes up in the middle of what it did."""
        self._freeze(self._ingest(), 12, 20)

    def gateway_frozen(self):
        self._freeze(self.dice.choice(self.cluster.gateways), 4, 14)

    def query_frozen(self):
        self._freeze(self.cluster.query, 4, 14)

    # Kafka.

    def _broker(self):
        return self.dice.choice(self.services.brokers)

    def broker_stopped(self):
        broker = self._broker()
        self.services.do("stop", broker)
        self.hold(2, 10)
        self.services.start(broker)

    def broker_killed(self):
        broker = self._broker()
        self.services.do("kill", broker)
        self.hold(1, 10)
        self.services.start(broker)

    def broker_frozen(self):
        pid = self.services.pid(self._broker())
        os.kill(pid, signal.SIGSTOP)
        self.hold(5, 20)
        os.kill(pid, signal.SIGCONT)

    def two_brokers_killed(self):
        """One copy is too few: Kafka takes nothing. What waits for the log is refused, what waits for the journal goes on."""
        brokers = self.dice.sample(self.services.brokers, 2)
        for broker in brokers:
            self.services.do("kill", broker)
        time.sleep(8)
        began = time.time()
        self.hold(6, 9)
        counts = self.load.counts(began, time.time())
        # Started together: one alone can't become healthy without a majority.
        starts = [subprocess.Popen([*self.services.command, "start", broker, "--dir", self.services.folder],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for broker in brokers]
        [start.wait() for start in starts]
        for broker in brokers:
            self.services.start(broker)
        if not counts[(LOG_CAPABILITY, "503 log_unavailable")] or not counts[(JOURNAL_CAPABILITY, "answered")]:
            self.violations.append(f"with one broker of three, the two kinds of acknowledgement did not differ: {dict(counts)}")

    def broker_disk_full(self):
        broker = self.services.small_disk()
        ballast = self.services.log_folder(broker).parent / "log" / "ballast"
        fill(ballast)
        self.hold(5, 15)
        ballast.unlink(missing_ok=True)
        # A broker whose disk was full has usually halted; one that lives goes on by itself.
        self.services.do("kill", broker, check=False)
        self.services.start(broker)

    def partitions_added(self):
        text = self.cluster.config.read_text()
        more = int(re.search(r"^partitions = (\d+)", text, re.M).group(1)) + 1
        self.cluster.config.write_text(re.sub(r"^partitions = \d+", f"partitions = {more}", text, flags=re.M))
        for attempt in range(3):
            done = self.cluster.run("topics", "apply", "--config", str(self.cluster.config), check=False)
            if done.returncode == 0:
                # A gateway's first start on a new folder would choose among the new ones too; old ones must stay where they are.
                return self._kill(self.dice.choice(self.cluster.gateways))
            time.sleep(2)
        self.violations.append(f"topics apply: {done.stdout}{done.stderr}")

    # S3.

    def s3_stopped(self):
        self.services.do("stop", "s3")
        self.hold(8, 25)
        self.services.start("s3")

    def s3_killed(self):
        self.services.do("kill", "s3")
        self.hold(2, 15)
        self.services.start("s3")

    def _proxied(self, mode, least, most):
        self.proxy.set(mode)
        self.hold(least, most)
        self.proxy.set(PASS)

    def s3_slow(self):
        self._proxied(SLOW, 10, 20)

    def s3_cut_in_body(self):
        self._proxied(CUT, 8, 18)

    def s3_answers_lost(self):
        self._proxied(MUTE, 8, 18)

    def s3_unreachable(self):
        self._proxied(CLOSED, 8, 25)

    def upkeep_by_hand(self):
        """Not waited for: other faults may hit it. A failure under a fault is allowed, a wrong lake is not."""
        task = self.dice.choice((["compact"], ["vacuum", "--keep", "1"]))
        command = [self.cluster.binary, "lake", *task, "--config", str(self.cluster.config)]
        log = open(self.cluster.work / "upkeep.log", "ab")
        self.background.append(subprocess.Popen(command, stdout=log, stderr=log, env=self.cluster.environment))

    # The network between parts.

    def _kafka_ports(self):
        return [self.services.port(broker, "client") for broker in self.services.brokers]

    def _cut(self, part, least, most):
        with Cut(self._kafka_ports(), part.user):
            self.hold(least, most)

    def gateway_cut(self):
        self._cut(self.dice.choice(self.cluster.gateways), 6, 18)

    def ingest_cut(self):
        """It still reaches S3, and thinks that it owns its partitions."""
        self._cut(self._ingest(), 12, 20)

    def query_cut(self):
        self._cut(self.cluster.query, 6, 15)

    def broker_cut(self):
        """From the parts and the other brokers, but not from the controllers: it stays leader, alone."""
        with Cut([self.services.port(self._broker(), "client")]):
            self.hold(6, 18)

    # Clocks.

    def _step(self, part, most):
        """The wall clock jumps while the part runs, and jumps back; the monotonic clock, like a real one, does not."""
        clock = self.cluster.work / f"{part.name}.clock"
        clock.write_text("+0\n")
        part.kill()
        part.environment = {"LD_PRELOAD": self.faketime, "FAKETIME_TIMESTAMP_FILE": str(clock), "DONT_FAKE_MONOTONIC": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1"}
        part.start()
        self.hold(1, 3)
        clock.write_text(f"{self.dice.choice((-1, 1)) * self.dice.randrange(30, most):+d}\n")
        self.hold(6, 12)
        clock.write_text("+0\n")
        self.hold(2, 3)

    def gateway_clock(self):
        self._step(self.dice.choice(self.cluster.gateways), 7200)

    def ingest_clock(self):
        # S3 refuses signatures that are more than 15 minutes off.
        self._step(self._ingest(), 600)


def fill(file):
    """Takes all space of a disk."""
    with open(file, "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 20))
        except OSError:
            pass
