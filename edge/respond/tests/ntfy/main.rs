//! The push channel over real HTTP on loopback, against a server that speaks ntfy.
// Helpers of tests stand outside of test functions here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod phone;
mod server;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anju_model::command::{Command, Request};
use anju_model::config::ChannelKind;
use anju_model::delivery::DeliveryState;
use anju_model::{AlertId, Class, ContactId, Delivery, Language, Rule};
use anju_respond::life::{Notice, NoticeKind, Words};
use anju_respond::out::ntfy::{Ntfy, NtfySettings};
use anju_respond::out::post::Post;
use anju_respond::out::{Channel, Report};
use anju_respond::texts::Texts;
use phone::press;
use rustls::time_provider::DefaultTimeProvider;
use server::{Mood, Server};
use tokio::sync::mpsc;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);

struct Bench {
    ntfy: Ntfy,
    channel: Post,
    reports: mpsc::UnboundedReceiver<Report>,
}

fn settings(url: String) -> NtfySettings {
    let contact = |id: &str| ContactId::new(id).unwrap();
    let topics = HashMap::from([
        (contact("daughter"), "secret-topic-daughter".to_owned()),
        (contact("son"), "secret-topic-son".to_owned()),
    ]);
    NtfySettings { url, token_file: None, details: false, topics }
}

fn start(settings: NtfySettings, folder: &Path) -> Bench {
    let (tell, reports) = mpsc::unbounded_channel();
    let ntfy = Ntfy::open(folder.join("ntfy.json"), &tell, Arc::new(DefaultTimeProvider));
    let mut this = Bench { ntfy, channel: Post::start(ChannelKind::Ntfy, &tell), reports };
    this.configure(settings);
    this
}

fn notice(alert: u32, to: &str, class: Class, kind: NoticeKind) -> Notice {
    let words = |title: &str, body: &str| Words { title: title.into(), body: body.into() };
    Notice {
        alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
        contact: ContactId::new(to).unwrap(),
        channels: vec![ChannelKind::Ntfy],
        kind,
        class,
        rule: Rule::Help,
        test: false,
        full: words("告警：王奶奶家", "王奶奶家：卧室的报警按钮被按下"),
        discreet: words("安居告警", "有一条告警"),
    }
}

fn call(alert: u32, to: &str) -> Notice {
    notice(alert, to, Class::Alarm, NoticeKind::Call)
}

impl Bench {
    fn configure(&mut self, settings: NtfySettings) {
        let texts = Arc::new(Texts::new(Language::ZhCn));
        self.channel.set_carrier(Some(self.ntfy.configure(settings, texts).unwrap()));
    }

    async fn stop(self) {
        self.channel.stop().await;
        self.ntfy.stop().await;
    }

    async fn report(&mut self) -> Report {
        let report = tokio::time::timeout(LIMIT, self.reports.recv()).await;
        let report = report.expect("no report came").unwrap();
        let text = format!("{report:?}");
        assert!(!text.contains("secret-topic") && !text.contains("anju-"), "{text}");
        report
    }

    async fn delivery(&mut self) -> Delivery {
        loop {
            if let Report::Delivery(delivery) = self.report().await {
                return delivery;
            }
        }
    }

    async fn request(&mut self) -> Request {
        loop {
            if let Report::Request { request, answer } = self.report().await {
                answer.send(Ok(())).unwrap();
                return request;
            }
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

#[tokio::test]
async fn a_call_reaches_the_phone_and_its_button_reaches_the_box() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut this = start(settings(server.url()), folder.path());
    let begin = Instant::now();
    this.channel.send(&call(1, "daughter"));
    let message = server.next().await;
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    assert_eq!(message["topic"], "secret-topic-daughter");
    assert_eq!(message["title"], "安居告警");
    assert_eq!(message["priority"], 5);
    assert!(!message.to_string().contains("王奶奶"), "names stay at home");
    let sent = this.delivery().await;
    assert_eq!((sent.state, sent.message.attempt), (DeliveryState::Sent, 1));

    press(&message, "我来了").await;
    let request = this.request().await;
    let answered = this.delivery().await;
    assert_eq!(answered.state, DeliveryState::Answered);
    let alert = AlertId::from_wire("box/1/1").unwrap();
    assert_eq!((request.by.as_str(), request.via.as_str()), ("daughter", "ntfy"));
    assert_eq!(request.command, Command::Accept { alert: alert.clone(), minutes: None });
    // The same button again does nothing; the other one works.
    press(&message, "我来了").await;
    press(&message, "已到").await;
    assert_eq!(this.request().await.command, Command::Arrived { alert });
    let counts = this.ntfy.replies();
    assert_eq!((counts.accepted, counts.ignored), (2, 1));
    this.stop().await;
}

#[tokio::test]
async fn names_go_out_only_where_they_are_allowed_to() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut settings = settings(server.url());
    settings.details = true;
    let this = start(settings, folder.path());
    this.channel.send(&notice(1, "son", Class::Fault, NoticeKind::Closed));
    let message = server.next().await;
    assert_eq!(message["title"], "告警：王奶奶家");
    assert_eq!(message["priority"], 2);
    assert_eq!(message.get("actions"), None, "nothing to answer");
    this.stop().await;
}

#[tokio::test]
async fn a_button_pressed_while_the_box_is_away_counts_when_it_is_back() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    let first = server.next().await;
    this.stop().await;
    let file = folder.path().join("ntfy.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "only the box may read the tokens");
    press(&first, "我来了").await;

    let mut this = start(settings(server.url()), folder.path());
    let request = this.request().await;
    assert_eq!(request.command.name(), "accept");
    this.channel.send(&call(1, "daughter"));
    let second = server.next().await;
    assert_eq!(first["actions"][0]["url"], second["actions"][0]["url"], "the same reply topic");
    this.stop().await;

    // What was read is not read again after another start.
    let mut this = start(settings(server.url()), folder.path());
    press(&second, "已到").await;
    assert_eq!(this.request().await.command.name(), "arrived");
    assert_eq!(this.ntfy.replies().accepted, 1);
    assert_eq!(server.subscriptions()[0], "all");
    assert_eq!(server.subscriptions().last().unwrap(), request.id.strip_prefix("ntfy/").unwrap());
    this.stop().await;
}

#[tokio::test]
async fn a_button_counts_only_when_the_box_has_answered() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    press(&server.next().await, "我来了").await;
    // The box dies before it carries out what was asked.
    let asked = loop {
        if let Report::Request { request, .. } = this.report().await {
            break request;
        }
    };
    this.stop().await;
    let mut this = start(settings(server.url()), folder.path());
    assert_eq!(this.request().await, asked, "the very same request, so that it counts once");
    assert_eq!(this.delivery().await.state, DeliveryState::Answered);
    this.stop().await;
}

#[tokio::test]
async fn a_change_of_the_server_loses_no_letter() {
    let (old, new) = (Server::start().await, Server::start().await);
    old.mood(Mood::Answers(500));
    let folder = tempfile::tempdir().unwrap();
    let mut this = start(settings(old.url()), folder.path());
    for alert in 1..=3 {
        this.channel.send(&call(alert, "daughter"));
        assert_eq!(this.delivery().await.state, DeliveryState::Failed);
    }
    this.configure(settings(new.url()));
    let mut alerts = Vec::new();
    for _ in 1..=3 {
        press(&new.next().await, "我来了").await;
        alerts.push(this.request().await.command);
    }
    for alert in 1..=3 {
        let alert = AlertId::from_wire(&format!("box/1/{alert}")).unwrap();
        assert!(alerts.contains(&Command::Accept { alert, minutes: None }));
    }
    this.stop().await;
}

#[tokio::test]
async fn a_closed_stream_is_opened_again_and_no_reply_is_missed_or_taken_twice() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut this = start(settings(server.url()), folder.path());
    for alert in 1..=3 {
        this.channel.send(&call(alert, "daughter"));
        let message = server.next().await;
        server.hang_up();
        press(&message, "我来了").await;
        let request = this.request().await;
        let alert = AlertId::from_wire(&format!("box/1/{alert}")).unwrap();
        assert_eq!(request.command, Command::Accept { alert, minutes: None });
    }
    assert_eq!(this.ntfy.replies().accepted, 3);
    this.stop().await;
}

#[tokio::test]
async fn junk_on_the_reply_topic_is_counted_and_a_real_reply_in_it_is_found() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    let message = server.next().await;
    let url = message["actions"][0]["url"].as_str().unwrap().to_owned();
    let topic = url.rsplit('/').next().unwrap();
    assert!(topic.len() > 30);
    this.delivery().await;
    // A reply that was taken shows that the stream is open.
    press(&message, "已到").await;
    this.request().await;
    for n in 0..150 {
        server.keep(topic, &format!("{:032x}", n));
    }
    server.keep(topic, &"x".repeat(100_000));
    server.raw(b"\xff\xfe{]\n{\"event\":\"message\"}\n");
    press(&message, "我来了").await;
    assert_eq!(this.request().await.command.name(), "accept");
    assert_eq!(this.ntfy.replies().ignored, 153);
    this.stop().await;
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_until_it_takes_the_message() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    server.mood(Mood::Answers(500));
    let mut this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    let failed = this.delivery().await;
    assert_eq!((failed.state, failed.message.attempt), (DeliveryState::Failed, 1));
    assert!(failed.message.detail.unwrap().contains("500"));
    assert!(this.health("ntfy").await.unwrap().contains("500"));
    server.mood(Mood::Fine);
    let message = server.next().await;
    assert_eq!(message["topic"], "secret-topic-daughter");
    let sent = this.delivery().await;
    assert_eq!((sent.state, sent.message.attempt), (DeliveryState::Sent, 2));
    assert_eq!(this.health("ntfy").await, None);
    this.stop().await;
}

#[tokio::test]
async fn a_page_in_place_of_the_server_has_delivered_nothing() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    server.mood(Mood::ShowsAPage);
    let mut this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    let failed = this.delivery().await;
    assert_eq!(failed.state, DeliveryState::Failed);
    assert!(failed.message.detail.unwrap().contains("web page"));
    server.mood(Mood::Fine);
    server.next().await;
    assert_eq!(this.delivery().await.state, DeliveryState::Sent);
    this.stop().await;
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_given_its_time() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    server.mood(Mood::AsksToWait(3));
    let mut this = start(settings(server.url()), folder.path());
    let begin = Instant::now();
    this.channel.send(&call(1, "daughter"));
    server.next().await;
    assert!(begin.elapsed() >= Duration::from_secs(3), "{:?}", begin.elapsed());
    assert_eq!(this.delivery().await.state, DeliveryState::Failed);
    assert_eq!(this.delivery().await.state, DeliveryState::Sent);
    this.stop().await;
}

#[tokio::test]
async fn what_the_server_refuses_is_reported_and_not_repeated() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "tk_wrong\n").unwrap();
    server.wants_token("tk_right");
    let mut settings = settings(server.url());
    settings.token_file = Some(token_file.clone());
    let mut this = start(settings, folder.path());
    this.channel.send(&call(1, "daughter"));
    let failed = this.delivery().await;
    assert!(failed.message.detail.unwrap().contains("403"));
    this.channel.send(&call(2, "nobody"));
    let failed = this.delivery().await;
    assert!(failed.message.detail.unwrap().contains("ntfy_topic"));
    assert_eq!(server.attempts(), 1);
    // The token is read anew: once it is right, the next message goes.
    std::fs::write(&token_file, "tk_right\n").unwrap();
    this.channel.send(&call(3, "daughter"));
    server.next().await;
    assert_eq!(this.delivery().await.message.alert.as_str(), "box/1/3");
    assert_eq!(server.attempts(), 2);
    this.stop().await;
}

#[tokio::test]
async fn a_message_that_hangs_holds_up_no_other() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    server.mood(Mood::HangsFor("secret-topic-son".to_owned()));
    let mut this = start(settings(server.url()), folder.path());
    for alert in 1..=20 {
        this.channel.send(&notice(alert, "son", Class::Fault, NoticeKind::Call));
    }
    let begin = Instant::now();
    this.channel.send(&call(50, "daughter"));
    assert_eq!(server.next().await["topic"], "secret-topic-daughter");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    let sent = this.delivery().await;
    assert_eq!((sent.state, sent.message.alert.as_str()), (DeliveryState::Sent, "box/1/50"));
    let begin = Instant::now();
    this.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(2), "a stop waits for no server");
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_gets_the_message_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut this = start(settings(format!("http://{address}")), folder.path());
    this.channel.send(&call(1, "daughter"));
    let failed = this.delivery().await;
    assert!(failed.message.detail.unwrap().contains("can not be reached"));
    let server = Server::start_on(address).await;
    let message = server.next().await;
    press(&message, "我来了").await;
    assert_eq!(this.request().await.command.name(), "accept");
    this.stop().await;
}

#[tokio::test]
async fn what_is_over_has_no_buttons_and_those_sent_before_still_reach_the_box() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let mut this = start(settings(server.url()), folder.path());
    this.channel.send(&call(1, "daughter"));
    let message = server.next().await;
    let alert = AlertId::from_wire("box/1/1").unwrap();
    this.channel.withdraw(&alert);
    this.channel.send(&notice(1, "daughter", Class::Alarm, NoticeKind::Closed));
    let closed = server.next().await;
    assert_eq!(closed.get("actions"), None);
    press(&message, "我来了").await;
    assert_eq!(this.request().await.command, Command::Accept { alert, minutes: None });
    this.stop().await;
}

#[tokio::test]
async fn tls_is_spoken_without_any_setting_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut this = start(settings(url), folder.path());
    this.channel.send(&call(1, "daughter"));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut hello = [0; 3];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut hello).await.unwrap();
    assert_eq!(hello[..2], [22, 3], "a TLS handshake record (RFC 8446, 5.1)");
    drop((stream, listener));
    assert_eq!(this.delivery().await.state, DeliveryState::Failed);
    this.stop().await;
}
