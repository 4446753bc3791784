//! Any bytes as the body of a Converse request: an error with a code, or a request that both kinds of provider can be asked; never
//! a panic.
#![no_main]

use std::collections::BTreeMap;

use custody_dialect::converse::{Limits, parse_request, render_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(request) = parse_request("m", body, false, &Limits::default()) {
        let _ = render_request(&request, &BTreeMap::new());
    }
});
