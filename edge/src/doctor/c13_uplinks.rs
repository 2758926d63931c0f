//! The links into the Internet: NetworkManager owns them, each reaches a server of the box, and the
//! mobile connection stands where one is configured.

use std::sync::Arc;

use anju_modem::Bus;
use anju_uplinks::{Kind, LinkView};

use crate::clock::Clocks;

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let Some(home) = case.household.clone() else {
        return vec![not_applicable("no configuration to take servers from")];
    };
    let apn = home.modem.apn.clone();
    let clock = Clocks::new().for_certificates();
    let made = tokio::task::spawn_blocking(move || crate::uplinks::setup(&home, &clock)).await;
    let setup = made.unwrap_or_default();
    let seen = match anju_uplinks::examine(&Bus::System, &setup.targets).await {
        Ok(seen) => seen,
        Err(why) => {
            let what = format!("links are not managed: {why}");
            let mend =
                "apt-get install network-manager, then `systemctl enable --now NetworkManager`";
            return vec![match apn {
                // Only it brings the mobile connection up.
                Some(_) => problem("", what, mend),
                None => not_applicable(what),
            }];
        }
    };
    let mut found: Vec<Finding> = seen.links.iter().map(link).collect();
    if let Some(apn) = apn
        && !seen.links.iter().any(|link| link.kind == Kind::Mobile)
    {
        found.push(if seen.modem {
            let mend = format!("check that apn = {apn:?} is the contract's; `nmcli connection up anju-mobile` says more");
            problem("mobile", "the mobile connection does not stand", mend)
        } else {
            let mend = "see `mmcli --list-modems`, and that ModemManager runs";
            problem("mobile", "NetworkManager knows of no modem", mend)
        });
    }
    if found.is_empty() {
        found.push(problem(
            "",
            "no link is connected",
            "plug a cable in, or set Wi-Fi up: `nmtui`",
        ));
    }
    found
}

fn link(link: &LinkView) -> Finding {
    let kind = link.kind.as_str();
    match (link.reaches, &link.reason) {
        (Some(true), _) => ok(&link.interface, format!("{kind}, a server answers over it")),
        (Some(false), Some(why)) => {
            let mend = match link.kind {
                Kind::Mobile => "check the contract of the SIM card and its data",
                Kind::Ethernet | Kind::Wifi => "check the router, and whether its contract is paid",
            };
            problem(&link.interface, format!("{kind}, no server answers over it: {why}"), mend)
        }
        _ => ok(&link.interface, format!("{kind}; there is no server to try it with")),
    }
}
