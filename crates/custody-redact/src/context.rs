//! Words near a candidate that say what it is.
//!
//! A weak form (nine digits) is an identifier only beside such a word. The window is bounded, so the look-up
//! costs the same wherever a candidate stands.

use std::collections::VecDeque;
use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, MatchError};

/// How far a word may stand before and after a candidate's first byte.
const BEFORE: usize = 72;
const AFTER: usize = 56;

macro_rules! topics {
    ($($variant:ident: $($word:literal)+;)+) => {
        /// What a word is about; each is one bit of a set.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Topic { $($variant,)+ }
        const WORDS: &[(&str, Topic)] = &[$($(($word, Topic::$variant),)+)+];
    };
}

topics! {
    Phone: "phone" "tel" "tél" "telefon" "teléfono" "telefone" "telefoon" "téléphone" "mobile" "mobil" "cell" "handy" "fax" "call" "calling"
        "called" "dial" "ring" "whatsapp" "sms" "text me" "reach" "contact" "answering at" "hotline" "office" "voicemail" "portable" "cellulare" "móvil" "celular" "gsm";
    Card: "card" "visa" "mastercard" "amex" "american express" "credit" "debit" "diners" "discover" "jcb" "maestro" "karte" "carte" "tarjeta"
        "cartão" "kreditkort" "pan" "cc";
    Bank: "account" "acct" "bank" "konto" "compte" "cuenta" "rekening" "conto" "sort code" "checking" "savings" "debit";
    Routing: "routing" "aba" "rtn" "transit";
    Ssn: "ssn" "social security" "ssns" "social sec";
    Itin: "itin" "taxpayer" "tax id" "individual taxpayer" "tin";
    Npi: "npi" "national provider" "provider id" "provider number" "provider";
    Nhs: "nhs" "national health" "health service";
    Nino: "national insurance" "nino" "ni number" "insurance number";
    Bsn: "bsn" "burgerservicenummer" "sofinummer" "sofi" "burger service";
    GermanTax: "steuer" "steuer-id" "identifikationsnummer" "tax id" "tax number" "idnr" "tin" "finanzamt";
    GermanDoctor: "lanr" "arztnummer" "bsnr" "betriebsstätte" "betriebsstättennummer" "vertragsarzt";
    GermanRegister: "handelsregister" "registergericht" "amtsgericht" "eingetragen" "hrb" "hra";
    French: "nir" "insee" "sécurité sociale" "securite sociale" "numéro de sécu" "sécu" "carte vitale" "assuré";
    Spanish: "dni" "nif" "nie" "documento nacional" "identidad" "identificación";
    Italian: "codice fiscale" "cod. fisc" "cf" "fiscale" "carta d'identità" "carta identità" "identity card" "carta";
    Pesel: "pesel";
    Nif: "nif" "contribuinte" "número fiscal" "numero fiscal";
    Swedish: "personnummer" "personal number" "samordningsnummer" "person nr" "organisationsnummer" "orgnr" "org.nr" "org nr" "företag";
    Finnish: "hetu" "henkilötunnus" "personal identity code" "henkilotunnus";
    Belgian: "rijksregisternummer" "registre national" "national register" "national number" "numéro national" "insz" "niss";
    Aadhaar: "aadhaar" "aadhar" "uidai" "uid" "आधार";
    Pan: "pan" "permanent account" "income tax";
    Gst: "gst" "gstin";
    Voter: "voter" "epic" "vote" "election" "elector";
    Tfn: "tfn" "tax file";
    Medicare: "medicare";
    Abn: "abn" "acn" "australian business" "australian company" "company number" "business number";
    Singapore: "nric" "fin" "identity" "uen" "unique entity" "singapore";
    Korean: "rrn" "resident registration" "주민등록번호" "주민" "외국인등록번호" "외국인" "alien registration" "foreigner registration" "frn";
    Thai: "thai" "national id" "citizen id" "เลขประจำตัวประชาชน" "บัตรประชาชน" "id card";
    Nigerian: "nin" "national identity" "national identification" "nigeria";
    Cpf: "cpf" "cnpj" "cadastro";
    Sin: "sin" "social insurance" "nas" "assurance sociale";
    SouthAfrican: "id number" "identity number" "rsa id" "south african" "sa id" "identity";
    NationalAny: "national id" "identity number" "id number" "identity card" "tax number" "tax id" "personal id" "citizen" "insurance number"
        "national identity" "identification number" "personal number" "identity";
    Passport: "passport" "reisepass" "passeport" "pasaporte" "passaporto" "paspoort" "여권" "travel document" "pass-nr" "passnummer" "ausweis";
    Licence: "driver" "driving" "license" "licence" "führerschein" "permis de conduire" "patente" "conducir" "rijbewijs" "dl#" "permit";
    Vehicle: "plate" "vehicle" "registration" "reg" "car" "kennzeichen" "kfz" "vrn" "number plate" "license plate" "matrícula" "targa"
        "immatriculation" "truck" "parked" "vehicles" "rto" "registered";
    Birth: "birth" "born" "dob" "d.o.b" "birthday" "birthdate" "geboren" "geburtsdatum" "naissance" "né le" "née le" "nacimiento"
        "nascita" "nato il" "nata il" "nascimento" "geboortedatum" "født" "född" "syntymä" "urodz" "생년월일";
    Address: "address" "adresse" "lives at" "living at" "live at" "located at" "ship to" "shipping" "billing" "home" "office is at" "deliver"
        "street" "moved to" "residing" "dirección" "indirizzo" "anschrift" "located" "restaurant is at" "house" "send it to" "apt" "apt." "suite";
    Zip: "zip" "postcode" "post code" "postal" "plz" "postleitzahl" "code postal" "código postal" "cap";
    Certificate: "certificate" "licence number" "dea";
    Crypto: "bitcoin" "btc" "wallet" "ethereum" "eth" "crypto" "litecoin" "monero" "solana" "address";
    Age: "age" "aged" "turn" "turned" "turning" "years old" "year old" "yrs";
}

impl Topic {
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// Finds the topics of a place's neighbourhood.
pub(crate) struct Context {
    words: DFA,
    start: StateID,
}

impl Context {
    pub(crate) fn new() -> Result<Self, ContextError> {
        let words = DFA::builder().ascii_case_insensitive(true).prefilter(false).build(WORDS.iter().map(|(word, _)| word))?;
        let start = words.start_state(Anchored::No)?;
        Ok(Self { words, start })
    }

    /// A reader of one text, whose questions go forward.
    pub(crate) fn reader<'a>(&'a self, text: &'a [u8]) -> Reader<'a> {
        Reader { context: self, text, read: 0, state: self.start, seen: VecDeque::new() }
    }
}

/// The words cannot be built into an automaton; no rules of a deployment have a say in it.
#[derive(Debug, thiserror::Error)]
#[error("the words of contexts do not make an automaton")]
pub(crate) struct ContextError;

impl From<BuildError> for ContextError {
    fn from(_: BuildError) -> Self {
        Self
    }
}

impl From<MatchError> for ContextError {
    fn from(_: MatchError) -> Self {
        Self
    }
}

/// Reads each part of a text at most once for words, and only where somebody asks.
pub(crate) struct Reader<'a> {
    context: &'a Context,
    text: &'a [u8],
    /// Words that end before this place are in `seen`, as far back as the last question went.
    read: usize,
    /// Where the automaton stands there.
    state: StateID,
    seen: VecDeque<(Range<usize>, u64)>,
}

impl Reader<'_> {
    /// The topics named near a candidate's start, as a set of bits.
    pub(crate) fn topics(&mut self, start: usize) -> u64 {
        let (from, to) = (start.saturating_sub(BEFORE), self.text.len().min(start + AFTER));
        while self.seen.front().is_some_and(|(word, _)| word.end <= from) {
            self.seen.pop_front();
        }
        if self.read < from {
            (self.read, self.state) = (from, self.context.start);
        }
        if self.read < to {
            self.read_until(to);
        }
        let near = self.seen.iter().filter(|(word, _)| word.start >= from && word.end <= to);
        near.fold(0, |topics, (_, topic)| topics | topic)
    }

    fn read_until(&mut self, to: usize) {
        #[cfg(test)]
        crate::tests::work(to - self.read);
        let words = &self.context.words;
        let mut state = self.state;
        for (offset, byte) in self.text.get(self.read..to).unwrap_or_default().iter().enumerate() {
            state = words.next_state(Anchored::No, state, *byte);
            if words.is_special(state) && words.is_match(state) {
                self.see(state, self.read + offset + 1);
            }
        }
        (self.read, self.state) = (to, state);
    }

    /// Notes the words that end at a place.
    fn see(&mut self, state: StateID, end: usize) {
        for index in 0..self.context.words.match_len(state) {
            let pattern = self.context.words.match_pattern(state, index);
            let Some((word, topic)) = WORDS.get(pattern.as_usize()) else { continue };
            let place = end.saturating_sub(word.len())..end;
            if is_whole_word(self.text, place.start, place.end, word) {
                self.seen.push_back((place, topic.bit()));
            }
        }
    }
}

/// A word begins at a boundary; a short one ends at one too (`tin` is not in `testing`), a long one may go on (`phones`).
fn is_whole_word(text: &[u8], start: usize, end: usize, word: &str) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic);
    !letter(start.checked_sub(1)) && (word.len() > 4 || !letter(Some(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_only_as_words_and_only_near() {
        let context = Context::new().unwrap();
        let near = |text: &str| context.reader(text.as_bytes()).topics(text.len());
        assert_ne!(near("my SSN is ") & Topic::Ssn.bit(), 0);
        assert_eq!(near("testing ") & Topic::Itin.bit(), 0);
        assert_eq!(near(&format!("ssn {}", "x ".repeat(60))) & Topic::Ssn.bit(), 0);
    }

    #[test]
    fn asking_along_the_way_gives_what_asking_once_gives() {
        let context = Context::new().unwrap();
        let text = "ssn 1 phone 2 ".repeat(30) + &"x ".repeat(300) + &"passport no 3, card 4 ".repeat(20);
        let mut along = context.reader(text.as_bytes());
        for start in (0..text.len()).step_by(7) {
            assert_eq!(along.topics(start), context.reader(text.as_bytes()).topics(start), "at {start}");
        }
    }
}
