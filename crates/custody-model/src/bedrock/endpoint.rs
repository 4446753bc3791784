//! Where Bedrock is called: the Region's own endpoint, or one that the operator names (a VPC endpoint, a stub on this machine).
//!
//! The address is settled once, checked against the egress allow-list and then pinned, so that nothing in the environment
//! (`AWS_ENDPOINT_URL`, a profile's `endpoint_url`) can lead a conversation elsewhere.

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

use crate::egress::Egress;

const EXAMPLE: &str = "https://vpce-0abc.bedrock-runtime.eu-central-1.vpce.amazonaws.com";

/// The endpoint's address; what is wrong with it is added to `mistakes`.
pub(super) async fn settle(
    region: &str,
    named: Option<&str>,
    shared: &SdkConfig,
    egress: Egress<'_>,
    mistakes: &mut Vec<String>,
) -> Option<String> {
    let url = match named {
        Some(url) => url.to_owned(),
        None => of_region(region, shared).await.or_else(|| {
            mistakes.push(format!("region: `{region}` has no endpoint: use one such as `eu-central-1`"));
            None
        })?,
    };
    let key = if named.is_some() { "endpoint_url" } else { "region" };
    egress.read(key, &url, EXAMPLE, mistakes).map(|url| url.as_str().trim_end_matches('/').to_owned())
}

/// The Region's endpoint by the SDK's own rules, which know partitions, FIPS and dual stack.
async fn of_region(region: &str, shared: &SdkConfig) -> Option<String> {
    let params = Params::builder().region(region).set_use_fips(shared.use_fips()).set_use_dual_stack(shared.use_dual_stack());
    let endpoint = DefaultResolver::new().resolve_endpoint(&params.build().ok()?).await.ok()?;
    Some(endpoint.url().to_owned())
}
