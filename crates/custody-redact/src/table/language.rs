//! Names, streets, postal codes, ages: found beside a title, an introduction, a street word, and missed without.

use super::{Part, Rule};
use crate::checks::any;
use crate::context::Topic as T;
use crate::entity::Entity::{Age, Person, Postcode, StreetAddress};

/// A capitalised word, then up to four more with initials and particles between them.
macro_rules! name {
    ($before:literal) => {
        concat!($before, r"\p{Lu}[\p{L}'-]{1,24}(?: (?:(?:van|von|de|der|den|di|da|del|la|le|bin|al|el|dos|du) ){0,2}(?:\p{Lu}\.?|\p{Lu}[\p{L}'-]{1,24})){0,4}")
    };
}

/// Up to five capitalised words and a postal code: `, Calgary, AB 12345`.
macro_rules! locality {
    () => {
        r"(?:[,\n ]{1,4}\p{Lu}[\p{L}'.-]{1,24}){1,5}[,\n ]{1,3}\d{4,6}"
    };
}

macro_rules! street {
    ($before:literal) => {
        concat!(
            $before,
            r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Circle|Crescent|Close|Parkway|Pkwy|Highway|Hwy|Row|Hill|Alley|Trail)\.?(?:,? (?:Apt|Suite|Ste|Unit|Floor|Flat|#)\.? ?[0-9A-Za-z-]{1,6})?",
            "(?:",
            locality!(),
            ")?"
        )
    };
}

pub(super) const RULES: &[Rule] = &[
    Rule::new(Person, name!(r"(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Sir|Dame|Lady|Lord|Herr|Frau|Madame|Mme|Mlle|Monsieur|Se\x{f1}or|Se\x{f1}ora|Sra|Signor|Signora|Mevrouw|Meneer|Rev|Judge|Senator|President|Captain|Capt|Sgt|Lt|Officer|Nurse|Doctor)\.? "), any).part(Part::Name).weight(30),
    Rule::new(Person, name!(r"(?i:my name is|my name's|i'm called|i am called|name is|names?:|name =|patient:?|customer:?|employee:?|dear|signed by|signed,?|attn:?|attention:?|regards,|sincerely,|thanks,|cheers,|mi nombre es|me llamo|je m'appelle|ich hei\x{df}e|mein name ist|mi chiamo|meu nome \x{e9}|mijn naam is)\s{1,6}"), any).part(Part::Name).weight(29),
    Rule::new(Person, name!(r"(?i:has|had) given "), any).part(Part::Name).weight(10),
    Rule::new(StreetAddress, street!(r"\d{1,6}[A-Za-z]?,? (?:[\p{Lu}\d][\p{L}\d'.-]{0,24} ){1,4}"), any).weight(31),
    Rule::new(StreetAddress, concat!(r"\d{1,6},? (?:[\p{Lu}\d][\p{L}\d'.-]{0,24},? ){0,4}[\p{Lu}\d][\p{L}\d'.-]{0,24}[,\n ]{1,3}(?:Apt|Apartment|Suite|Ste|Unit|Flat)\.? \d{1,5}[A-Za-z]?(?:", locality!(), ")?"), any).weight(32),
    Rule::new(StreetAddress, r"(?i:p\.? ?o\.? ?box|psc|apo box) \d{1,6}(?:,? (?i:box) \d{1,6})?", any).weight(33),
    Rule::new(StreetAddress, r"(?:Via|Viale|Piazza|Corso|Calle|Avenida|Avda|Paseo|Plaza|Rue|Avenue|Boulevard|Place|Rua|Travessa|Ulica|ul\.)(?: [\p{L}'.-]{1,24}){1,4},? \d{1,4}[A-Za-z]?", any).weight(31),
    Rule::new(StreetAddress, r"(?:\d{1,6} )?\p{Lu}[\p{L}-]{1,22}(?:vej|vegen|veien|weg|gade|gata|gatan|v\x{e4}gen|tie|katu|stra(?:\x{df}|ss)e|str\.|straat|laan|gasse|platz|allee|utca|v\x{e6}nget| utca| \x{fa}t| u\.| t\x{e4}nav) \d{1,4}[A-Za-z]?", any).weight(30),
    Rule::new(StreetAddress, r"(?i:(?:unit|psc|cmr) \d{1,6},? box \d{1,6})(?:\s{1,2}(?i:apo|fpo|dpo),? (?i:a[aep]),? \d{5})?", any).weight(34),
    Rule::new(StreetAddress, r"(?i:apo|fpo|dpo),? (?i:a[aep]),? \d{5}", any).weight(32),
    Rule::new(StreetAddress, r"\d{1,6} (?:[\p{Lu}][\p{L}'.-]{1,24} ){1,3}\d{1,4}[A-Za-z]?", any).near(&[T::Address]).weight(26),
    Rule::new(StreetAddress, r"[\p{Lu}][\p{L}'.-]{2,20}(?: [\p{Lu}][\p{L}'.-]{1,18}){0,2} \d{1,4}[A-Za-z]?", any).near(&[T::Address]).weight(22),
    Rule::new(StreetAddress, r"(?:Suite|Apt\.?|Apartment|Flat) \d{1,5}[A-Za-z]?", any).weight(21),
    Rule::new(Postcode, r"(?:GIR ?0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d|[A-HK-Y]\d[0-9ABEHMNPRV-Y]|\d[A-HJKPS-UW]) ?\d[ABD-HJLNP-UW-Z]{2})", any).weight(35),
    Rule::new(Postcode, r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d", any).weight(35),
    Rule::new(Postcode, r"\d{5}-\d{4}", any).near(&[T::Zip, T::Address]).weight(27),
    Rule::new(Postcode, r"\d{3,6}", any).near(&[T::Zip]).weight(15),
    Rule::new(Age, r"(?i:aged?|turn|turns|turned|turning|age of|age is|age:)(?: of| is|:)? (?:\d{1,2}|1[01]\d)", any).part(Part::Number).weight(14),
    Rule::new(Age, r"(?:\d{1,2}|1[01]\d)[ -](?i:years?|yrs?)[ -](?i:old|of age)", any).part(Part::Leading).weight(14),
];
