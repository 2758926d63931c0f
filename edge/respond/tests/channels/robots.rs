//! Robots of chat groups.

use std::time::Instant;

use super::servers::{Mood, Robot};
use super::*;

const BOTH: [ChannelKind; 2] = [ChannelKind::Wecom, ChannelKind::Dingtalk];

fn set_up(folder: &Path, wecom: &Robot, dingtalk: &Robot, more: &str) -> Household {
    home(&format!(
        "[channels.wecom]\nurl = \"http://{}/cgi-bin/webhook/send\"\nkey_file = \"{}\"\n{more}\
         [channels.dingtalk]\nurl = \"http://{}/robot/send\"\ntoken_file = \"{}\"\n\
         secret_file = \"{}\"\n{more}",
        wecom.address,
        secret(folder, "wecom.key", "k-secret"),
        dingtalk.address,
        secret(folder, "dingtalk.token", "t-secret"),
        secret(folder, "dingtalk.secret", "SECsecret"),
    ))
}

pub async fn start(more: &str) -> (Bench, Robot, Robot) {
    let (wecom, dingtalk) = (Robot::start().await, Robot::start().await);
    let folder = tempfile::tempdir().unwrap();
    let home = set_up(folder.path(), &wecom, &dingtalk, more);
    (Bench::new(folder, &home), wecom, dingtalk)
}

#[tokio::test]
async fn a_call_reaches_both_groups_signed_and_without_names() {
    let (mut bench, wecom, dingtalk) = start("").await;
    let began = Instant::now();
    bench.ways.notify(&notice(1, "daughter", Class::Alarm, &BOTH));
    let (to_wecom, to_dingtalk) = (wecom.next().await, dingtalk.next().await);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(to_wecom["text"]["content"], "安居告警\n有一条告警，请尽快回应。");
    assert_eq!(to_wecom["text"]["mentioned_mobile_list"][0], "13800000000");
    assert_eq!(to_dingtalk["text"]["content"], "安居告警\n有一条告警，请尽快回应。");
    assert_eq!(to_dingtalk["at"]["atMobiles"][0], "13800000000");
    bench.sent("wecom").await;
    bench.ways.stop().await;
}

#[tokio::test]
async fn names_go_out_only_where_they_are_allowed_to() {
    let (bench, wecom, dingtalk) = start("details = true\n").await;
    bench.ways.notify(&notice(1, "son", Class::Alarm, &BOTH));
    for message in [wecom.next().await, dingtalk.next().await] {
        assert!(message["text"]["content"].as_str().unwrap().contains("王奶奶"));
    }
    bench.ways.stop().await;
}

#[tokio::test]
async fn a_flood_stays_within_the_limit_and_loses_nothing() {
    let (mut bench, wecom, _) = start("").await;
    for alert in 0..200 {
        bench.ways.notify(&notice(alert, "son", Class::Fault, &[ChannelKind::Wecom]));
        bench.ways.notify(&notice(alert, "daughter", Class::Fault, &[ChannelKind::Wecom]));
    }
    bench.ways.notify(&notice(900, "daughter", Class::Alarm, &[ChannelKind::Wecom]));
    let mut told = std::collections::BTreeSet::new();
    // The server refuses what is too fast, and a refused message would come as failed.
    while told.len() < 401 {
        let sent = bench.delivery("wecom").await;
        assert_eq!(sent.state, DeliveryState::Sent, "{sent:?}");
        assert!(told.insert((sent.message.alert, sent.message.contact)), "each once");
    }
    let first = wecom.next().await;
    assert!(first["text"]["content"].as_str().unwrap().starts_with("安居告警"));
    bench.ways.stop().await;
}

#[tokio::test]
async fn each_way_of_failing_is_told_and_holds_up_no_other() {
    let (mut bench, wecom, dingtalk) = start("").await;
    for (alert, mood) in
        [(1, Mood::Answers(500)), (2, Mood::Babbles), (3, Mood::Answers(429)), (4, Mood::Hangs)]
    {
        wecom.mood(mood);
        let began = Instant::now();
        bench.ways.notify(&notice(alert, "son", Class::Alarm, &BOTH));
        dingtalk.next().await;
        assert!(began.elapsed() < Duration::from_secs(5), "{mood:?}: {:?}", began.elapsed());
        let why = bench.failed("wecom").await;
        let word = match mood {
            Mood::Answers(code) => code.to_string(),
            Mood::Babbles => "not one of this service".to_owned(),
            _ => "did not answer within 10 s".to_owned(),
        };
        assert!(why.contains(&word), "{why}");
        wecom.mood(Mood::Fine);
        wecom.next().await;
        bench.sent("wecom").await;
    }
    bench.ways.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_a_fault_until_the_file_is_mended() {
    let (mut bench, wecom, dingtalk) = start("").await;
    secret(bench.folder.path(), "wecom.key", "wrong");
    secret(bench.folder.path(), "dingtalk.secret", "SECwrong");
    bench.ways.notify(&notice(1, "son", Class::Alarm, &[ChannelKind::Wecom]));
    assert!(bench.failed("wecom").await.contains("93000"));
    assert!(bench.health("wecom").await.unwrap().contains("93000"));
    bench.ways.notify(&notice(1, "son", Class::Alarm, &[ChannelKind::Dingtalk]));
    assert!(bench.failed("dingtalk").await.contains("sign not match"));
    secret(bench.folder.path(), "wecom.key", "k-secret");
    secret(bench.folder.path(), "dingtalk.secret", "SECsecret");
    // A wrong signature may be a wrong clock, so that is tried again by itself.
    dingtalk.next().await;
    bench.ways.notify(&notice(2, "son", Class::Alarm, &[ChannelKind::Wecom]));
    wecom.next().await;
    assert_eq!(bench.health("wecom").await, None);
    bench.ways.stop().await;
}

#[tokio::test]
async fn names_that_do_not_resolve_and_servers_that_are_not_trusted_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let key = secret(folder.path(), "key", "k-secret");
    let sink = sink::Sink::start(sink::Mood::Fine).await;
    let home = home(&format!(
        "[channels.wecom]\nurl = \"http://no-such-host.invalid/send\"\nkey_file = \"{key}\"\n\
         [channels.dingtalk]\nurl = \"https://{}/send\"\ntoken_file = \"{key}\"\n\
         secret_file = \"{key}\"\n",
        sink.tls
    ));
    let mut bench = Bench::new(folder, &home);
    bench.ways.notify(&notice(1, "son", Class::Alarm, &BOTH));
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 2 {
        if let Report::Delivery(delivery) = bench.report().await {
            assert_eq!(delivery.state, DeliveryState::Failed);
            told.insert(delivery.message.channel, delivery.message.detail.unwrap());
        }
    }
    assert!(told["wecom"].contains("can not be reached"), "{told:?}");
    assert!(told["dingtalk"].contains("certificate"), "{told:?}");
    bench.ways.stop().await;
}
