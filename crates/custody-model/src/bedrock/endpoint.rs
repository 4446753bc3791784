//! Where Bedrock is called: the Region's own endpoint, or one that the operator names (a VPC endpoint, a stub on this machine). Two
//! services have one each: the runtime that converses, and the control plane that tells about profiles.
//!
//! The address is settled once, checked against the egress allow-list and then pinned, so that nothing in the environment
//! (`AWS_ENDPOINT_URL`, a profile's `endpoint_url`) can lead a conversation elsewhere.

use aws_config::SdkConfig;
use aws_sdk_bedrock::config::endpoint as control;
use aws_sdk_bedrockruntime::config::endpoint as runtime;

use crate::egress::Egress;

const EXAMPLE: &str = "https://vpce-0abc.bedrock-runtime.eu-central-1.vpce.amazonaws.com";
const CONTROL_EXAMPLE: &str = "https://vpce-0abc.bedrock.eu-central-1.vpce.amazonaws.com";

/// The runtime's address; what is wrong with it is added to `mistakes`.
pub(super) async fn settle(
    region: &str,
    named: Option<&str>,
    shared: &SdkConfig,
    egress: Egress<'_>,
    mistakes: &mut Vec<String>,
) -> Option<String> {
    let found = if let Some(url) = named { Some(url.to_owned()) } else { of_region(region, shared).await };
    let key = if named.is_some() { "endpoint_url" } else { "region" };
    check(key, region, found, EXAMPLE, egress, mistakes)
}

/// The control plane's address; what is wrong with it is added to `mistakes`.
pub(super) async fn settle_control(
    region: &str,
    named: Option<&str>,
    shared: &SdkConfig,
    egress: Egress<'_>,
    mistakes: &mut Vec<String>,
) -> Option<String> {
    let found = if let Some(url) = named { Some(url.to_owned()) } else { control_of_region(region, shared).await };
    let key = if named.is_some() { "control_endpoint_url" } else { "lookup_profiles" };
    check(key, region, found, CONTROL_EXAMPLE, egress, mistakes)
}

fn check(key: &str, region: &str, found: Option<String>, example: &str, egress: Egress<'_>, mistakes: &mut Vec<String>) -> Option<String> {
    let Some(url) = found else {
        mistakes.push(format!("region: `{region}` has no endpoint: use one such as `eu-central-1`"));
        return None;
    };
    egress.read(key, &url, example, mistakes).map(|url| url.as_str().trim_end_matches('/').to_owned())
}

/// The Region's endpoint by the SDK's own rules, which know partitions, FIPS and dual stack.
async fn of_region(region: &str, shared: &SdkConfig) -> Option<String> {
    use runtime::ResolveEndpoint;
    let params = runtime::Params::builder().region(region).set_use_fips(shared.use_fips()).set_use_dual_stack(shared.use_dual_stack());
    let endpoint = runtime::DefaultResolver::new().resolve_endpoint(&params.build().ok()?).await.ok()?;
    Some(endpoint.url().to_owned())
}

async fn control_of_region(region: &str, shared: &SdkConfig) -> Option<String> {
    use control::ResolveEndpoint;
    let params = control::Params::builder().region(region).set_use_fips(shared.use_fips()).set_use_dual_stack(shared.use_dual_stack());
    let endpoint = control::DefaultResolver::new().resolve_endpoint(&params.build().ok()?).await.ok()?;
    Some(endpoint.url().to_owned())
}
