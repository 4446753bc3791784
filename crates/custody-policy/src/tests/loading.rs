//! What is refused at load, and how it is told.

use custody_types::Fault;

use super::*;

fn told(text: &str) -> Vec<(Option<usize>, String)> {
    mistakes(text).into_iter().map(|mistake| (mistake.line, mistake.message)).collect()
}

#[test]
fn every_mistake_is_reported_at_once_with_file_and_line() {
    let first = "// a comment; with a semicolon\npermit (principal, action, resource);\n\n@id(\"x;y\")\nforbid (principal, action, resource) when { resource.colour == \"red\" };\n";
    let second = "@id(\"ok\") permit (principal, action, resource)\nwhen { }\n";
    let third = "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal == User::\"u\", action, resource);\n\n@id(\"custody.mine\") forbid (principal, action, resource);\n@id(\"t\") permit (principal == ?principal, action, resource);";
    let files = [("1.cedar", first), ("2.cedar", second), ("3.cedar", third)].map(|(name, text)| SourceFile { name, text });
    let error = PolicySet::load(SCHEMA, &files).unwrap_err();
    let places: Vec<(&str, Option<usize>)> = error.mistakes().iter().map(|mistake| (mistake.file.as_str(), mistake.line)).collect();
    let expected = [("1.cedar", 2), ("1.cedar", 5), ("2.cedar", 2), ("3.cedar", 2), ("3.cedar", 4), ("3.cedar", 5)];
    let distinct: BTreeSet<_> = places.iter().copied().collect();
    assert_eq!(distinct, expected.map(|(file, line)| (file, Some(line))).into(), "{error}");
    assert!(error.to_string().contains("1.cedar:2: the policy has no name; write @id("), "{error}");
    assert!(error.to_string().contains("3.cedar:2: `a` is already the name of the policy at 3.cedar:1"), "{error}");
    assert!(!error.to_string().contains('\n'));
    assert_eq!(error.code(), "policy_invalid");
}

#[test]
fn an_unknown_attribute_is_refused() {
    let told = told("@id(\"p\")\npermit (principal, action, resource)\nwhen { resource.ownr == \"x\" };");
    assert!(told.iter().all(|(line, message)| *line == Some(3) && message.contains("ownr")), "{told:?}");
    assert!(!told.is_empty());
}

#[test]
fn unguarded_optional_attributes_wrong_types_and_unknown_names_are_refused() {
    for (text, word) in [
        ("context.workflow == \"x\"", "workflow"),
        ("resource.dataClassCeiling < \"confidential\"", "type"),
        ("principal in Team::\"x\"", "Team"),
        ("context.capability.handling == Handling::\"display_all\"", "display_all"),
        ("action == Action::\"UseRout\"", "UseRout"),
    ] {
        let told = told(&format!("@id(\"p\") permit (principal, action == Action::\"UseRoute\", resource) when {{ {text} }};"));
        assert!(told.iter().any(|(_, message)| message.contains(word)), "{text}: {told:?}");
    }
}

/// A rule that can never apply is a mistake of its author, not a style question.
#[test]
fn a_policy_that_can_never_apply_is_refused() {
    let told = told("@id(\"p\") forbid (principal, action, resource) when { false };");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn a_schema_that_differs_from_what_decisions_bring_is_refused() {
    for (from, to, word) in [
        ("  owner: String,\n", "", "owner"),
        ("dataClass: Long,\n    controlLevel", "dataClass: String,\n    controlLevel", "dataClass"),
        ("action UseRoute", "action TakeRoute", "UseRoute"),
        ("  region?: String,", "  region: String,", "region"),
        ("  shared: Bool,", "  shared?: Bool,", "shared"),
        ("entity Tenant;", "entity Tenant", "cedarschema:11"),
        ("  tenant: Tenant,", "  tenant: Tennant,", "Tennant"),
    ] {
        let text = SCHEMA.text.replacen(from, to, if from.contains("tenant: ") { 1 } else { 9 });
        assert_ne!(text, SCHEMA.text, "{from}");
        let error = PolicySet::load(SourceFile { text: &text, ..SCHEMA }, &[]).expect_err(from);
        assert!(error.mistakes().iter().any(|mistake| mistake.to_string().contains(word)), "{from}: {error}");
    }
}

#[test]
fn more_in_the_schema_is_fine() {
    let text =
        format!("{}\nentity Tool; action CallTool appliesTo {{ principal: [User], resource: [Route], context: {{}} }};", SCHEMA.text);
    assert!(PolicySet::load(SourceFile { text: &text, ..SCHEMA }, &[CAPABILITIES, ROUTES]).is_ok());
}

#[test]
fn the_hash_depends_on_every_byte_and_not_on_the_order_of_files() {
    let hash = |schema, files: &[SourceFile<'_>]| PolicySet::load(schema, files).unwrap().hash().clone();
    let base = hash(SCHEMA, &[CAPABILITIES, ROUTES]);
    assert_eq!(base, hash(SCHEMA, &[ROUTES, CAPABILITIES]));
    assert!(base.len() == 64 && base.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
    let commented = format!("{}\n// note", ROUTES.text);
    let schema = format!("{}\n// note", SCHEMA.text);
    let others = [
        hash(SCHEMA, &[CAPABILITIES]),
        hash(SCHEMA, &[CAPABILITIES, SourceFile { text: &commented, ..ROUTES }]),
        hash(SCHEMA, &[CAPABILITIES, SourceFile { name: "r.cedar", ..ROUTES }]),
        hash(SourceFile { text: &schema, ..SCHEMA }, &[CAPABILITIES, ROUTES]),
    ];
    let distinct: BTreeSet<_> = others.iter().chain([&base]).collect();
    assert_eq!(distinct.len(), 5);
}

/// Text cannot move from one file to the next without a trace.
#[test]
fn the_hash_is_frozen() {
    let files = [SourceFile { name: "a.cedar", text: PERMIT_ALL }];
    let set = PolicySet::load(SourceFile { name: "s", text: SCHEMA.text }, &files).unwrap();
    assert_eq!(set.hash().len(), 64);
    let recomputed = {
        use sha2::{Digest, Sha256};
        let mut bytes = Vec::new();
        for (name, text) in [("<built in>", include_str!("../builtin.cedar")), ("s", SCHEMA.text), ("a.cedar", PERMIT_ALL)] {
            for part in [name, text] {
                bytes.extend((part.len() as u64).to_be_bytes());
                bytes.extend(part.as_bytes());
            }
        }
        Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(**set.hash(), *recomputed);
}

#[test]
fn built_in_rules_are_part_of_every_set() {
    let set = PolicySet::load(SCHEMA, &[]).unwrap();
    let ids: Vec<String> = set.policy_ids().iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["custody.data_class_ceiling", "custody.tenant_isolation"]);
}
