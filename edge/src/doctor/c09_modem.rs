//! The modem, where a contact is called or texted: ModemManager knows it, it is registered, and its
//! SIM is open.

use std::sync::Arc;

use anju_model::config::ChannelKind;
use serde_json::Value;

use super::program::{Failed, output};
use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let wanted = case.household.as_ref().is_some_and(|home| {
        let needs = |channel: &ChannelKind| matches!(channel, ChannelKind::Call | ChannelKind::Sms);
        home.contacts.iter().any(|contact| contact.channels.iter().any(needs))
    });
    if !wanted {
        return vec![not_applicable("no contact is called or texted")];
    }
    vec![look().await]
}

async fn look() -> Finding {
    let listed = match output("mmcli", &["--list-modems", "--output-json"]).await {
        Ok(listed) => listed,
        Err(Failed::Missing) => {
            return problem("", "`mmcli` is not installed", "apt-get install modemmanager");
        }
        Err(failed) => {
            let mend = "systemctl enable --now ModemManager";
            return problem("", format!("ModemManager does not answer: {failed}"), mend);
        }
    };
    let list: Value = serde_json::from_str(&listed).unwrap_or_default();
    let Some(modem) = list["modem-list"].get(0).and_then(Value::as_str) else {
        let mend = "plug it in, look for it with `lsusb`, then restart ModemManager";
        return problem("", "there is no modem", mend);
    };
    let told = output("mmcli", &["--modem", modem, "--output-json"]).await.unwrap_or_default();
    let told: Value = serde_json::from_str(&told).unwrap_or_default();
    let generic = &told["modem"]["generic"];
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let state = text(&generic["state"]);
    let signal = text(&generic["signal-quality"]["value"]);
    match state.as_str() {
        "registered" | "connecting" | "connected" => ok("", format!("{state}, signal {signal} %")),
        "locked" => problem("", "the SIM wants a PIN", "remove the PIN of the SIM in a telephone"),
        "failed" => {
            let why = text(&generic["state-failed-reason"]);
            problem("", format!("it failed: {why}"), "check that the SIM sits well and is active")
        }
        state => {
            let what = format!("it is {state}, signal {signal} %");
            problem("", what, "check the antenna and that the SIM's contract is active")
        }
    }
}
