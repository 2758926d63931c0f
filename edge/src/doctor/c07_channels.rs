//! The ways to contacts: each channel's server can be reached. Nothing is sent to anybody.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Case, Finding, not_applicable, ok, problem};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let Some(home) = &case.household else {
        return vec![not_applicable("no configuration to take them from")];
    };
    let tasks: Vec<_> = home
        .channels
        .servers()
        .into_iter()
        .map(|(kind, host, port)| {
            tokio::spawn(async move {
                let at = format!("{host}:{port}");
                match timeout(CONNECT_WITHIN, TcpStream::connect((host.as_str(), port))).await {
                    Ok(Ok(_)) => ok(kind.as_str(), format!("{at} can be reached")),
                    Ok(Err(error)) => unreachable(kind.as_str(), &at, &error.to_string()),
                    Err(_) => unreachable(kind.as_str(), &at, "no answer"),
                }
            })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.extend(task.await);
    }
    if found.is_empty() {
        found.push(not_applicable("the configuration has no [channels]"));
    }
    found
}

fn unreachable(channel: &str, at: &str, why: &str) -> Finding {
    let what = format!("{at} can not be reached: {why}");
    problem(channel, what, format!("check the network and the url in [channels.{channel}]"))
}
