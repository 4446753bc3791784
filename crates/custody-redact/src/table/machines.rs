//! Addresses of machines and of pages.

use super::Rule;
use crate::checks::{any, ipv4, ipv6, mac};
use crate::entity::Entity::{IpAddress, MacAddress, Url};

pub(super) const RULES: &[Rule] = &[
    Rule::new(IpAddress, r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d{1,2})?", ipv4).weight(65),
    Rule::new(
        IpAddress,
        r"(?:[0-9A-Fa-f]{1,4}:){1,7}(?::?[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{1,4}){0,7}(?::?\d{1,3}(?:\.\d{1,3}){3})?(?:%[0-9A-Za-z]{1,15})?(?:/\d{1,3})?",
        ipv6,
    )
    .weight(65),
    Rule::new(IpAddress, r"::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?(?::?\d{1,3}(?:\.\d{1,3}){3})?(?:%[0-9A-Za-z]{1,15})?(?:/\d{1,3})?", ipv6).weight(65),
    Rule::new(MacAddress, r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})", mac).weight(68),
    Rule::new(MacAddress, r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}", mac).weight(58),
    Rule::new(Url, r#"(?i:https?|ftp)://[^\s"'<>()\[\]{}|\\^`,/]{1,120}\.[^\s"'<>()\[\]{}|\\^`,]{2,160}"#, any).weight(44),
];
