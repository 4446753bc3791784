"""Inference profiles: which Regions a profile's model may run in."""

import re

from answers import error, of_json
from cases import UPSTREAM_MESSAGE

REGIONS = {
    "eu": ("eu-central-1", "eu-west-1", "eu-north-1"),
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "apac": ("ap-northeast-1", "ap-southeast-2"),
    "global": ("eu-central-1", "us-east-1", "ap-northeast-1", "sa-east-1"),
}
IDENTIFIER = re.compile(r"(?:arn:aws[a-z-]*:bedrock:(?P<region>[a-z0-9-]*):(?P<account>\d*):(?P<kind>[a-z-]+)/)?(?P<id>.+)")
MISSING = "stub.profile.missing"


def get_inference_profile(identifier):
    found = IDENTIFIER.fullmatch(identifier)
    profile, kind = found["id"], found["kind"] or "inference-profile"
    geography, _, model = profile.partition(".")
    application = kind == "application-inference-profile"
    if profile == MISSING or not application and geography not in REGIONS:
        return error("ResourceNotFoundException", 404, UPSTREAM_MESSAGE)
    # An application profile does not show its model; this one stands for the plain answer, in one Region or over Europe.
    regions = REGIONS.get(geography, (found["region"] or "eu-central-1",))
    model = model if geography in REGIONS else "stub.ok"
    region, account = found["region"] or "eu-central-1", found["account"] or "111122223333"
    return of_json({
        "inferenceProfileName": "Stub profile",
        "description": "Profile of the stub",
        "createdAt": "2026-01-02T03:04:05Z",
        "updatedAt": "2026-01-02T03:04:05Z",
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:{account}:{kind}/{profile}",
        "models": [{"modelArn": f"arn:aws:bedrock:{one}::foundation-model/{model}"} for one in regions],
        "inferenceProfileId": profile,
        "status": "ACTIVE",
        "type": "APPLICATION" if application else "SYSTEM_DEFINED",
    })
