//! A tenant's own key is deleted only where it is nobody else's.

use custody_types::Timestamp;

use super::*;

const OWN: &str = "arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab";
const OF_OWN: Answer = Answer::Body(
    r#"{"KeyMetadata": {"KeyId": "a", "Arn": "arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab"}}"#,
);
const OF_DEFAULT: Answer = Answer::Body(
    r#"{"KeyMetadata": {"KeyId": "b", "Arn": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}"#,
);
const SCHEDULED: Answer = Answer::Body(r#"{"KeyId": "a", "DeletionDate": 1795867200.0}"#);

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

/// `acme` has a key by an alias; what is asked of KMS is told with the outcome.
async fn ended(answers: Vec<Answer>, others: &[&str], in_use: &[&str]) -> (Result<KeyDeletion, VaultError>, usize, String) {
    let server = Server::answering(answers).await;
    let mut options = options(&server.url);
    options.tenants.insert(acme(), "alias/acme".to_owned());
    for (tenant, key) in others.iter().zip(["alias/b", "alias/c"]) {
        options.tenants.insert(tenant.parse().unwrap(), key.to_owned());
    }
    let in_use = in_use.iter().map(|name| name.parse().unwrap()).collect();
    let outcome = keys(&options).schedule_deletion(&acme(), 7, &in_use).await;
    (outcome, server.requests(), server.asked())
}

fn scheduled() -> KeyDeletion {
    KeyDeletion::Scheduled { key: OWN.parse().unwrap(), at: Timestamp::from_micros(1_795_867_200_000_000) }
}

#[tokio::test]
async fn a_key_with_an_alias_is_deleted_by_its_arn() {
    let (outcome, requests, asked) = ended(vec![OF_OWN, OF_DEFAULT, SCHEDULED], &[], &[KEY]).await;
    assert_eq!(outcome.unwrap(), scheduled());
    assert_eq!(requests, 3);
    assert!(asked.contains("TrentService.ScheduleKeyDeletion") && asked.contains(OWN) && !asked.contains("alias/"), "{asked}");
}

#[tokio::test]
async fn a_key_that_something_is_wrapped_by_stays() {
    for name in [OWN, "aaaaaaaa-12ab-34cd-56ef-1234567890ab", "alias/acme"] {
        let (outcome, requests, _) = ended(vec![OF_OWN, OF_DEFAULT, SCHEDULED], &[], &[name]).await;
        let KeyDeletion::Refused { why, .. } = outcome.unwrap() else { panic!("{name}") };
        assert!(why.contains("wrapped by it") && requests == 1, "{why}, {requests} requests");
    }
}

#[tokio::test]
async fn a_key_that_others_use_by_another_name_stays() {
    let (outcome, requests, _) = ended(vec![OF_OWN, OF_OWN], &[], &[]).await;
    let KeyDeletion::Refused { why, .. } = outcome.unwrap() else { panic!() };
    assert!(why.contains("default key") && requests == 2, "{why}");
    let (outcome, requests, _) = ended(vec![OF_OWN, OF_DEFAULT, OF_DEFAULT, OF_OWN], &["globex", "initech"], &[]).await;
    let KeyDeletion::Refused { why, .. } = outcome.unwrap() else { panic!() };
    assert!(why.contains("`initech`") && requests == 4, "{why}");
}

#[tokio::test]
async fn what_can_not_be_told_is_not_deleted_and_a_name_without_a_key_is_nobodys() {
    let (outcome, requests, _) = ended(vec![OF_OWN, Answer::Error(400, "AccessDeniedException")], &[], &[]).await;
    assert!(matches!(outcome, Err(VaultError::KeyService(WrapError::Refused))) && requests == 2, "{outcome:?}");
    let gone = Answer::Error(400, "NotFoundException");
    let (outcome, requests, _) = ended(vec![OF_OWN, OF_DEFAULT, gone, SCHEDULED], &["globex"], &[]).await;
    assert_eq!((outcome.unwrap(), requests), (scheduled(), 4));
}

#[tokio::test]
async fn a_deletion_that_was_scheduled_before_is_told_again() {
    let pending = Answer::Body(
        r#"{"KeyMetadata": {"KeyId": "a", "Arn": "arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab",
            "KeyState": "PendingDeletion", "DeletionDate": 1795867200.0}}"#,
    );
    let (outcome, requests, _) = ended(vec![pending], &[], &[]).await;
    assert_eq!((outcome.unwrap(), requests), (scheduled(), 1));
}
