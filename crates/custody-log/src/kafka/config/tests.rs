use super::*;

fn made(brokers: &[&str], security: KafkaSecurity) -> Result<KafkaConfig, KafkaConfigError> {
    KafkaConfig::new(brokers.iter().map(|broker| (*broker).to_owned()).collect(), security, "custody-test")
}

fn scram(password: &str) -> KafkaSecurity {
    let password = SensitiveText::new(password);
    KafkaSecurity::SaslScram { mechanism: ScramMechanism::Sha512, user: "custody".into(), password, ca_file: None }
}

#[test]
fn plaintext_is_for_this_machine_only() {
    for broker in ["localhost:9092", "LOCALHOST:9092", "127.0.0.1:9092", "127.8.9.1:9092", "[::1]:9092", "[::ffff:127.0.0.1]:9092"] {
        assert!(made(&[broker], KafkaSecurity::Plaintext).is_ok(), "{broker}");
    }
    for broker in ["kafka:9092", "10.0.0.1:9092", "localhost.example.com:9092", "128.0.0.1:9092", "[2001:db8::1]:9092", "0.0.0.0:9092"] {
        let refusal = made(&["localhost:9092", broker], KafkaSecurity::Plaintext).unwrap_err();
        assert_eq!(refusal.problems.len(), 1, "{refusal}");
        assert!(refusal.to_string().contains(broker) && refusal.to_string().contains("without encryption"), "{refusal}");
        assert!(made(&[broker], KafkaSecurity::Tls { ca_file: None, client: None }).is_ok(), "{broker}");
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let refusal = made(&["kafka", "kafka:0", "a,b:9092", ":9092", "[::1:9092"], scram("")).unwrap_err();
    assert_eq!(refusal.problems.len(), 6, "{refusal}");
    assert!(made(&[], KafkaSecurity::MskIam { region: String::new() }).unwrap_err().problems.len() == 2);
}

#[test]
fn secrets_are_not_printed() {
    let config = made(&["kafka:9096"], scram("correct horse")).unwrap();
    let printed = format!("{config:?} {:?}", config.client());
    assert!(!printed.contains("correct"), "{printed}");
}

#[test]
fn each_kind_of_security_makes_a_client() {
    let tls = KafkaSecurity::Tls { ca_file: None, client: None };
    let iam = KafkaSecurity::MskIam { region: "eu-central-1".into() };
    for (security, protocol) in [(KafkaSecurity::Plaintext, "plaintext"), (tls, "ssl"), (scram("secret"), "sasl_ssl"), (iam, "sasl_ssl")] {
        let config = made(&["localhost:9092"], security).unwrap();
        assert_eq!(config.client().get("security.protocol"), Some(protocol));
        config.client().create_native_config().unwrap();
        config.client().create_with_context::<_, rdkafka::consumer::BaseConsumer<Events>>(config.events()).unwrap();
    }
}

#[test]
fn a_protected_connection_checks_the_name_in_the_certificate() {
    for security in [KafkaSecurity::Tls { ca_file: None, client: None }, scram("secret"), KafkaSecurity::MskIam { region: "x".into() }] {
        let client = made(&["kafka:9094"], security).unwrap().client();
        assert_eq!(client.get("ssl.endpoint.identification.algorithm"), Some("https"));
    }
}
