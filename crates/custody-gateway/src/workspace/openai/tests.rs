//! What is written of a server is what is meant, or a mistake. PAT-04, PATH-11.

use std::{fs, time::Duration};

use crate::workspace::{OpenAiProvider, ProviderKind, Workspace, write_example};

/// The example with more keys for its local server.
fn load(keys: &str) -> Result<OpenAiProvider, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let text = fs::read_to_string(&main).unwrap();
    let kind = "kind = \"openai_compatible\"\n";
    assert!(text.contains(kind));
    fs::write(&main, text.replace(kind, &format!("{kind}{keys}\n"))).unwrap();
    let workspace = Workspace::load(folder.path()).map_err(|error| error.mistakes().iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let ProviderKind::OpenAiCompatible(server) = workspace.routes["local.model"].provider.clone() else { panic!("another kind") };
    Ok(server)
}

#[test]
fn nothing_more_is_sent_or_asked_than_stated() {
    let server = load("").unwrap();
    assert!(server.headers.is_empty() && server.secret_headers.is_empty() && server.ca_file.is_none());
    assert!(!server.labels && server.probe.is_none() && !ProviderKind::OpenAiCompatible(server).takes_labels());
    let stated = load(
        "headers = { x-team = \"blue\" }\nheader_env = { x-api-key = \"VLLM_KEY\" }\nlabels = true\nprobe = true\n\
         probe_seconds = 5\ncapacity_metrics = true",
    );
    let stated = stated.unwrap();
    assert_eq!((stated.headers["x-team"].as_str(), stated.secret_headers.len(), stated.labels), ("blue", 1, true));
    let rule = stated.probe.unwrap();
    assert_eq!((rule.every, rule.capacity), (Duration::from_secs(5), true));
    assert_eq!(load("probe = true").unwrap().probe.unwrap().every, Duration::from_secs(30));
}

#[test]
fn a_header_whose_name_says_that_it_carries_a_secret_holds_none() {
    for name in [
        "apikey",
        "x-apikey",
        "x-api-key",
        "x-auth",
        "x-authorization",
        "aws-credential",
        "x-credentials",
        "x-password",
        "x-amz-signature",
        "x-session-token",
        "client-secret",
        "cookie",
    ] {
        let found = load(&format!("headers = {{ {name} = \"sk-secret\" }}")).unwrap_err();
        assert!(found.iter().any(|mistake| mistake.contains("would hold a secret")), "{name}: {found:#?}");
        assert_eq!(load(&format!("header_env = {{ {name} = \"VLLM_KEY\" }}")).unwrap().secret_headers.len(), 1, "{name}");
    }
}

#[test]
fn what_can_not_be_meant_is_refused_and_no_secret_is_quoted() {
    let many: String = (0..17).map(|place| format!("x-{place} = \"v\", ")).collect();
    for (keys, because) in [
        ("headers = { authorization = \"Bearer sk-secret\" }", "headers.authorization`: is a header that is set already"),
        ("headers = { host = \"elsewhere\" }", "is a header that is set already"),
        ("headers = { content-type = \"x\" }", "is a header that is set already"),
        ("headers = { x-custody-tenant = \"acme\" }", "is a header that is set already"),
        ("headers = { X-Team = \"blue\" }", "no header's name in lower case"),
        ("headers = { x-api-key = \"sk-secret\" }", "would hold a secret"),
        ("headers = { cookie = \"sk-secret\" }", "would hold a secret"),
        ("headers = { x-team = \"sk-secret\\r\\nhost: x\" }", "characters that can't be sent"),
        ("headers = { x-team = 7 }", "is no text"),
        ("header_env = { x-api-key = \"sk-secret\" }", "no name of an environment variable"),
        ("header_env = { host = \"HOST\" }", "is a header that is set already"),
        ("headers = { x-a = \"b\" }\nheader_env = { x-a = \"B\" }", "state it once"),
        (&format!("headers = {{ {many} }}"), "more than 16 headers"),
        ("ca_file = \"/etc/ca.pem\"", "without TLS"),
        ("probe_seconds = 5", "stands without `probe = true`"),
        ("capacity_metrics = true", "stands without `probe = true`"),
        ("probe = true\nprobe_seconds = 0", "from 1 to 3600"),
        ("probe = \"yes\"", "use true or false"),
    ] {
        let found = load(keys).unwrap_err();
        assert!(found.iter().any(|mistake| mistake.contains(because)), "{keys}: {found:#?}");
        assert!(!found.iter().any(|mistake| mistake.contains("sk-secret")), "{found:#?}");
    }
}
