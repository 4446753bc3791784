//! The kinds of things that are found: a closed list, each with the name that stands in its place.

use serde::{Deserialize, Serialize};

macro_rules! entities {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $family:ident,)+) => {
        /// What a piece of text was found to be. The name is permanent: it stands in redacted text and in counts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Entity { $($(#[doc = $doc])+ $variant,)+ }

        impl Entity {
            /// Every kind, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in a marker: `EMAIL` in `[EMAIL]`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Which rules of thumb hold for it.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)+ }
            }
        }
    };
}

/// How an entity is recognised, which says how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A form with a check sum, a range or a fixed prefix, or a weak form beside a word that says what it is.
    Structured,
    /// A credential: whoever holds it can act with it.
    Secret,
    /// Free language: found by titles, introductions and street words, and missed without them.
    FreeForm,
    /// What a deployment named itself.
    Custom,
}

entities! {
    /// An e-mail address.
    Email "EMAIL" Structured,
    /// A telephone number.
    Phone "PHONE" Structured,
    /// A payment card's number.
    PaymentCard "CARD" Structured,
    /// An international bank account number.
    Iban "IBAN" Structured,
    /// A national bank account or routing number, beside a word that says so.
    BankAccount "BANK_ACCOUNT" Structured,
    /// A number a state gave to a person: tax, insurance, health, residence.
    NationalId "NATIONAL_ID" Structured,
    /// A number a state gave to a business, which is a person's for sole traders.
    BusinessId "BUSINESS_ID" Structured,
    /// A passport number.
    Passport "PASSPORT" Structured,
    /// A driving licence number.
    DriverLicence "DRIVER_LICENCE" Structured,
    /// A vehicle's registration plate.
    VehiclePlate "VEHICLE_PLATE" Structured,
    /// A date of birth.
    BirthDate "BIRTH_DATE" Structured,
    /// Any other full date; off unless asked for.
    Date "DATE" Structured,
    /// An IPv4 or IPv6 address.
    IpAddress "IP_ADDRESS" Structured,
    /// A hardware address.
    MacAddress "MAC_ADDRESS" Structured,
    /// A web address; off unless asked for.
    Url "URL" Structured,
    /// An address on a public chain.
    CryptoAddress "CRYPTO_ADDRESS" Structured,
    /// A private key in PEM form.
    PrivateKey "PRIVATE_KEY" Secret,
    /// A token or key of a known service.
    ApiKey "API_KEY" Secret,
    /// A JSON web token.
    Jwt "JWT" Secret,
    /// A user and password inside an address, or a password's assignment.
    Password "PASSWORD" Secret,
    /// A person's name beside a title or an introduction.
    Person "PERSON" FreeForm,
    /// A street address.
    StreetAddress "STREET_ADDRESS" FreeForm,
    /// A postal code in a form of its own, or beside a word that says so.
    Postcode "POSTCODE" FreeForm,
    /// An age in years.
    Age "AGE" FreeForm,
    /// A word or pattern of the deployment's own rules.
    Custom "CUSTOM" Custom,
}

impl Entity {
    /// Whether rules that do not say otherwise look for it.
    #[must_use]
    pub const fn is_default(self) -> bool {
        !matches!(self, Self::Date | Self::Url)
    }

    /// Its bit in a set.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}
