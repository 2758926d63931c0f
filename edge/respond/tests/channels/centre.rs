//! The centre as gateway, without a broker: what is asked of it, and what it tells.

use anju_model::delivery::Message;

use super::*;

fn start() -> Bench {
    let home = home("[upstream]\nurl = \"mqtt://127.0.0.1:1\"\n");
    Bench::new(tempfile::tempdir().unwrap(), &home)
}

fn told(asked: &Delivery, state: DeliveryState, detail: Option<&str>) -> Delivery {
    let message =
        Message { request: None, detail: detail.map(str::to_owned), ..asked.message.clone() };
    Delivery { state, message }
}

#[tokio::test]
async fn the_centre_is_asked_with_what_it_needs_and_its_answer_is_what_became_of_it() {
    let mut bench = start();
    bench.ways.notify(&notice(1, "daughter", Class::Alarm, &[ChannelKind::Centre]));
    let asked = bench.delivery("centre").await;
    assert_eq!(asked.state, DeliveryState::Requested);
    let request = asked.message.request.as_deref().unwrap();
    assert_eq!(
        (request.phone.as_deref(), request.role.as_str()),
        (Some("+8613800000000"), "family")
    );
    assert_eq!((request.kind.as_str(), request.class), ("call", Class::Alarm));
    assert!(!format!("{request:?}").contains("王奶奶"));
    assert!(bench.ways.told_by_centre(&told(&asked, DeliveryState::Sent, None)));
    assert_eq!(bench.delivery("centre").await.state, DeliveryState::Sent);
    // What nobody waits for any more is for the book.
    assert!(!bench.ways.told_by_centre(&told(&asked, DeliveryState::Answered, Some("voice"))));

    bench.ways.notify(&notice(2, "son", Class::Alarm, &[ChannelKind::Centre]));
    let asked = bench.delivery("centre").await;
    assert!(bench.ways.told_by_centre(&told(
        &asked,
        DeliveryState::Failed,
        Some("sms: no credit")
    )));
    assert_eq!(bench.failed("centre").await, "sms: no credit");
    bench.health("centre").await;

    // Who acts on the alert through the centre has heard of it.
    bench.ways.notify(&notice(3, "daughter", Class::Alarm, &[ChannelKind::Centre]));
    let asked = bench.delivery("centre").await;
    bench.ways.acted_through_centre(&asked.message.alert);
    assert_eq!(bench.delivery("centre").await.state, DeliveryState::Sent);
    bench.ways.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_centre_that_is_silent_is_asked_again_and_one_that_answers_late_is_not() {
    let mut bench = start();
    bench.ways.notify(&notice(1, "son", Class::Alarm, &[ChannelKind::Centre]));
    for attempt in 1..=2 {
        let asked = tokio::time::timeout(Duration::from_secs(600), bench.reports.recv()).await;
        let Ok(Some(Report::Delivery(asked))) = asked else { panic!("{asked:?}") };
        assert_eq!((asked.state, asked.message.attempt), (DeliveryState::Requested, attempt));
        let failed = bench.delivery("centre").await;
        assert_eq!(failed.state, DeliveryState::Failed);
        assert!(failed.message.detail.as_deref().unwrap().contains("within 10 s"));
        if attempt == 2 {
            assert!(!bench.ways.told_by_centre(&told(&asked, DeliveryState::Sent, None)));
        } else {
            bench.health("centre").await;
        }
    }
    let next = tokio::time::timeout(Duration::from_secs(600), bench.reports.recv()).await;
    let Ok(Some(Report::Delivery(next))) = next else { panic!("{next:?}") };
    assert_eq!((next.state, next.message.attempt), (DeliveryState::Sent, 3));
    bench.ways.stop().await;
}
