//! Credentials: fixed prefixes of known services, forms, and assignments. The forms follow what the services publish.

use super::{Part, Rule};
use crate::checks::{any, assigned, formed, jwt, mixed_value, token, unmasked};
use crate::entity::Entity::{ApiKey, Jwt, Password, PrivateKey};

const fn key(pattern: &'static str) -> Rule {
    Rule::new(ApiKey, pattern, token).joined().weight(85)
}

const fn fixed(pattern: &'static str) -> Rule {
    Rule::new(ApiKey, pattern, formed).joined().weight(86)
}

pub(super) const RULES: &[Rule] = &[
    Rule::form(PrivateKey, r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----").part(Part::Pem).joined().weight(100),
    Rule::new(Jwt, r"ey[A-Za-z0-9_-]{10,500}\.ey[A-Za-z0-9_-]{4,600}(?:\.[A-Za-z0-9_-]{0,600})?", jwt).joined().weight(95),
    // clouds
    Rule::new(ApiKey, r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}", unmasked).joined().weight(84),
    key(r"ABSK[A-Za-z0-9+/]{109,269}={0,2}"),
    key(r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]{0,300}"),
    key(r"AIza[A-Za-z0-9_-]{35}"),
    key(r"ya29\.[A-Za-z0-9_-]{20,300}"),
    key(r"GOCSPX-[A-Za-z0-9_-]{20,40}"),
    key(r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    Rule::new(ApiKey, r"(?i:accountkey|sharedaccesskey|sharedaccesssignature)=[A-Za-z0-9+/=]{40,100}", token).part(Part::Value).joined().weight(87),
    key(r"dop_v1_[a-f0-9]{64}"),
    key(r"do[or]_v1_[a-f0-9]{64}"),
    key(r"LTAI[A-Za-z0-9]{20}"),
    key(r"AKID[A-Za-z0-9]{32}"),
    // models
    key(r"sk-ant-(?:api|admin)\d{2}-[A-Za-z0-9_-]{80,120}"),
    key(r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,200}"),
    key(r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    key(r"sk-[A-Za-z0-9]{32,64}"),
    key(r"sk-or-v1-[a-f0-9]{64}"),
    key(r"(?:hf_|api_org_)[A-Za-z]{34}"),
    key(r"r8_[A-Za-z0-9]{37}"),
    key(r"gsk_[A-Za-z0-9]{52}"),
    key(r"xai-[A-Za-z0-9]{80}"),
    key(r"pplx-[A-Za-z0-9]{48}"),
    // code and packages
    key(r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    key(r"github_pat_[A-Za-z0-9_]{22,255}"),
    fixed(r"glpat-[A-Za-z0-9_-]{20}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?"),
    fixed(r"(?:gldt|glft|glsoat|glrt|glcbt|glffct|GR1348941)[-_]?[A-Za-z0-9_-]{20,64}"),
    fixed(r"(?:glimt)-[A-Za-z0-9_-]{25}"),
    fixed(r"glptt-[A-Za-z0-9_-]{40}"),
    fixed(r"glagent-[A-Za-z0-9_-]{50,1024}"),
    fixed(r"gloas-[A-Za-z0-9_-]{64}"),
    key(r"npm_[A-Za-z0-9]{36}"),
    key(r"pypi-AgE[A-Za-z0-9_-]{60,300}"),
    key(r"rubygems_[a-f0-9]{48}"),
    key(r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,32}"),
    key(r"ATATT3[A-Za-z0-9_=-]{180,200}"),
    key(r"sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}"),
    key(r"lin_api_[A-Za-z0-9]{40}"),
    key(r"ntn_\d{11}[A-Za-z0-9]{35}"),
    key(r"secret_[A-Za-z0-9]{43}"),
    key(r"API-[A-Z0-9]{26}"),
    key(r"rdme_[a-z0-9]{70}"),
    key(r"pnu_[a-zA-Z0-9]{36}"),
    key(r"(?:glc_[A-Za-z0-9+/]{32,300}={0,3}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})"),
    key(r"(?:fo1_[A-Za-z0-9_-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{100,300}={0,3})"),
    key(r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),
    key(r"ops_eyJ[A-Za-z0-9+/]{200,500}={0,3}"),
    key(r"hv[sbr]\.[A-Za-z0-9_-]{24,300}"),
    key(r"(?:dp\.(?:pt|st|ct|scim|audit)\.[A-Za-z0-9.]{40,64})"),
    key(r"s-s4t2(?:ud|af)-[a-f0-9]{64}"),
    Rule::new(ApiKey, r"AKC[A-Za-z0-9]{10,80}", any).joined().weight(40),
    Rule::new(ApiKey, r"AP[\dABCDEF][A-Za-z0-9]{8,80}", any).joined().weight(36),
    // payments, messages, monitoring
    key(r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,99}"),
    key(r"whsec_[A-Za-z0-9+/=]{32,64}"),
    key(r"(?:EAAA|sq0atp-|sq0csp-|sq0idp-)[A-Za-z0-9_-]{22,60}"),
    key(r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    key(r"xox[bpasro]-(?:\d{8,14}-){1,3}[A-Za-z0-9-]{16,100}"),
    key(r"xapp-\d-[A-Z0-9]{8,14}-\d{8,14}-[a-f0-9]{60,70}"),
    key(r"xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{140,170}"),
    Rule::new(ApiKey, r"https?://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,60}", token).joined().weight(87),
    key(r"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,70}"),
    key(r"[MNOA][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}"),
    key(r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    key(r"key-[a-f0-9]{32}"),
    key(r"[a-f0-9]{32}-us\d{1,2}"),
    key(r"\d{8,10}:AA[A-Za-z0-9_-]{32,33}"),
    key(r"(?:AC|SK)[a-f0-9]{32}"),
    key(r"NRAK-[A-Z0-9]{27}"),
    key(r"sntry[su]_[A-Za-z0-9+/=_]{60,300}"),
    key(r"(?:PMAK-[a-f0-9]{24}-[a-f0-9]{34}|dapi[a-f0-9]{32}(?:-\d)?|tfp_[A-Za-z0-9_-]{40,60}|AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})"),
    // what is assigned to a name that says what it is
    Rule::new(Password, r#"(?i:password|passwd|passphrase|passwort|pwd|contrase\x{f1}a|senha|mot de passe)['"]?(?:\s{0,4}(?::=|=>|=|:)\s{0,4})['"`]?[^\s'"`;,<>]{6,100}"#, assigned).part(Part::Value).joined().weight(74),
    Rule::new(ApiKey, r#"(?i:api[_.-]?key|apikey|secret|client[_.-]?secret|secret[_.-]?key|access[_.-]?key|auth[_.-]?key|private[_.-]?key|encryption[_.-]?key|auth[_.-]?token|authtoken|access[_.-]?token|refresh[_.-]?token|token|credentials?|access[_.-]?key[_.-]?id|secret[_.-]?access[_.-]?key)['"]?(?:\s{0,4}(?::=|=>|=|:)\s{0,4})['"`]?[A-Za-z0-9_.=+/~!@#$%^&*-]{8,200}"#, mixed_value).part(Part::Value).joined().weight(72),
    Rule::new(ApiKey, r#"(?i:client-?secret|secret|password|token|api-?key) {1,3}['"][A-Za-z0-9_.=+/~!@#$%^&*-]{8,200}['"]"#, mixed_value).part(Part::LastWord).joined().weight(71),
    Rule::new(ApiKey, r#"(?i:authorization|proxy-authorization)['"]?\s{0,3}[:=]\s{0,3}['"]?(?:(?i:bearer|basic|token|api-token|apikey|digest|negotiate) )?[A-Za-z0-9_.=+/~@-]{8,400}"#, assigned).part(Part::LastWord).joined().weight(73),
    Rule::new(ApiKey, r"(?i:bearer) [A-Za-z0-9_.=+/~-]{16,400}", mixed_value).part(Part::LastWord).joined().weight(70),
    Rule::new(Password, r"(?i:password|passphrase|pin|passcode|pwd) (?i:is|was|to) [^\s,;]{4,60}", mixed_value).part(Part::LastWord).joined().weight(30),
    Rule::new(Password, r"(?i:https?|ftps?|sftp|ssh|git|svn|postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|oracle|mongodb(?:\+srv)?|rediss?|amqps?|mqtts?|nats|kafka|smtps?|imaps?|ldaps?|wss?|socks5|clickhouse|elasticsearch|snowflake)(?:\+[a-z0-9]{1,10})?://[^\s/:@<>\x22'%$]{0,100}:[^\s/@<>\x22'$]{1,100}@[A-Za-z0-9.-]{1,100}", any).part(Part::UserInfo).joined().weight(88),
];
