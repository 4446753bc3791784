use super::*;

fn mistakes_of(text: &str) -> String {
    Deployment::parse("deployment.toml", text).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn the_example_is_a_valid_deployment() {
    let deployment = Deployment::parse("example.toml", EXAMPLE).expect("the example is what users copy");
    assert!(deployment.lake.is_s3());
    assert_eq!(deployment.gateway.journal_bytes, 4 << 30);
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let text = EXAMPLE
        .replace("127.0.0.1:8701", "0.0.0.0:8701")
        .replace("\"plaintext\"", "\"telnet\"")
        .replace("flush_seconds = 30", "flush_seconds = 0\nflush_secs = 9")
        .replace("s3://evidence/lake", "ftp://evidence");
    let told = mistakes_of(&text);
    for part in ["5 mistakes", "ingest.listen", "log.security.kind", "ingest.flush_seconds", "ingest.flush_secs", "lake.root"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn how_long_texts_wait_for_the_vault_is_said_in_the_file() {
    let patience = |text: &str| Deployment::parse("example.toml", text).unwrap().ingest.vault_step().patience.as_secs();
    let line = "vault_patience_seconds = 60";
    assert_eq!((patience(EXAMPLE), patience(&EXAMPLE.replace(line, ""))), (60, 60));
    assert_eq!(patience(&EXAMPLE.replace(line, "vault_patience_seconds = 5")), 5);
    for wrong in [0, 3601] {
        let told = mistakes_of(&EXAMPLE.replace(line, &format!("vault_patience_seconds = {wrong}")));
        assert!(told.contains("ingest.vault_patience_seconds"), "{told}");
    }
}

#[test]
fn gateways_may_share_a_hash_key() {
    let own = Deployment::parse("example.toml", EXAMPLE).unwrap().gateway;
    assert_eq!(own.hash_key_file(Path::new("/var/lib/other")), Path::new("/var/lib/other/hash.key"));
    let shared = Deployment::parse("example.toml", &EXAMPLE.replace("# hash_key_file", "hash_key_file")).unwrap().gateway;
    assert_eq!(shared.hash_key_file(Path::new("/var/lib/other")), Path::new("/etc/custody/hash.key"));
}

#[test]
fn plaintext_leaves_the_machine_in_no_configuration() {
    let told = mistakes_of(&EXAMPLE.replace("127.0.0.1:9092", "broker.example.org:9092"));
    assert!(told.contains("without encryption"), "{told}");
}

#[test]
fn a_password_in_the_file_is_refused_and_not_repeated() {
    let told =
        mistakes_of(&EXAMPLE.replace("kind = \"plaintext\"", "kind = \"scram-sha-512\"\nuser = \"custody\"\npassword = \"hunter2\""));
    assert!(told.contains("log.security.password") && !told.contains("hunter2"), "{told}");
}

#[test]
fn a_vault_is_read_with_its_keys() {
    let vault = Deployment::parse("example.toml", EXAMPLE).unwrap().vault.expect("the example has a vault");
    assert!(vault.root.is_s3());
    assert!(matches!(&vault.keys, VaultKeys::Kms(kms) if kms.default_key == "alias/custody" && kms.tenants.is_empty()));
    let tenants = EXAMPLE.replace("# acme = ", "acme = ");
    let vault = Deployment::parse("example.toml", &tenants).unwrap().vault.unwrap();
    assert!(matches!(vault.keys, VaultKeys::Kms(kms) if kms.tenants.len() == 1));
    let (before, rest) = EXAMPLE.split_once("[vault.keys]").unwrap();
    let after = &rest[rest.find("[gateway]").unwrap()..];
    let file = format!("{before}[vault.keys]\nkind = \"file\"\npath = \"/k\"\npassphrase_env = \"P\"\n{after}");
    let vault = Deployment::parse("example.toml", &file).unwrap().vault.unwrap();
    assert!(matches!(vault.keys, VaultKeys::File { passphrase_env: Some(name), .. } if name == "P"));
}

#[test]
fn without_a_vault_there_is_none_and_a_wrong_one_is_told() {
    let (before, rest) = EXAMPLE.split_once("[vault] ").unwrap();
    let without = format!("{before}{}", &rest[rest.find("[gateway]").unwrap()..]);
    assert!(Deployment::parse("example.toml", &without).unwrap().vault.is_none());
    let told = mistakes_of(
        &EXAMPLE
            .replace("s3://evidence-vault/vault", "ftp://vault")
            .replace("kind = \"kms\"", "kind = \"hsm\"")
            .replace("edge_overlap_minutes = 60", "edge_overlap_minutes = 9000"),
    );
    for part in ["vault.root", "vault.keys.kind", "vault.edge_overlap_minutes"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let told = mistakes_of(&EXAMPLE.replace("# endpoint = \"https://kms", "endpoint = \"http://kms"));
    assert!(told.contains("vault.keys") && told.contains("not encrypted"), "{told}");
    let told = mistakes_of(&EXAMPLE.replace("default_key = ", "passphrase = \"hunter2\"\ndefault_key = "));
    assert!(told.contains("vault.keys.passphrase") && !told.contains("hunter2"), "{told}");
}

#[test]
fn sealed_texts_have_a_topic_of_their_own() {
    let log = Deployment::parse("example.toml", EXAMPLE).unwrap().log;
    let content = log.content.as_ref().expect("the example has a vault");
    assert_eq!((content.name.as_str(), content.retention_ms, content.partitions), ("custody.content.v1", 168 * 3_600_000, 12));
    assert_eq!(log.topics().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["custody.events.v1", "custody.content.v1"]);
    let shorter = EXAMPLE.replace("content_retention_hours = 168", "content_retention_hours = 72");
    let log = Deployment::parse("example.toml", &shorter).unwrap().log;
    assert_eq!(log.topics().map(|topic| topic.retention_ms / 3_600_000).collect::<Vec<_>>(), [168, 72]);
    let told = mistakes_of(&EXAMPLE.replace("# content_topic = \"custody.content.v1\"", "content_topic = \"custody.events.v1\""));
    assert!(told.contains("log.content_topic") && told.contains("the topic of events"), "{told}");
    let (before, rest) = EXAMPLE.split_once("[vault] ").unwrap();
    let without = format!("{before}{}", &rest[rest.find("[gateway]").unwrap()..]);
    assert!(Deployment::parse("example.toml", &without).unwrap().log.content.is_none(), "without a vault there is nothing to open it");
}
