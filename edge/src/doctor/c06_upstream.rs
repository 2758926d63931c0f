//! The way to the centre: its broker takes us, with our certificate.

use std::sync::Arc;

use anju_upstream::{Settings, probe};

use crate::clock::Clocks;

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let Some((home, upstream)) =
        case.household.as_ref().and_then(|home| Some((home, home.upstream.clone()?)))
    else {
        return vec![not_applicable("the configuration has no [upstream]")];
    };
    let at = format!("{}:{}", upstream.host, upstream.port);
    let plain = !upstream.tls;
    let clock = Clocks::new().for_certificates();
    let settings = Settings { box_id: home.box_id.clone(), upstream, clock };
    let mut found = vec![match probe(&settings).await {
        Ok(()) => ok("", format!("the broker at {at} takes us")),
        Err(error) => problem(
            "",
            format!("the broker at {at} does not take us: {error}"),
            "check the network, then url, ca, client_cert and client_key in [upstream]",
        ),
    }];
    let here = ["localhost", "127.0.0.1", "::1"].contains(&settings.upstream.host.as_str());
    if plain && !here {
        let what = "what is sent upstream is not encrypted";
        found.push(problem("", what, "use url = \"mqtts://…\" with ca, client_cert, client_key"));
    }
    found
}
