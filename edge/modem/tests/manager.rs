//! Against the real ModemManager with a simulated modem behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod lab;

use std::time::{Duration, Instant};

use anju_modem::{Bus, Incoming, Modem, SmsError, Trouble, View};
use lab::{DEADLINE, Lab};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

async fn until(modem: &Modem, fits: impl Fn(&View) -> bool) -> View {
    let mut view = modem.view();
    tokio::time::timeout(DEADLINE, async {
        view.wait_for(|view| fits(view)).await.unwrap().clone()
    })
    .await
    .unwrap_or_else(|_| panic!("the modem is as wanted in time: {:?}", modem.view().borrow()))
}

fn works(view: &View) -> bool {
    view.trouble.is_none()
}

/// A manager, a modem that is plugged in, and its client once it works.
async fn working(lab: &mut Lab) -> (Modem, mpsc::Receiver<Incoming>, CancellationToken) {
    lab.start_manager();
    lab.plug_in().await;
    let (received_tx, received) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let modem = Modem::start(Bus::At(lab.address.clone()), received_tx, stop.clone());
    until(&modem, works).await;
    (modem, received, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_go_out_and_come_in_and_everything_may_go_away() {
    let mut lab = Lab::new();
    let stop = CancellationToken::new();
    let (received_tx, mut received) = mpsc::channel(8);
    let modem = Modem::start(Bus::At(lab.address.clone()), received_tx, stop.clone());
    let none =
        |view: &View| matches!(&view.trouble, Some(Trouble::NoService(why)) if why.contains("run"));
    until(&modem, none).await;
    let refused = modem.send("+8613912345678", "x").await;
    assert!(matches!(refused, Err(SmsError::NotReady(Trouble::NoService(_)))), "{refused:?}");
    lab.start_manager();
    until(&modem, |view| matches!(view.trouble, Some(Trouble::NoModem))).await;
    lab.plug_in().await;
    let heard = |view: &View| works(view) && view.signal_percent.is_some_and(|percent| percent > 0);
    let view = until(&modem, heard).await;
    assert_eq!(view.technology, Some("lte"), "{view:?}");
    assert_eq!(view.sim.as_deref(), Some("8986000000000000001"), "{view:?}");

    // A Chinese text leaves as it was given; a long one in parts that make the whole.
    let began = Instant::now();
    modem.send("+8613912345678", "王奶奶按了报警按钮。回复1接受。").await.unwrap();
    let took = began.elapsed();
    let sent = lab.event("sent").await;
    assert_eq!(sent["text"], "王奶奶按了报警按钮。回复1接受。");
    assert_eq!(sent["number"], "+8613912345678");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let long = "浴室里有人跌倒，请马上回电话。".repeat(12);
    modem.send("+8613912345678", &long).await.unwrap();
    let mut whole = String::new();
    while whole.chars().count() < long.chars().count() {
        whole += lab.event("sent").await["text"].as_str().unwrap();
    }
    assert_eq!(whole, long);

    // A refusal is told, and the next text leaves all the same.
    lab.order("refuse").await;
    let refused = modem.send("+8613912345678", "x").await;
    assert!(matches!(refused, Err(SmsError::Refused(_))), "{refused:?}");
    lab.order("allow").await;
    modem.send("+8613912345678", "again").await.unwrap();

    lab.order("text +8613800000000 1").await;
    let answer = tokio::time::timeout(DEADLINE, received.recv()).await.unwrap().unwrap();
    assert_eq!((answer.text.number.as_str(), answer.text.text.as_str()), ("+8613800000000", "1"));
    assert!(answer.text.at.is_some() && answer.fresh);
    // The box dies before it has recorded the answer: it comes again.
    drop(answer);

    // ModemManager dies and comes back.
    lab.kill_manager();
    until(&modem, |view| view.trouble.is_some()).await;
    lab.start_manager();
    lab.announce().await;
    until(&modem, works).await;
    modem.send("+8613912345678", "after a crash").await.unwrap();
    // The modem still has the answer in its store; for this client it is known.
    lab.order("text +8613800000000 2").await;
    let answer = tokio::time::timeout(DEADLINE, received.recv()).await.unwrap().unwrap();
    assert_eq!(answer.text.text, "2");
    answer.done();
    lab.event("deleted").await;
    stop.cancel();

    // The box starts anew.
    let (received_tx, mut received) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let _modem = Modem::start(Bus::At(lab.address.clone()), received_tx, stop.clone());
    let answer = tokio::time::timeout(DEADLINE, received.recv()).await.unwrap().unwrap();
    assert_eq!((answer.text.text.as_str(), answer.fresh), ("1", false));
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_that_hangs_is_found_out_and_comes_back() {
    let mut lab = Lab::new();
    let (modem, _received, stop) = working(&mut lab).await;
    lab.signal_manager("STOP");
    let view = until(&modem, |view| view.trouble.is_some()).await;
    let trouble = view.trouble.unwrap();
    assert!(trouble.to_string().contains("hangs") && trouble.may_recover(), "{trouble}");
    let began = Instant::now();
    assert_eq!(modem.send("+8613912345678", "x").await, Err(SmsError::NotReady(trouble)));
    assert!(began.elapsed() < Duration::from_secs(1));
    lab.signal_manager("CONT");
    until(&modem, works).await;
    modem.send("+8613912345678", "back").await.unwrap();
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_bring_it_back_reaches_the_modem_and_it_works_on() {
    let mut lab = Lab::new();
    let (modem, _received, stop) = working(&mut lab).await;
    assert!(modem.redial().await);
    until(&modem, works).await;
    modem.send("+8613912345678", "after redial").await.unwrap();
    // The manager's driver for generic modems knows no reset; nothing is lost by asking.
    let _ = modem.reset().await;
    until(&modem, works).await;
    modem.send("+8613912345678", "after reset").await.unwrap();
    stop.cancel();
}
