//! Making sure of a way without anybody noticing: credentials and servers are tried, and no message
//! arrives.

use super::servers::Mood;
use super::sink::Sink;
use super::{mail, robots, sink, *};

#[tokio::test]
async fn robots_are_proved_by_their_keys_and_say_nothing_in_the_group() {
    let (mut bench, wecom, dingtalk) = robots::start("").await;
    assert_eq!(bench.proof(ChannelKind::Wecom).await, Proof::Proved);
    assert_eq!(bench.proof(ChannelKind::Dingtalk).await, Proof::Proved);
    secret(bench.folder.path(), "wecom.key", "wrong");
    secret(bench.folder.path(), "dingtalk.secret", "SECwrong");
    assert!(bench.unproved(ChannelKind::Wecom).await.contains("93000"));
    assert!(bench.unproved(ChannelKind::Dingtalk).await.contains("sign not match"));
    secret(bench.folder.path(), "dingtalk.secret", "SECsecret");
    secret(bench.folder.path(), "dingtalk.token", "wrong");
    assert!(bench.unproved(ChannelKind::Dingtalk).await.contains("300001"));
    wecom.mood(Mood::Babbles);
    assert!(bench.unproved(ChannelKind::Wecom).await.contains("not one of this service"));
    dingtalk.mood(Mood::Answers(500));
    assert!(bench.unproved(ChannelKind::Dingtalk).await.contains("500"));

    // The first message that a group sees is a real one.
    secret(bench.folder.path(), "wecom.key", "k-secret");
    wecom.mood(Mood::Fine);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &[ChannelKind::Wecom]));
    assert!(wecom.next().await["text"]["content"].as_str().unwrap().contains("安居告警"));
    bench.ways.stop().await;
}

#[tokio::test]
async fn mail_is_proved_by_signing_in_and_none_is_sent() {
    let mut server = Sink::start(sink::Mood::Fine).await;
    let mut bench = mail::start(&server, &mail::starttls(&server), true);
    assert_eq!(bench.proof(ChannelKind::Mail).await, Proof::Proved);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &[ChannelKind::Mail]));
    assert!(server.next().await.1.contains("Subject: "), "the first mail is the real one");
    secret(bench.folder.path(), "password", "wrong");
    assert!(bench.unproved(ChannelKind::Mail).await.contains("535"));
    bench.ways.stop().await;

    let server = Sink::start(sink::Mood::Plain).await;
    let mut bench = mail::start(&server, &mail::starttls(&server), true);
    assert!(bench.unproved(ChannelKind::Mail).await.contains("STARTTLS"));
    bench.ways.stop().await;

    let server = Sink::start(sink::Mood::Hangs).await;
    let mut bench = mail::start(&server, &mail::starttls(&server), true);
    assert_ne!(bench.unproved(ChannelKind::Mail).await, "");
    bench.ways.stop().await;
}

#[tokio::test]
async fn what_the_box_does_not_have_is_no_proof() {
    let (mut bench, _, _) = robots::start("").await;
    assert!(bench.unproved(ChannelKind::Ntfy).await.contains("no way `ntfy`"));
    assert_eq!(bench.proof(ChannelKind::Call).await, Proof::NotWithoutWaking);
    bench.ways.stop().await;
}
