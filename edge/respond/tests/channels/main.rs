//! The channels over real sockets on loopback, against servers that check keys, signatures and
//! limits, and that fail in every way servers do.
// Helpers of tests stand outside of test functions here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod centre;
mod mail;
mod proofs;
mod robots;
mod servers;
mod sink;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{ChannelKind, Household, parse};
use anju_model::delivery::DeliveryState;
use anju_model::{AlertId, Class, ContactId, Delivery, Language, Rule};
use anju_respond::life::proof::Proof;
use anju_respond::life::{Notice, NoticeKind, Words};
use anju_respond::out::{Report, Ways};
use anju_respond::texts::Texts;
use rustls::time_provider::DefaultTimeProvider;
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(30);

/// A home with one contact for all channels, and what is set up below it.
fn home(channels: &str) -> Household {
    let names = ["wecom", "dingtalk", "mail"];
    let mut own: Vec<&str> =
        names.into_iter().filter(|name| channels.contains(&format!("[channels.{name}]"))).collect();
    own.extend(channels.contains("[upstream]").then_some("centre"));
    let text = format!(
        "schema = 1\nbox.id = \"b\"\n[[contact]]\nid = \"daughter\"\nname = \"王芳\"\n\
         role = \"family\"\nphone = \"+8613800000000\"\nmail = \"daughter@example.com\"\n\
         channels = {own:?}\n[[contact]]\nid = \"son\"\nrole = \"family\"\n\
         phone = \"+8613900000000\"\nmail = \"son@example.com\"\nchannels = {own:?}\n{channels}"
    );
    let parsed = parse(&text, "test");
    assert_eq!(parsed.faults, [], "{text}");
    parsed.household.unwrap()
}

/// The ways of a home, and what they report.
struct Bench {
    ways: Ways,
    reports: mpsc::UnboundedReceiver<Report>,
    texts: Arc<Texts>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(folder: tempfile::TempDir, home: &Household) -> Self {
        let (tell, reports) = mpsc::unbounded_channel();
        let texts = Arc::new(Texts::new(Language::ZhCn));
        let mut ways = Ways::new(folder.path(), &tell, Arc::new(DefaultTimeProvider));
        ways.configure(home, &texts);
        Self { ways, reports, texts, folder }
    }

    async fn report(&mut self) -> Report {
        let report = tokio::time::timeout(LIMIT, self.reports.recv()).await;
        let report = report.expect("no report came").unwrap();
        let text = format!("{report:?}");
        for secret in ["k-secret", "t-secret", "SECsecret", "p-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
        report
    }

    /// The next report of a delivery over a channel.
    async fn delivery(&mut self, channel: &str) -> Delivery {
        loop {
            if let Report::Delivery(delivery) = self.report().await
                && delivery.message.channel == channel
            {
                return delivery;
            }
        }
    }

    async fn failed(&mut self, channel: &str) -> String {
        let failed = self.delivery(channel).await;
        assert_eq!(failed.state, DeliveryState::Failed, "{failed:?}");
        failed.message.detail.unwrap()
    }

    async fn sent(&mut self, channel: &str) {
        while self.delivery(channel).await.state != DeliveryState::Sent {}
    }

    /// What comes of proving a way.
    async fn proof(&mut self, way: ChannelKind) -> Proof {
        self.ways.prove(way);
        loop {
            match self.report().await {
                Report::Proof { kind, proof } if kind == way => return proof,
                _ => {}
            }
        }
    }

    /// Why a way can not be proved.
    async fn unproved(&mut self, way: ChannelKind) -> String {
        match self.proof(way).await {
            Proof::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }

    async fn health(&mut self, part: &str) -> Option<String> {
        loop {
            match self.report().await {
                Report::Health(health) if health.part == part => return health.broken,
                _ => {}
            }
        }
    }
}

fn secret(folder: &Path, name: &str, secret: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("{secret}\n")).unwrap();
    path.display().to_string()
}

fn notice(alert: u32, to: &str, class: Class, over: &[ChannelKind]) -> Notice {
    let words = |title: &str, body: &str| Words { title: title.into(), body: body.into() };
    Notice {
        alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
        contact: ContactId::new(to).unwrap(),
        channels: over.to_vec(),
        kind: NoticeKind::Call,
        class,
        rule: Rule::Help,
        test: false,
        full: words("告警：王奶奶家", "王奶奶家：卧室的报警按钮被按下"),
        discreet: words("安居告警", "有一条告警，请尽快回应。"),
    }
}
