//! National identifiers, documents and plates. A form that random numbers take is believed only beside its name, or, where a check
//! sum holds as well, when it is all a field contains.

use super::{Part, Rule};
use crate::checks::*;
use crate::context::Topic as T;
use crate::entity::Entity::{BusinessId, DriverLicence, NationalId, Passport, VehiclePlate};

pub(super) const RULES: &[Rule] = &[
    // United States
    Rule::new(NationalId, r"\d{3}-\d{2}-\d{4}", ssn).weight(63),
    Rule::new(NationalId, r"\d{3}[ .]?\d{2}[ .]?\d{4}", ssn).near(&[T::Ssn]).weight(62),
    Rule::new(NationalId, r"9\d{2}[ -]\d{2}[ -]?\d{4}", itin).weight(64),
    Rule::new(NationalId, r"9\d{4}-\d{4}", itin).weight(61),
    Rule::new(NationalId, r"9\d{8}", itin).near_or_alone(&[T::Itin]).weight(58),
    Rule::new(NationalId, r"[12]\d{3}[ -]?\d{3}[ -]?\d{3}", npi).near_or_alone(&[T::Npi]).weight(57),
    // United Kingdom
    Rule::new(NationalId, r"\d{3}[ -]\d{3}[ -]\d{4}", nhs).weight(51),
    Rule::new(NationalId, r"\d{3}[ -]\d{3}[ -]\d{4}", nhs).near(&[T::Nhs]).weight(57),
    Rule::new(NationalId, r"\d{10}", nhs).near_or_alone(&[T::Nhs]).weight(57),
    Rule::new(NationalId, r"(?i:[a-ceghj-prstw-z][a-ceghj-nprstw-z]) ?\d{2} ?\d{2} ?\d{2} ?[A-Da-d]", nino).weight(60),
    // Netherlands, Belgium, Germany, France
    Rule::new(NationalId, r"\d{4}[ .]?\d{2}[ .]?\d{3}", bsn).near(&[T::Bsn]).weight(58),
    Rule::new(NationalId, r"\d{2}\.?\d{2}\.?\d{2}[ -]?\d{3}[. ]?\d{2}", belgian).near_or_alone(&[T::Belgian, T::NationalAny]).weight(59),
    Rule::new(NationalId, r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", belgian).weight(66),
    Rule::new(NationalId, r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", german_tax).near_or_alone(&[T::GermanTax, T::NationalAny]).weight(58),
    Rule::form(NationalId, r"\d{2,3}/\d{3,4}/\d{4,5}").near(&[T::GermanTax]).weight(57),
    Rule::form(NationalId, r"\d{13}").near(&[T::GermanTax]).weight(40),
    Rule::new(NationalId, r"\d{9}", german_doctor).near_or_alone(&[T::GermanDoctor]).weight(56),
    Rule::new(NationalId, r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", nir).weight(67),
    // Spain, Italy, Portugal
    Rule::new(NationalId, r"\d{7,8}-?[A-Za-z]", spanish).weight(60),
    Rule::new(NationalId, r"\d{1,2}\.\d{3}\.\d{3}-?[A-Za-z]", spanish).weight(60),
    Rule::new(NationalId, r"[XYZxyz]-?\d{7}-?[A-Za-z]", spanish).weight(62),
    Rule::new(NationalId, r"(?i:[a-z]{6}[0-9lmnp-v]{2}[abcdehlmprst][0-9lmnp-v]{2}[a-z][0-9lmnp-v]{3}[a-z])", codice_fiscale)
        .numbered()
        .weight(75),
    Rule::form(NationalId, r"(?i:[a-z]{2} ?\d{7}|\d{7}[a-z]{2}|[a-z]{2}\d{5}[a-z]{2})").near(&[T::Italian]).weight(48),
    Rule::new(NationalId, r"\d{3} ?\d{3} ?\d{3}", nif).near(&[T::Nif]).weight(57),
    // Poland, Sweden, Finland
    Rule::new(NationalId, r"\d{11}", pesel).near_or_alone(&[T::Pesel]).weight(57),
    Rule::new(NationalId, r"(?:19|20)?\d{6}[-+]\d{4}", personnummer).weight(61),
    Rule::new(NationalId, r"(?:19|20)?\d{10}", personnummer).near_or_alone(&[T::Swedish]).weight(56),
    Rule::new(NationalId, r"\d{6}[-+ABCDEFUVWXYabcdefuvwxy]\d{3}[0-9A-Ya-y]", hetu).weight(66),
    // India, Australia
    Rule::new(NationalId, r"[2-9]\d{3}[ :-]?\d{4}[ :-]?\d{4}", aadhaar).near_or_alone(&[T::Aadhaar, T::NationalAny]).weight(59),
    Rule::new(NationalId, r"[2-9]\d{3} \d{4} \d{4}", aadhaar).weight(59),
    Rule::form(NationalId, r"[A-Za-z]{3}[ABCFGHJLPTabcfghjlpt][A-Za-z]\d{4}[A-Za-z]").weight(55),
    Rule::form(NationalId, r"[A-Za-z]{3}\d{7}").near(&[T::Voter]).weight(50),
    Rule::new(NationalId, r"\d{3} ?\d{3} ?\d{3}", tfn).near(&[T::Tfn]).weight(57),
    Rule::new(NationalId, r"[2-6]\d{3}[ -]\d{5}[ -]\d(?:[ -/]?\d)?", medicare).weight(58),
    Rule::new(NationalId, r"[2-6]\d{9,10}", medicare).near_or_alone(&[T::Medicare]).weight(57),
    // Singapore, Korea, Thailand
    Rule::new(NationalId, r"[STFGMstfgm]\d{7}[A-Za-z]", nric).weight(65),
    Rule::new(NationalId, r"\d{6}-[1-8]\d{6}", korean).weight(65),
    Rule::new(NationalId, r"\d{6}[1-8]\d{6}", korean_checked).weight(59),
    Rule::new(NationalId, r"\d{6}[1-8]\d{6}", korean).near_or_alone(&[T::Korean]).weight(60),
    Rule::new(NationalId, r"[1-8]-?\d{4}-?\d{5}-?\d{2}-?\d", thai).near_or_alone(&[T::Thai, T::NationalAny]).weight(58),
    // Brazil, Canada, South Africa, Nigeria
    Rule::new(NationalId, r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf).weight(67),
    Rule::new(NationalId, r"\d{11}", cpf).near_or_alone(&[T::Cpf]).weight(59),
    Rule::new(NationalId, r"[1-9]\d{2}[ -]\d{3}[ -]\d{3}", sin).weight(24),
    Rule::new(NationalId, r"[1-9]\d{8}", sin).near(&[T::Sin]).weight(57),
    Rule::new(NationalId, r"\d{6} ?\d{4} ?\d{2} ?\d", south_african).near_or_alone(&[T::SouthAfrican, T::NationalAny]).weight(58),
    Rule::new(NationalId, r"\d{11}", nigerian).near_or_alone(&[T::Nigerian]).weight(56),
];

pub(super) const OTHERS: &[Rule] = &[
    // businesses
    Rule::new(BusinessId, r"\d{2}\.?\d{3}\.?\d{3}/\d{4}-?\d{2}", cnpj).weight(67),
    Rule::new(BusinessId, r"\d{14}", cnpj).near_or_alone(&[T::Cpf]).weight(59),
    Rule::new(BusinessId, r"\d{2} ?\d{3} ?\d{3} ?\d{3}", abn).near_or_alone(&[T::Abn]).weight(57),
    Rule::new(BusinessId, r"\d{3} ?\d{3} ?\d{3}", acn).near(&[T::Abn]).weight(54),
    Rule::new(BusinessId, r"\d{6}-\d{4}", swedish_organisation).near_or_alone(&[T::Swedish]).weight(54),
    Rule::new(BusinessId, r"\d{10}", swedish_organisation).near(&[T::Swedish]).weight(54),
    Rule::new(BusinessId, r"\d{2}[A-Za-z]{5}\d{4}[A-Za-z][1-9A-Za-z][Zz][0-9A-Za-z]", gstin).weight(68),
    Rule::form(BusinessId, r"(?:HRA|HRB|GnR|VR|PR) ?\d{1,6}(?: ?[A-Z])?").near_or_alone(&[T::GermanRegister]).weight(53),
    Rule::form(BusinessId, r"(?:\d{8,9}[A-Z]|[TSR]\d{2}[A-Z]{2}\d{4}[A-Z])").near(&[T::Singapore]).weight(50),
    Rule::form(BusinessId, r"[TSR]\d{2}(?:LP|LL|FC|PF|RF|MQ|MM|NB|CC|CS|MB|FM|GS|DP|CP|NR|CM|CD|MD|HS|VH|CH|MH|CL|XL|CX|HC|RP|TU|TC|FB|FN|PA|PB|SS|MC|SM|GA|GB)\d{4}[A-Z]").weight(60),
    // documents
    Rule::new(Passport, r"[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}\d", german_document).near_or_alone(&[T::Passport]).weight(54),
    Rule::form(Passport, r"(?i:[a-z]{0,3})\d{6,9}").near(&[T::Passport]).weight(47),
    Rule::form(Passport, r"(?i:[mrsgdo]\d{3}[a-z]\d{4}|[a-z]\d{7,8}|[cfghjk][0-9cfghjklmnprtvwxyz]{8}|\d{2}[a-z]{2}\d{5})").numbered().near(&[T::Passport]).weight(48),
    Rule::form(Passport, r"[MRSGDOmrsgdo]\d{3}[A-Za-z]\d{4}").near_or_alone(&[T::Passport]).weight(52),
    Rule::form(Passport, r"P<[A-Z]{3}[A-Z<]{39}").weight(80),
    Rule::form(DriverLicence, r"(?i:[a-z]{0,3}\d{5,16}[a-z]{0,2}|[a-z]\d{1,4}-\d{3,4}-\d{3,5}(?:-\d{1,4})?|\d{3,4}-\d{2,3}-\d{3,4}|[a-z]{5}\d{6}[a-z0-9]{5}|\d{2}[a-z]{3}\d{5}|u1[a-z0-9]{7}[a-z]|[a-z]{2}\d{7}[a-z])").near(&[T::Licence]).weight(49),
    // plates
    Rule::form(VehiclePlate, r"(?i:[a-z]{2}\d{2} ?[a-z]{3}|[a-z]\d{1,3} ?[a-z]{3}|[a-z]{2}[ -]?\d{1,2}[ -]?[a-z]{1,3}[ -]?\d{3,4}|[a-z]{3}-?\d{3} ?-?[a-z]{2}|\d[a-z]{3}\d{3}|\d{2} [a-z]{1,3} \d{2,4})").near(&[T::Vehicle]).weight(46),
    Rule::form(VehiclePlate, r"[A-Z\x{c4}\x{d6}\x{dc}]{1,3}[ -][A-Z]{1,2} ?\d{1,4}[EH]?").near_or_alone(&[T::Vehicle]).weight(33),
    Rule::form(VehiclePlate, r"(?:[A-HJ-PR-Y]{2}(?:0[1-9]|1\d|2[0-6]|5[1-9]|6\d|7[0-6]) ?[A-HJ-PR-Z]{3})").weight(34),
    Rule::form(NationalId, r"(?i:id|identity|citizen|tax) (?i:no|number|nr|#)[.:]? {0,2}[A-Z]{0,3}\d{6,12}").part(Part::Number).weight(18),
];
