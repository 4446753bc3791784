"""A guardrail's trace with every part that it can have, and with raw text in every place where AWS puts some."""

from cases import GUARDRAIL, MATCHES, UNMASKED_OUTPUT

ARN = "arn:aws:bedrock:eu-central-1:111122223333:"
RULE = {"identifier": "a1b2c3d4e5f6", "policyVersionArn": f"{ARN}automated-reasoning-policy/a1b2c3d4e5f6:1"}


def trace(action):
    """`action` is BLOCKED, ANONYMIZED, or NONE where the guardrail only looks; what it saw is `detected` all the same."""
    # Only sensitive information can be masked; what else was found is then let through.
    other = "NONE" if action == "ANONYMIZED" else action
    reason = "No action." if action == "NONE" else "Guardrail blocked." if action == "BLOCKED" else "Guardrail masked."
    whole = _assessment(action, other)
    return {"guardrail": {
        "modelOutput": [UNMASKED_OUTPUT],
        "inputAssessment": {GUARDRAIL: whole},
        "outputAssessments": {GUARDRAIL: [whole], "otherguardrail": [_assessment("NONE", "NONE")]},
        "actionReason": reason,
    }}


def _assessment(action, other):
    return {
        "topicPolicy": {"topics": [{"name": "Refunds", "type": "DENY", "action": other, "detected": True}]},
        "contentPolicy": {"filters": [
            {"type": "PROMPT_ATTACK", "confidence": "HIGH", "filterStrength": "MEDIUM", "action": other, "detected": True},
            {"type": "INSULTS", "confidence": "NONE", "filterStrength": "LOW", "action": "NONE", "detected": False},
        ]},
        "wordPolicy": {
            "customWords": [{"match": MATCHES["word"], "action": other, "detected": True}],
            "managedWordLists": [{"match": MATCHES["profanity"], "type": "PROFANITY", "action": other, "detected": True}],
        },
        "sensitiveInformationPolicy": {
            "piiEntities": [{"match": MATCHES["email"], "type": "EMAIL", "action": action, "detected": True}],
            "regexes": [{"name": "badge", "match": MATCHES["regex"], "regex": "CANARY-BADGE-[0-9]+", "action": action, "detected": True}],
        },
        "contextualGroundingPolicy": {"filters": [
            {"type": "GROUNDING", "threshold": 0.7, "score": 0.31, "action": other, "detected": True},
            {"type": "RELEVANCE", "threshold": 0.5, "score": 0.92, "action": "NONE", "detected": False},
        ]},
        "automatedReasoningPolicy": {"findings": [_finding(), {"tooComplex": {}}]},
        "invocationMetrics": {
            "guardrailProcessingLatency": 87,
            "usage": {
                "topicPolicyUnits": 1, "contentPolicyUnits": 1, "wordPolicyUnits": 1, "sensitiveInformationPolicyUnits": 1,
                "sensitiveInformationPolicyFreeUnits": 1, "contextualGroundingPolicyUnits": 1},
            "guardrailCoverage": {"textCharacters": {"guarded": 64, "total": 64}, "images": {"guarded": 0, "total": 0}},
        },
        "appliedGuardrailDetails": {
            "guardrailId": GUARDRAIL, "guardrailVersion": "3", "guardrailArn": f"{ARN}guardrail/{GUARDRAIL}",
            "guardrailOrigin": ["REQUEST", "ACCOUNT_ENFORCED"], "guardrailOwnership": "SELF"},
    }


def _finding():
    said = {"logic": "written_to(person)", "naturalLanguage": UNMASKED_OUTPUT}
    translation = {"premises": [said], "claims": [said], "untranslatedPremises": [{"text": MATCHES["email"]}], "untranslatedClaims": [],
                   "confidence": 0.9}
    return {"invalid": {"translation": translation, "contradictingRules": [RULE]}}
