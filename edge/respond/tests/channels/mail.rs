//! Mail, against a server that wants encryption and a password.

use base64::Engine;

use super::sink::{Mood, Sink};
use super::*;

const MAIL: [ChannelKind; 1] = [ChannelKind::Mail];

pub fn start(sink: &Sink, url: &str, trusted: bool) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let password = secret(folder.path(), "password", "p-secret");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &sink.ca).unwrap();
    let ca = if trusted { format!("ca = \"{}\"\n", ca.display()) } else { String::new() };
    let home = home(&format!(
        "[channels.mail]\nurl = \"{url}\"\nfrom = \"box@example.com\"\nusername = \"box\"\n\
         password_file = \"{password}\"\n{ca}"
    ));
    Bench::new(folder, &home)
}

pub fn starttls(sink: &Sink) -> String {
    format!("smtp://localhost:{}", sink.starttls.port())
}

fn body(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("base64"), "{head}");
    let packed: String = body.chars().filter(|c| !c.is_whitespace() && *c != '.').collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_call_goes_encrypted_by_either_way_and_without_names() {
    let mut sink = Sink::start(Mood::Fine).await;
    let mut ids = std::collections::BTreeSet::new();
    for url in [starttls(&sink), format!("smtps://localhost:{}", sink.tls.port())] {
        let mut bench = start(&sink, &url, true);
        bench.ways.notify(&notice(1, "daughter", Class::Alarm, &MAIL));
        let (to, mail) = sink.next().await;
        assert!(to.contains("daughter@example.com"), "{to}");
        assert!(mail.contains("From: box@example.com"), "{mail}");
        assert!(mail.contains("Date: "), "{mail}");
        let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
        assert!(id.ends_with("@example.com>") && ids.insert(id.to_owned()), "{id}");
        assert_eq!(body(&mail), "安居告警\r\n有一条告警，请尽快回应。");
        bench.sent("mail").await;
        bench.ways.stop().await;
    }
}

#[tokio::test]
async fn no_password_leaves_for_a_server_that_is_not_trusted_or_not_encrypted() {
    let sink = Sink::start(Mood::Fine).await;
    let mut bench = start(&sink, &starttls(&sink), false);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    let why = bench.failed("mail").await;
    assert!(why.to_lowercase().contains("certificate"), "{why}");
    bench.ways.stop().await;

    let sink = Sink::start(Mood::Plain).await;
    let mut bench = start(&sink, &starttls(&sink), true);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    let why = bench.failed("mail").await;
    assert!(why.contains("STARTTLS"), "{why}");
    bench.ways.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_a_fault_and_a_wrong_address_is_not() {
    let sink = Sink::start(Mood::Fine).await;
    let mut bench = start(&sink, &starttls(&sink), true);
    secret(bench.folder.path(), "password", "wrong");
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    assert!(bench.failed("mail").await.contains("535"));
    assert!(bench.health("mail").await.is_some());
    bench.ways.stop().await;

    let sink = Sink::start(Mood::RefusesRecipients).await;
    let mut bench = start(&sink, &starttls(&sink), true);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    assert!(bench.failed("mail").await.contains("550"));
    bench.ways.notify(&notice(2, "son", Class::Alarm, &MAIL));
    let next = bench.report().await;
    assert!(matches!(next, Report::Delivery(_)), "no fault of the channel: {next:?}");
    bench.ways.stop().await;
}

#[tokio::test]
async fn what_is_busy_or_hangs_is_tried_again() {
    let sink = Sink::start(Mood::Busy).await;
    let mut bench = start(&sink, &starttls(&sink), true);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    assert!(bench.failed("mail").await.contains("451"));
    assert!(bench.failed("mail").await.contains("451"), "it is tried again");
    bench.ways.stop().await;

    let sink = Sink::start(Mood::Hangs).await;
    let mut bench = start(&sink, &starttls(&sink), true);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &MAIL));
    let began = std::time::Instant::now();
    bench.failed("mail").await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let mut good = Sink::start(Mood::Fine).await;
    let (ca, url) = (bench.folder.path().join("ca.pem"), starttls(&good));
    std::fs::write(&ca, &good.ca).unwrap();
    let password = bench.folder.path().join("password");
    let home = home(&format!(
        "[channels.mail]\nurl = \"{url}\"\nfrom = \"box@example.com\"\nusername = \"box\"\n\
         password_file = \"{}\"\nca = \"{}\"\n",
        password.display(),
        ca.display()
    ));
    bench.ways.configure(&home, &bench.texts);
    assert!(good.next().await.0.contains("son@example.com"), "the letter goes by the new server");
    bench.ways.stop().await;
}
