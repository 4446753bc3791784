//! Telephone numbers and dates of birth. E-mail addresses are found from their `@`, in `email.rs`.

use super::{Part, Rule};
use crate::checks::{international, local, north_american, numeric_date};
use crate::context::Topic as T;
use crate::entity::Entity::{BirthDate, Date, Phone};

const DAY_OF_MONTH: &str =
    r"(?i:\d{1,2}(?:st|nd|rd|th)?[ .-]{1,2}(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]{0,7}[ .,-]{1,2}\d{4})";
const MONTH_AND_DAY: &str =
    r"(?i:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[ .-]{1,2}\d{1,2}(?:st|nd|rd|th)?[ ,-]{1,2}\d{4})";
const NUMERIC: &str = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}";
const STAMP: &str = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?(?:\.\d{1,9})?Z?";

pub(super) const RULES: &[Rule] = &[
    Rule::new(Phone, r"\+ ?[1-9](?:[ .()/-]{0,3}\d){6,16}(?i: ?(?:x|ext\.?) ?\d{1,6})?", international).weight(66),
    Rule::new(Phone, r"00[1-9](?:[ .()/-]{0,2}\d){7,14}(?i: ?(?:x|ext\.?) ?\d{1,6})?", international).near(&[T::Phone]).weight(56),
    Rule::new(Phone, r"00[1-9]\d{0,2}(?:[ .-]\d{2,4}){3,4}(?i: ?(?:x|ext\.?) ?\d{1,6})?", international).weight(40),
    Rule::new(Phone, r"(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?i: ?(?:x|ext\.?) ?\d{1,6})?", north_american).weight(52),
    Rule::new(Phone, r"(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?i: ?(?:x|ext\.?) ?\d{1,6})", local).weight(53),
    Rule::new(Phone, r"\d{10}", north_american).near(&[T::Phone]).weight(40),
    Rule::new(Phone, r"0\d(?:[ ./()-]{0,2}\d){7,10}", local).near(&[T::Phone]).weight(42),
    Rule::new(Phone, r"0(?:\d{2,4}(?:[ -]\d{3,4}){2}|\d[ -]\d{4}[ -]\d{4}|\d(?: \d{2}){4})", local).weight(30),
    Rule::new(Phone, r"05\d{2} ?\d{3} ?\d{2} ?\d{2}", local).near_or_alone(&[T::Phone]).weight(43),
    Rule::new(Phone, r"(?:0[ -]?)?(?:\(5\d{2}\)|5\d{2})[ -]\d{3}[ -]\d{2}[ -]\d{2}", local).weight(41),
    Rule::new(Phone, r"\(?\d(?:[ ./()-]{0,2}\d){5,12}(?i: ?(?:x|ext\.?) ?\d{1,6})?", local).near(&[T::Phone]).weight(28),
    Rule::new(BirthDate, NUMERIC, numeric_date).near(&[T::Birth]).weight(64),
    Rule::form(BirthDate, DAY_OF_MONTH).near(&[T::Birth]).weight(64),
    Rule::form(BirthDate, MONTH_AND_DAY).near(&[T::Birth]).weight(64),
    Rule::form(BirthDate, r"\d{8}").near(&[T::Birth]).weight(26),
    Rule::new(Date, NUMERIC, numeric_date).weight(46),
    Rule::new(Date, STAMP, numeric_date).weight(48),
    Rule::form(Date, DAY_OF_MONTH).weight(46),
    Rule::form(Date, MONTH_AND_DAY).weight(46),
    Rule::form(Date, r"(?i:(?:founded|since|born|year|established) (?:in )?(?:19|20)\d{2})").part(Part::Number).weight(20),
];
