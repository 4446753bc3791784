//! Identifiers in sentences: with the words that make weak ones believable, and without.

use super::found;
use crate::Entity::{self, *};

#[test]
fn strong_forms_are_found_anywhere() {
    let cases: [(Entity, &str, &str); 26] = [
        (Email, "ask ann.lee@mail.example.org.", "ann.lee@mail.example.org"),
        (Phone, "it is +44 20 7946 0958, or", "+44 20 7946 0958"),
        (Phone, "it is (212) 555-0142 now", "(212) 555-0142"),
        (Phone, "it is 415-555-0132 now", "415-555-0132"),
        (PaymentCard, "paid with 4539 1488-0343 6467 today", "4539 1488-0343 6467"),
        (PaymentCard, "paid with 378282246310005.", "378282246310005"),
        (Iban, "to GB82 WEST 1234 5698 7654 32 please", "GB82 WEST 1234 5698 7654 32"),
        (NationalId, "has 536-90-4399 on file", "536-90-4399"),
        (NationalId, "has 912-70-1234 on file", "912-70-1234"),
        (NationalId, "NHS 943 476 5919 on file", "943 476 5919"),
        (NationalId, "has AB 12 34 56 C on file", "AB 12 34 56 C"),
        (NationalId, "has X1234567L on file", "X1234567L"),
        (NationalId, "has 12345678Z on file", "12345678Z"),
        (NationalId, "has RSSMRA85T10A562S on file", "RSSMRA85T10A562S"),
        (NationalId, "has 811228-9874 on file", "811228-9874"),
        (NationalId, "has 131052-308T on file", "131052-308T"),
        (NationalId, "has 2 55 08 14 168 025 38 on file", "2 55 08 14 168 025 38"),
        (NationalId, "has S1234567D on file", "S1234567D"),
        (NationalId, "has 960121-1021413 on file", "960121-1021413"),
        (NationalId, "has 111.444.777-35 on file", "111.444.777-35"),
        (BusinessId, "has 11.222.333/0001-81 on file", "11.222.333/0001-81"),
        (IpAddress, "from 203.0.113.9 it came", "203.0.113.9"),
        (IpAddress, "from 2001:db8::8a2e:370:7334 it came", "2001:db8::8a2e:370:7334"),
        (MacAddress, "from 00:1b:44:11:3a:b7 it came", "00:1b:44:11:3a:b7"),
        (CryptoAddress, "to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq today", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        (CryptoAddress, "to 0x52908400098527886E0F7030069857D2E4169EE7 today", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ];
    for (entity, text, value) in cases {
        assert_eq!(found(text), [(entity, value)], "{text}");
    }
}

#[test]
fn weak_forms_need_a_word_that_names_them() {
    let cases: [(Entity, &str, &str); 18] = [
        (NationalId, "her SSN is", "536904399"),
        (NationalId, "BSN:", "111222333"),
        (NationalId, "Steuer-ID:", "86095742719"),
        (NationalId, "PESEL", "44051401359"),
        (NationalId, "NIF", "123456789"),
        (NationalId, "Aadhaar", "399876543211"),
        (NationalId, "TFN", "123456782"),
        (NationalId, "Medicare", "2123456701"),
        (NationalId, "CPF", "11144477735"),
        (NationalId, "SIN", "130692544"),
        (NationalId, "South African ID number", "8001015009087"),
        (BusinessId, "ABN", "51824753556"),
        (BankAccount, "routing number", "011401533"),
        (Passport, "passport", "X1234567"),
        (DriverLicence, "driver's license", "D1234567"),
        (BirthDate, "born on", "31/12/1980"),
        (Phone, "phone", "5551234"),
        (VehiclePlate, "number plate", "KA01AB1234"),
    ];
    for (entity, word, value) in cases {
        let beside = format!("{word} {value}, thanks");
        assert_eq!(found(&beside), [(entity, value)], "{beside}");
        let without = format!("item {value}, thanks");
        assert!(!found(&without).iter().any(|(kind, _)| *kind == entity), "{without}");
    }
}

#[test]
fn a_wrong_check_digit_is_not_an_identifier() {
    for text in [
        "paid with 4111 1111 1111 1112",
        "to GB82 WEST 1234 5698 7654 33",
        "has 000-90-4399",
        "has X1234567M",
        "has 131052-308U",
        "has 111.444.777-36",
        "from 256.1.1.1",
        "from 1.2.3.4.5",
        "CPF 11144477736",
        "Aadhaar 399876543212",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn ordinary_numbers_and_words_stay() {
    for text in [
        "In 2024 we sold 12,500 units at 3.75 each, 18% more than in 2023.",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes #1234",
        "from 03/04/2021 to 2021-04-30, then 01.02.2024 or 01-02-2024",
        "id 550e8400-e29b-41d4-a716-446655440000 at 12:30:45",
        "The password policy is strict, and the secret to success is sleep.",
        "Version 1.2.3 of the token parser; see section 4.5.6.",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn names_and_streets_are_found_beside_what_announces_them() {
    assert_eq!(found("Please ask Dr. Ana-Maria van der Berg about it"), [(Person, "Ana-Maria van der Berg")]);
    assert_eq!(found("my name is Jože Novak and"), [(Person, "Jože Novak")]);
    assert_eq!(found("send it to 221 Baker Street, Apt 4"), [(StreetAddress, "221 Baker Street, Apt 4")]);
    assert_eq!(
        found("at 12 Kossuth Lajos Utca 7\n Suite 282\n Domoszl\u{f3}\n Hungary 34796, thanks"),
        [(StreetAddress, "12 Kossuth Lajos Utca 7\n Suite 282\n Domoszl\u{f3}\n Hungary 34796")]
    );
    assert_eq!(found("at 9 Main St, Springfield, IL 62704."), [(StreetAddress, "9 Main St, Springfield, IL 62704")]);
    assert_eq!(found("London SW1A 1AA"), [(Postcode, "SW1A 1AA")]);
    assert_eq!(found("he turned 42 in May"), [(Age, "42")]);
    assert_eq!(found("the limits: Ann met Bob in Paris"), []);
}
