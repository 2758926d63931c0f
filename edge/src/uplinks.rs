//! Wires the links: which servers say whether one reaches anything, and what becomes of it: news for
//! the journal, a new connection upstream when what leaves goes another way. It must never hold
//! anything back.

use std::sync::Arc;

use anju_model::BoxEvent;
use anju_model::config::{ChannelKind, Household};
use anju_modem::Bus;
use anju_uplinks::{News, Pace, Said, Setup, Target, View};
use anju_upstream::CertificateClock;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::core::{self, Message};

/// All links together, in entries.
const ALL: &str = "uplinks";

/// News that may wait for the core.
const QUEUE: usize = 64;

/// What the household wants of its links. Reads files: not for a task of the runtime.
pub fn setup(household: &Household, clock: &CertificateClock) -> Setup {
    let mut secure = Vec::new();
    let mut plain = Vec::new();
    let mut add = |host: &str, port, tls: Option<Result<_, String>>| {
        let tls = match tls {
            None => None,
            Some(Ok(tls)) => Some(Arc::new(tls)),
            // Whoever uses the file says what is wrong with it.
            Some(Err(_)) => return,
        };
        let whom = if tls.is_some() { &mut secure } else { &mut plain };
        let target = Target { host: host.to_owned(), port, tls };
        if target.is_outside() {
            whom.push(target);
        }
    };
    if let Some(upstream) = &household.upstream {
        let settings = anju_upstream::Settings {
            box_id: household.box_id.clone(),
            upstream: upstream.clone(),
            clock: clock.clone(),
        };
        let tls = upstream.tls.then(|| settings.tls().map_err(|error| error.to_string()));
        add(&upstream.host, upstream.port, tls);
    }
    for (kind, host, port) in household.channels.servers() {
        // Mail begins without TLS, mostly.
        let channels = &household.channels;
        let url = match kind {
            ChannelKind::Ntfy => channels.ntfy.as_ref().map(|ntfy| &ntfy.url),
            ChannelKind::Wecom => channels.wecom.as_ref().map(|wecom| &wecom.url),
            ChannelKind::Dingtalk => channels.dingtalk.as_ref().map(|dingtalk| &dingtalk.url),
            _ => None,
        };
        let https = url.is_some_and(|url| url.starts_with("https://"));
        let tls = https.then(|| {
            anju_respond::out::tls(Arc::new(clock.clone())).map_err(|error| error.to_string())
        });
        add(&host, port, tls);
    }
    // Whoever shows no certificate may be anybody: asked only where nobody else can be.
    let targets = if secure.is_empty() { plain } else { secure };
    Setup { targets, apn: household.modem.apn.clone(), pace: Pace::default() }
}

/// Starts to keep to the links; `moved` is told when what leaves goes by another.
pub fn start(
    household: &Arc<Household>,
    clock: CertificateClock,
    core: watch::Receiver<core::View>,
    messages: mpsc::Sender<Message>,
    moved: Arc<Notify>,
    stop: CancellationToken,
) -> watch::Receiver<View> {
    let (setup_tx, setup_rx) = watch::channel(Arc::new(Setup::default()));
    let (said_tx, said) = mpsc::channel(QUEUE);
    let following = follow(household.clone(), clock, core, setup_tx);
    tokio::spawn(stop.clone().run_until_cancelled_owned(following));
    tokio::spawn(pass(said, messages, moved));
    anju_uplinks::start(Bus::System, setup_rx, said_tx, stop)
}

/// Follows the configuration.
async fn follow(
    mut household: Arc<Household>,
    clock: CertificateClock,
    mut core: watch::Receiver<core::View>,
    setup_tx: watch::Sender<Arc<Setup>>,
) {
    loop {
        let (wanted, clock) = (household.clone(), clock.clone());
        if let Ok(wanted) = tokio::task::spawn_blocking(move || setup(&wanted, &clock)).await {
            setup_tx.send_replace(Arc::new(wanted));
        }
        let other = |view: &core::View| {
            view.picture.as_ref().is_some_and(|now| !Arc::ptr_eq(&now.household, &household))
        };
        let now = match core.wait_for(other).await {
            Ok(view) => view.picture.as_ref().map(|picture| picture.household.clone()),
            Err(_) => return,
        };
        household = now.unwrap_or(household);
    }
}

async fn pass(mut said: mpsc::Receiver<Said>, messages: mpsc::Sender<Message>, moved: Arc<Notify>) {
    let mut used = None;
    while let Some(said) = said.recv().await {
        if let Said::News(News::Preferred { name, .. }) = &said {
            let before = used.replace(name.clone());
            // A connection over the link before may hang for long.
            if before.is_some_and(|before| before != *name) {
                // One session listens, and it must not miss it.
                moved.notify_one();
            }
        }
        if messages.send(Message::Box(event(said))).await.is_err() {
            return;
        }
    }
}

fn event(said: Said) -> BoxEvent {
    match said {
        Said::News(News::Link { name, kind, up, reason }) => BoxEvent::Network {
            link: name,
            up,
            reason,
            kind: Some(kind.as_str().to_owned()),
            preferred: None,
        },
        Said::News(News::Preferred { name, kind, reason }) => BoxEvent::Network {
            link: name,
            up: true,
            reason,
            kind: Some(kind.as_str().to_owned()),
            preferred: Some(true),
        },
        Said::News(News::Uplinks { up, reason }) => {
            BoxEvent::Network { link: ALL.to_owned(), up, reason, kind: None, preferred: None }
        }
        Said::Trouble(why) => BoxEvent::Fault {
            part: ALL.to_owned(),
            active: why.is_some(),
            reason: why.unwrap_or_else(|| "NetworkManager does what it is asked again".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<(String, u16, bool)> {
        let text = format!("schema = 1\nbox.id = \"b\"\n{text}");
        let household = anju_model::config::parse(&text, "anju.toml").household.unwrap();
        let clock = CertificateClock::new(jiff::Timestamp::now);
        let targets = setup(&household, &clock).targets.into_iter();
        targets.map(|target| (target.host, target.port, target.tls.is_some())).collect()
    }

    #[test]
    fn who_shows_a_certificate_is_asked_before_who_does_not() {
        let ntfy = "[channels.ntfy]\nurl = \"https://ntfy.example\"\n";
        let plain = "[upstream]\nurl = \"mqtt://broker.example\"\n";
        let broker = ("broker.example".to_owned(), 1883, false);
        assert_eq!(asked(plain), [broker]);
        assert_eq!(asked(&format!("{ntfy}{plain}")), [("ntfy.example".to_owned(), 443, true)]);
        assert_eq!(asked("[upstream]\nurl = \"mqtt://127.0.0.1\"\n"), [], "no link leads there");
        assert_eq!(asked(""), []);
    }
}
