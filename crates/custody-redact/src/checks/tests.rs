use super::*;

/// Each check with a value that holds and one that differs in a digit or letter. The values are made up and carry valid sums only.
#[test]
fn check_sums_tell_good_from_bad() {
    type Check = fn(&[u8]) -> bool;
    let cases: [(&str, Check, &str, &str); 31] = [
        ("card", card, "4539 1488-0343 6467", "4539 1488-0343 6468"),
        ("amex", card, "378282246310005", "378282246310006"),
        ("iban", iban, "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        ("iban length", iban, "GB82WEST12345698765432", "GB82WEST1234569876543"),
        ("routing", routing, "011401533", "011401534"),
        ("ssn", ssn, "536-90-4399", "666-90-4399"),
        ("itin", itin, "912-70-1234", "912-10-1234"),
        ("npi", npi, "1234567893", "1234567894"),
        ("nhs", nhs, "943 476 5919", "943 476 5918"),
        ("nino", nino, "AB123456C", "GB123456C"),
        ("bsn", bsn, "111222333", "111222334"),
        ("german tax", german_tax, "86095742719", "86095742718"),
        ("nir", nir, "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
        ("dni", spanish, "12345678Z", "12345678A"),
        ("nie", spanish, "X1234567L", "X1234567M"),
        ("codice fiscale", codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        ("pesel", pesel, "44051401359", "44051401358"),
        ("nif", nif, "123456789", "123456788"),
        ("personnummer", personnummer, "811228-9874", "811228-9875"),
        ("hetu", hetu, "131052-308T", "131052-308U"),
        ("belgian", belgian, "85.07.30-033.28", "85.07.30-033.29"),
        ("aadhaar", aadhaar, "3998 7654 3211", "3998 7654 3212"),
        ("tfn", tfn, "123 456 782", "123 456 783"),
        ("medicare", medicare, "2123 45670 1", "2123 45671 1"),
        ("abn", abn, "51 824 753 556", "51 824 753 557"),
        ("acn", acn, "005 499 981", "005 499 982"),
        ("nric", nric, "S1234567D", "S1234567A"),
        ("korean", korean, "960121-1021413", "961321-1021413"),
        ("cpf", cpf, "111.444.777-35", "111.444.777-36"),
        ("cnpj", cnpj, "11.222.333/0001-81", "11.222.333/0001-82"),
        ("sin", sin, "130 692 544", "130 692 545"),
    ];
    for (name, check, good, bad) in cases {
        assert!(check(good.as_bytes()), "{name} refuses {good}");
        assert!(!check(bad.as_bytes()), "{name} accepts {bad}");
    }
    assert!(south_african(b"8001015009087") && !south_african(b"8001015009088"));
    assert!(thai(b"1520000000004") && !thai(b"1520000000005"));
}

#[test]
fn fillers_are_no_numbers() {
    for text in ["0000000000000000", "1111111111111111"] {
        assert!(!card(text.as_bytes()));
    }
    assert!(!cpf(b"11111111111"));
    assert!(!ssn(b"123456789"));
}

#[test]
fn dates_need_a_day_that_exists() {
    assert!(numeric_date(b"31/12/1980") && numeric_date(b"12/31/1980") && numeric_date(b"1980-12-31"));
    assert!(!numeric_date(b"31/31/1980") && !numeric_date(b"1980-02-30") && !numeric_date(b"1.2.3"));
}

#[test]
fn placeholders_are_no_secrets() {
    for text in ["changeme", "your_password", "$PASSWORD", "${SECRET}", "XXXXXXXXXXXX", "<password>", "getenv(", "aaaaaaaa"] {
        assert!(!assigned(text.as_bytes()), "{text}");
    }
    assert!(assigned(b"hunter2-and-more"));
    assert!(mixed_value(b"3fea6af1349166ea") && !mixed_value(b"authentication"));
}
