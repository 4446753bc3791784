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
