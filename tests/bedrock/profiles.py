"""Inference profiles: which model is behind one, and in which Regions it may run. Some tell nothing, or something else the next time."""

import re
import time
from collections import Counter, deque

from answers import Answer, End, error, of_html, of_json
from cases import UPSTREAM_MESSAGE

REGIONS = {
    "eu": ("eu-central-1", "eu-west-1", "eu-north-1"),
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "apac": ("ap-northeast-1", "ap-southeast-2"),
    "global": ("eu-central-1", "us-east-1", "ap-northeast-1", "sa-east-1"),
}
IDENTIFIER = re.compile(r"(?:arn:aws[a-z-]*:bedrock:(?P<region>[a-z0-9-]*):(?P<account>\d*):(?P<kind>[a-z-]+)/)?(?P<id>.+)")
APPLICATION = "application-inference-profile"
MODEL = "stub.ok"
PREFIX = "stub.profile."
MISSING, DENIED, THROTTLED, ONCE = PREFIX + "missing", PREFIX + "denied", PREFIX + "throttled", PREFIX + "throttled-once"
SLOW, GARBAGE, ANOTHER, TWO_MODELS = PREFIX + "slow", PREFIX + "garbage", PREFIX + "another", PREFIX + "two-models"
# A model without a Region: AWS says so of what may run anywhere, though its service model has no word for it.
ANYWHERE = PREFIX + "anywhere"
# The first answer is Europe. Every later one: a Region of America too, or none at all.
MOVES, FALTERS = PREFIX + "moves", PREFIX + "falters"
# So many of these are told in any second, over all of them; the others are throttled, as an account's questions are at AWS.
CROWD, CROWD_PER_S = PREFIX + "crowd-", 10
REFUSALS = {
    MISSING: ("ResourceNotFoundException", 404), DENIED: ("AccessDeniedException", 403), THROTTLED: ("ThrottlingException", 429)}


class Profiles:
    def __init__(self):
        self.asked, self.crowd = Counter(), deque()

    def reset(self):
        self.asked.clear()
        self.crowd.clear()

    def get(self, identifier):
        """The answer to GetInferenceProfile."""
        found = IDENTIFIER.fullmatch(identifier)
        profile, kind = found["id"], found["kind"] or "inference-profile"
        self.asked[profile] += 1
        first = self.asked[profile] == 1
        if unusual := _unusual(profile, first):
            return unusual
        if profile.startswith(CROWD) and self._is_crowded():
            return _refused(THROTTLED)
        geography, _, model = profile.partition(".")
        application = kind == APPLICATION
        if not application and geography not in REGIONS:
            return _refused(MISSING)
        # An application profile does not show its model; this one stands for the plain answer, in one Region or over Europe.
        regions = REGIONS.get(geography, (found["region"] or "eu-central-1",))
        models = [(one, model if geography in REGIONS else MODEL) for one in regions]
        return _told(profile, kind, found["region"] or "eu-central-1", found["account"] or "111122223333", _models(profile, models, first))

    def _is_crowded(self):
        now = time.monotonic()
        while self.crowd and self.crowd[0] <= now - 1:
            self.crowd.popleft()
        if len(self.crowd) >= CROWD_PER_S:
            return True
        self.crowd.append(now)
        return False


def _unusual(profile, first):
    """What is no answer about this profile."""
    if profile in REFUSALS:
        return _refused(profile)
    if profile == ONCE and first:
        return _refused(THROTTLED)
    if profile == FALTERS and not first:
        return error("ServiceUnavailableException", 503, UPSTREAM_MESSAGE)
    if profile == SLOW:
        return Answer(before=[End("stall")])
    if profile == GARBAGE:
        return of_html(200)
    return None


def _refused(profile):
    return error(*REFUSALS[profile], UPSTREAM_MESSAGE)


def _models(profile, usual, first):
    """Regions and models behind a profile."""
    if profile == TWO_MODELS:
        return [("eu-central-1", MODEL), ("eu-west-1", "stub.other")]
    if profile == ANYWHERE:
        return [("eu-central-1", MODEL), ("", MODEL)]
    if profile in (MOVES, FALTERS):
        america = () if first else ("us-east-1",)
        return [(region, MODEL) for region in (*REGIONS["eu"], *america)]
    return usual


def _told(profile, kind, region, account, models):
    shown = "abc999" if profile == ANOTHER else profile
    return of_json({
        "inferenceProfileName": "Stub profile",
        "description": "Profile of the stub",
        "createdAt": "2026-01-02T03:04:05Z",
        "updatedAt": "2026-01-02T03:04:05Z",
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:{account}:{kind}/{shown}",
        "models": [{"modelArn": f"arn:aws:bedrock:{one}::foundation-model/{model}"} for one, model in models],
        "inferenceProfileId": shown,
        "status": "ACTIVE",
        "type": "APPLICATION" if kind == APPLICATION else "SYSTEM_DEFINED",
    })
