//! Credentials. Each value is made up; the ones of known services are put together here so that no scanner takes them for real.

use super::found;
use crate::Entity::{ApiKey, Jwt, Password, PrivateKey};

const BODY: &str = "q7Zt0Xk2Lm9RvB4nHs6WyDc1PfJg8TaEu3Ko5Mi";

#[test]
fn tokens_of_known_services_are_found() {
    let body = |length: usize| &BODY[..length];
    let tokens = [
        format!("AKIA{}", "Q7ZT0XK2LM9RVB4N"),
        format!("ghp_{}", &format!("{BODY}{BODY}")[..36]),
        format!("glpat-{}", body(20)),
        format!("xoxb-{}-{}-{}", "123456789012", "1234567890123", body(24)),
        format!("sk_live_{}", body(24)),
        format!("sk-ant-api03-{}{}AA", BODY, &format!("{BODY}{BODY}")[..54]),
        format!("sk-proj-{}", body(38)),
        format!("AIza{}", body(35)),
        format!("npm_{}", body(36)),
        format!("SG.{}.{}", body(22), body(38)),
    ];
    for token in tokens {
        for text in [format!("use {token} for it"), format!("{{\"k\":\"{token}\"}}"), token.clone()] {
            assert_eq!(found(&text), [(ApiKey, token.as_str())], "{text}");
        }
        assert_eq!(found(&format!("x{token}y")), [], "inside a longer word");
    }
}

#[test]
fn placeholders_of_tokens_are_not_tokens() {
    assert_eq!(found("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), []);
    assert_eq!(found("sk_live_ and AIza and xoxb-xxx"), []);
}

#[test]
fn assignments_give_up_the_value_and_keep_the_name() {
    let cases = [
        ("password = 'tr0ub4dor&3'", Password, "tr0ub4dor&3"),
        ("DB_PASSWORD=correct-horse", Password, "correct-horse"),
        ("dbPassword: correct-horse", Password, "correct-horse"),
        ("\"api_key\": \"9f8a7c6b5d4e3f2a1b0c\"", ApiKey, "9f8a7c6b5d4e3f2a1b0c"),
        ("Authorization: Bearer 9f8a7c6b5d4e3f2a1b0c", ApiKey, "9f8a7c6b5d4e3f2a1b0c"),
        ("postgres://app:hunter22@db.internal/x", Password, "app:hunter22"),
    ];
    for (text, entity, value) in cases {
        assert_eq!(found(text), [(entity, value)], "{text}");
    }
    for text in
        ["password = os.getenv('DB')", "password: <your password>", "password=${PASSWORD}", "token: authentication", "http://db:5432/x"]
    {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_private_key_goes_whole_even_without_its_last_line() {
    let body = format!("{BODY}\n").repeat(12);
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----");
    assert_eq!(found(&format!("key:\n{key}\nend")), [(PrivateKey, key.as_str())]);
    let cut = format!("-----BEGIN PRIVATE KEY-----\n{body}");
    assert_eq!(found(&cut), [(PrivateKey, cut.as_str())]);
    assert_eq!(found("-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"), []);
}

#[test]
fn a_web_token_s_header_is_read() {
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3IiwiaWF0IjoxfQ.k5HibIuLnRTuPcaCNkaVaQH2x";
    assert_eq!(found(&format!("t={token};")), [(Jwt, token)]);
    assert_eq!(found("eyJAAAAAAAAAAAAAAA.eyJBBBBBBBBB.x"), []);
}
