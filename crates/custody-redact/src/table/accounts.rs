//! Cards, bank accounts, addresses on chains.

use super::Rule;
use crate::checks::{card, iban, mixed, routing};
use crate::context::Topic as T;
use crate::entity::Entity::{BankAccount, CryptoAddress, Iban, PaymentCard};

pub(super) const RULES: &[Rule] = &[
    Rule::new(PaymentCard, r"\d(?:[ .-]{0,2}\d){12,18}", card).joined().weight(70),
    Rule::new(PaymentCard, r"\d{12}", card).near(&[T::Card]).weight(60),
    Rule::new(Iban, r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}", iban).joined().weight(90),
    Rule::new(BankAccount, r"\d{4}-?\d{4}-?\d", routing).near_or_alone(&[T::Routing, T::Bank]).weight(45),
    Rule::form(BankAccount, r"\d{8,17}").near(&[T::Bank]).weight(25),
    Rule::form(BankAccount, r"\d{2}-\d{2}-\d{2} {0,2}\d{8}").near(&[T::Bank]).weight(55),
    Rule::new(CryptoAddress, r"[13][1-9A-HJ-NP-Za-km-z]{25,34}", mixed).weight(55),
    Rule::form(CryptoAddress, r"bc1[02-9ac-hj-np-z]{11,71}").weight(80),
    Rule::form(CryptoAddress, r"0x[0-9a-fA-F]{40}").weight(60),
    Rule::new(CryptoAddress, r"[LM4T][1-9A-HJ-NP-Za-km-z]{26,95}", mixed).numbered().near(&[T::Crypto]).weight(50),
];
