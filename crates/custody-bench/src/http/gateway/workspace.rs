//! The example workspace, changed so that two capabilities lead to the upstream: alike in everything but the route.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, bail, ensure};
use custody_gateway::{Workspace, workspace::write_example};

/// What to ask for to be answered by a route.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub capability: &'static str,
    pub route: &'static str,
}

/// By the OpenAI-compatible route.
pub const OVER_OPENAI: Way = Way { capability: "docs.summarise", route: "local.model" };
/// By the Bedrock route.
pub const OVER_BEDROCK: Way = Way { capability: "docs.summarise.bedrock", route: "bedrock.model" };

const MAIN: &str = "custody.toml";
const CAPABILITY: &str = "capabilities/docs-summarise.toml";
const SECOND_CAPABILITY: &str = "capabilities/docs-summarise-bedrock.toml";
const PRICES: &str = "prices/2026-11.toml";

/// What of the example is changed: each capability has the one route, everyone who may ask for summaries may ask for both, and
/// the models have a price.
const CHANGES: [(&str, &str, &str); 6] = [
    (CAPABILITY, r#"["sim.small", "local.model"]"#, r#"["local.model"]"#),
    (SECOND_CAPABILITY, r#"["sim.small", "local.model"]"#, r#"["bedrock.model"]"#),
    (SECOND_CAPABILITY, r#"name = "docs.summarise""#, r#"name = "docs.summarise.bedrock""#),
    (MAIN, r#"model = "local-model""#, r#"model = "openai.gpt-oss-20b""#),
    (
        "policies/capabilities.cedar",
        r#"[Capability::"support.answer", "#,
        r#"[Capability::"docs.summarise.bedrock", Capability::"support.answer", "#,
    ),
    (
        "policies/routes.cedar",
        r#"resource.provider == "openai_compatible" &&"#,
        r#"["openai_compatible", "bedrock"].contains(resource.provider) &&"#,
    ),
];

/// Priced as its sister on the other route.
const BEDROCK_PRICE: &str = r#"
[[entries]]
id = "bench.gpt-oss-20b"
provider = "bedrock"
model = "openai.gpt-oss-20b-1:0"
effective_from = 2023-01-01
[entries.per_million_tokens]
input = "0.07"
output = "0.30"
"#;

/// Question and answer of every request.
const HANDLING: &str = r#"version = 1
[retention.short]
days = 30
[[rule]]
name = "quality"
capture = ["prompt", "response"]
purpose = "quality-review"
retention = "short"
"#;

/// Writes the workspace and reads it; also a key that opens it.
pub fn write(folder: &Path, upstream: SocketAddr, keeps_texts: bool) -> Result<(Workspace, String)> {
    let issued = write_example(folder)?;
    std::fs::copy(folder.join(CAPABILITY), folder.join(SECOND_CAPABILITY))?;
    for (file, before, after) in CHANGES {
        replace(&folder.join(file), before, after)?;
    }
    replace(&folder.join(MAIN), "http://127.0.0.1:8000/v1", &format!("http://{upstream}/v1"))?;
    append(&folder.join(MAIN), &bedrock(upstream))?;
    append(&folder.join(PRICES), BEDROCK_PRICE)?;
    if keeps_texts {
        std::fs::write(folder.join("data-handling.toml"), HANDLING)?;
    }
    let key = issued.first().context("the example issues no key")?.token.expose().to_owned();
    let workspace = Workspace::load(folder);
    if let Err(error) = &workspace {
        bail!("the changed example workspace is invalid: {:?}", error.mistakes());
    }
    Ok((workspace?, key))
}

fn bedrock(upstream: SocketAddr) -> String {
    format!(
        r#"
[providers.bedrock]
kind = "bedrock"
region = "eu-central-1"
endpoint_url = "http://{upstream}"

[routes."bedrock.model"]
provider = "bedrock"
model = "openai.gpt-oss-20b-1:0"
data_class_ceiling = "internal"
"#
    )
}

fn replace(file: &Path, before: &str, after: &str) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    ensure!(text.contains(before), "`{}` of the example no longer has `{before}`", file.display());
    Ok(std::fs::write(file, text.replace(before, after))?)
}

fn append(file: &Path, more: &str) -> Result<()> {
    Ok(std::fs::write(file, std::fs::read_to_string(file)? + more)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_capabilities_lead_to_the_upstream_by_a_route_each() {
        let folder = tempfile::tempdir().unwrap();
        let (workspace, _) = write(folder.path(), SocketAddr::from(([127, 0, 0, 1], 9)), true).unwrap();
        assert!(workspace.handling.captures());
        for (way, provider) in [(OVER_OPENAI, "openai_compatible"), (OVER_BEDROCK, "bedrock")] {
            let capability = &workspace.capabilities[way.capability];
            let routes: Vec<&str> = capability.routes.iter().map(|route| route.as_str()).collect();
            assert_eq!(routes, [way.route]);
            assert_eq!(workspace.routes[way.route].provider.as_str(), provider);
        }
    }
}
