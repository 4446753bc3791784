//! What is written is what is meant, or every mistake is told at once.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use custody_policy::PrincipalKind;
use custody_types::TenantId;

use super::*;

fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    folder
}

fn edit(folder: &Path, file: &str, old: &str, new: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file} has no `{old}`");
    fs::write(path, text.replacen(old, new, 1)).unwrap();
}

fn mistakes(folder: &Path) -> Vec<String> {
    match Workspace::load(folder) {
        Ok(_) => Vec::new(),
        Err(error) => error.mistakes().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_example_is_valid_and_its_hash_follows_its_text() {
    let folder = example();
    let first = Workspace::load(folder.path()).unwrap();
    assert_eq!((first.capabilities.len(), first.tenants.len(), first.keys.len(), first.routes.len()), (3, 2, 2, 3));
    assert_eq!(first.hash, Workspace::load(folder.path()).unwrap().hash);
    edit(folder.path(), "custody.toml", "max_attempts = 3", "max_attempts = 2");
    assert_ne!(first.hash, Workspace::load(folder.path()).unwrap().hash);
}

// HOUSE_STYLE 28: every mistake in one run, with key path, value and what is accepted.
#[test]
fn every_mistake_is_told_in_one_run() {
    let folder = example();
    edit(folder.path(), "custody.toml", "max_attempts = 3", "max_attempts = 99\nmax_atempts = 3");
    edit(folder.path(), "tenants.toml", "id = \"globex\"", "id = \"two words\"");
    edit(folder.path(), "capabilities/docs-summarise.toml", "owner = \"knowledge-team\"", "");
    edit(folder.path(), "capabilities/ticket-classify.toml", "\"sim.small\"", "\"sim.smal\"");
    edit(folder.path(), "policies/routes.cedar", "permit (", "permitt (");
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    let found = mistakes(folder.path());
    let has = |parts: &[&str]| found.iter().any(|mistake| parts.iter().all(|part| mistake.contains(part)));
    assert!(has(&["custody.toml", "limits.max_attempts", "`99`", "from 1 to 16"]), "{found:#?}");
    assert!(has(&["custody.toml", "limits.max_atempts", "not a known key", "max_attempts"]), "{found:#?}");
    assert!(has(&["tenants.toml", "tenant[1].id", "two words"]), "{found:#?}");
    assert!(has(&["docs-summarise.toml", "owner", "missing"]), "{found:#?}");
    assert!(has(&["ticket-classify.toml", "routes[0]", "sim.smal"]), "{found:#?}");
    assert!(has(&["policies/routes.cedar", "line"]), "{found:#?}");
    assert!(has(&["notes.txt", "not a workspace file"]), "{found:#?}");
}

#[test]
fn unsafe_configuration_is_refused_with_a_sentence() {
    for (file, old, new, expected) in [
        ("custody.toml", "127.0.0.1:8700", "0.0.0.0:8700", "without TLS"),
        ("custody.toml", "http://127.0.0.1:8000/v1", "http://models.example.com/v1", "off this machine without TLS"),
        ("custody.toml", "http://127.0.0.1:8000/v1", "https://user:pass@models.example.com/v1", "carries a credential"),
        ("custody.toml", "http://127.0.0.1:8000/v1", "ftp://127.0.0.1/", "neither http nor https"),
        ("custody.toml", "kind = \"openai_compatible\"", "kind = \"openai_compatible\"\napi_key = \"sk-secret\"", "not a known key"),
        ("capabilities/ticket-classify.toml", "on_invalid = \"refuse\"", "on_invalid = \"flag\"", "a machine acts on the answer"),
        ("tenants.toml", "id = \"globex\"", "id = \"platform\"", "events use for themselves"),
        ("prompts/support-answer/v1.toml", "version = 1", "version = 2", "file name and content agree"),
    ] {
        let folder = example();
        edit(folder.path(), file, old, new);
        let found = mistakes(folder.path());
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{new}: {found:#?}");
        assert!(!found.iter().any(|mistake| mistake.contains("sk-secret")), "a secret is never quoted");
    }
}

// The network is for TLS alone, and half of a certificate is none.
#[test]
fn the_gateway_is_open_to_the_network_only_with_a_certificate_and_its_key() {
    const LISTEN: &str = "listen = \"127.0.0.1:8700\"";
    const EVERYWHERE: &str = "listen = \"0.0.0.0:8700\"";
    let (certificate, key, authority) = ("tls_certificate_file = \"a.pem\"", "tls_key_file = \"a.key\"", "tls_client_ca_file = \"ca.pem\"");
    let told = |lines: &[&str]| {
        let folder = example();
        edit(folder.path(), "custody.toml", LISTEN, &lines.join("\n"));
        mistakes(folder.path())
    };
    assert_eq!(told(&[EVERYWHERE, certificate, key]), Vec::<String>::new());
    assert_eq!(told(&[LISTEN, certificate, key, authority]), Vec::<String>::new());
    let open = told(&[EVERYWHERE]);
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0].contains("server.listen") && open[0].contains("without TLS") && open[0].contains("tls_certificate_file"), "{open:?}");
    for (lines, missing) in [
        (&[LISTEN, certificate][..], "tls_key_file"),
        (&[LISTEN, key], "tls_certificate_file"),
        (&[LISTEN, authority], "tls_certificate_file"),
    ] {
        let found = told(lines);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&format!("server.{missing}")) && found[0].contains("is missing beside"), "{found:?}");
    }
    let empty = told(&[LISTEN, certificate, "tls_key_file = \"\""]);
    assert!(empty[0].contains("server.tls_key_file") && empty[0].contains("is empty"), "{empty:?}");
}

#[test]
fn keys_that_others_can_read_are_refused() {
    let folder = example();
    fs::set_permissions(folder.path().join("keys.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let found = mistakes(folder.path());
    assert!(found.iter().any(|mistake| mistake.contains("keys.toml") && mistake.contains("chmod 600")), "{found:?}");
}

#[test]
fn a_key_opens_only_as_a_whole_and_is_kept_as_a_hash() {
    let folder = tempfile::tempdir().unwrap();
    let issued = write_example(folder.path()).unwrap();
    let token = issued[0].token.expose();
    let kept = fs::read_to_string(folder.path().join("keys.toml")).unwrap();
    let secret = token.splitn(3, '_').last().unwrap();
    assert!(secret.len() > 20 && !kept.contains(secret));
    let keys = Workspace::load(folder.path()).unwrap().keys;
    assert_eq!(keys.find(token).unwrap().record.tenant.as_str(), "acme");
    let mut altered = token.to_owned();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    for wrong in [altered.as_str(), &token[..token.len() - 1], &format!("{token}A"), "", "ck_", "ck__", &"x".repeat(10_000)] {
        assert!(keys.find(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn two_keys_are_never_alike() {
    let make = || keys::create("acme".parse().unwrap(), "app".parse().unwrap(), PrincipalKind::Service, BTreeSet::new()).unwrap();
    let ((a, first), (b, second)) = (make(), make());
    assert!(a.id != b.id && a.hash != b.hash && first.expose() != second.expose());
    assert!(first.expose().len() > 56 && !format!("{first:?}").contains(first.expose()));
}

#[test]
fn tenants_of_a_trace_get_keys() {
    let folder = example();
    let tenants: Vec<TenantId> = ["acme", "client-1", "client-2"].iter().map(|name| name.parse().unwrap()).collect();
    let groups = BTreeSet::from(["replay".parse().unwrap()]);
    let issued = add_tenant_keys(folder.path(), &tenants, (&"replay".parse().unwrap(), PrincipalKind::Service), &groups).unwrap();
    let workspace = Workspace::load(folder.path()).unwrap();
    assert_eq!((issued.len(), workspace.tenants.len(), workspace.keys.len()), (3, 4, 5));
    assert!(issued.iter().all(|key| workspace.keys.find(key.token.expose()).unwrap().record.tenant == key.tenant));
}
