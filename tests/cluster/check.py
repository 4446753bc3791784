"""What must hold of what is kept, whatever happened before."""

import json
import re
from collections import Counter

PLACES = "(select source, seq from events union all select source, seq from dead_letters)"
HOLES = f"""select coalesce(sum(missing), 0) as n from
(select max(seq) - count(distinct seq) as missing from {PLACES} group by source)"""
TWICE = f"select count(*) - count(distinct source || ' ' || seq) as n from {PLACES}"
UNENDED = """select count(*) as n from (select request_id, count(*) filter (where kind = 'route') as intents,
count(*) filter (where kind = 'outcome') as outcomes from events where request_id is not null group by request_id)
where outcomes > 1 or (intents > 0 and outcomes <> 1)"""
TRAIL = ("request", "prompt", "route", "invocation", "validation", "cost", "outcome")
TRAILS = ("select request_id, " + ", ".join(f"count(*) filter (where kind = '{kind}') as {kind}s" for kind in TRAIL)
          + ", count(*) as events, max(case when kind = 'outcome' then outcome_class end) as class"
            " from events where request_id is not null group by request_id")
SUMS = """select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids,
(select sum(seq) from events) as seqs, (select count(*) from dead_letters) as letters,
(select sum(cost_amount_pico) from events) as pico, (select count(*) from outcomes where class = 'answered') as answered"""

# An ingest that wakes up after its partitions went to another may find itself overtaken. Nothing else may happen.
ALLOWED_ALARMS = {"overtaken"}
DEFECTS = re.compile(r"panicked at|a defect ended a task|stack overflow|memory allocation of")



class Check:
    """Asks a cluster, says each finding, and keeps what does not hold. `answered`: the ids of requests whose answer a caller has."""

    def __init__(self, cluster, answered, say):
        self.cluster, self.answered, self.say, self.violations = cluster, answered, say, []

    def everything(self):
        self.evidence()
        self.lake()
        self.logs()

    def evidence(self):
        """What SQL says, the tail included."""
        self.trails()
        for name, statement in (("holes", HOLES), ("twice", TWICE), ("requests with an intent and not exactly one outcome", UNENDED)):
            found = self.cluster.number(statement)
            self.expect(f"{name}: {found}", found == 0)

    def expect(self, text, holds):
        self.say(("ok      " if holds else "BROKEN  ") + text)
        if not holds:
            self.violations.append(text)

    def trails(self):
        text = self.cluster.sql(TRAILS, form="application/x-ndjson")
        rows = {row["request_id"]: row for row in map(json.loads, text.splitlines())}
        whole = lambda row: row["class"] == "answered" and row["events"] == len(TRAIL) and all(row[kind + "s"] == 1 for kind in TRAIL)
        missing = [name for name in self.answered if name not in rows]
        odd = [rows[name] for name in self.answered if name in rows and not whole(rows[name])]
        self.expect(f"answered: {len(self.answered)}; without any trail: {len(missing)} {missing[:3] or ''}; "
                    f"without exactly its whole trail: {len(odd)} {odd[:3] or ''}", not missing and not odd)
        self.say(f"        requests by outcome: {dict(Counter(row['class'] for row in rows.values()))}")

    def lake(self):
        view = self.cluster.sql(SUMS)
        for part in [*self.cluster.ingests, self.cluster.query]:
            if (code := part.stop(120)) != 0:
                self.violations.append(f"{part.name} ended with {code}: {part.tail()}")
        alone = self.cluster.run("sql", "--config", str(self.cluster.config), "--format", "csv", SUMS).stdout
        self.expect(f"the view and the lake agree: {view.split()[-1]}", view == alone)
        status = self.cluster.run("lake", "status", "--config", str(self.cluster.config)).stdout
        rows = dict(re.findall(r"^(\w+)\n(?:  .*\n)*?  rows +(\d+)", status, re.M))
        stored = sum(map(int, re.findall(r"stored .* below (\d+)", status.split("dead_letters")[0])))
        events, _, _, letters, *_ = view.splitlines()[1].split(",")
        held = rows.get("events") == events and rows.get("dead_letters", "0") == letters
        self.expect(f"the lake's files hold {rows}; positions stored: {stored}", held)
        (self.cluster.work / "lake-status.txt").write_text(status)

    def logs(self):
        alarms, defects = Counter(), []
        for part in self.cluster.parts:
            for line in part.log.read_text(errors="replace").splitlines():
                plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
                if found := re.search(r'ingest alarm.* alarm="?(\w+)"?', plain):
                    alarms[found.group(1)] += 1
                if DEFECTS.search(plain):
                    defects.append(f"{part.name}: {plain[:300]}")
        self.expect(f"alarms logged: {dict(alarms)}", set(alarms) <= ALLOWED_ALARMS)
        self.expect(f"panics and ended tasks: {len(defects)} {defects[:5] or ''}", not defects)
