use std::sync::atomic::{AtomicU32, Ordering};

use anju_model::AlertId;
use tokio::sync::mpsc;

use super::*;

/// A light that writes down what it is told; it refuses while told to.
struct Bench {
    told: mpsc::UnboundedSender<(Instant, String)>,
    refuses: AtomicU32,
    sparks: bool,
}

impl Bench {
    fn obey(&self, what: String) -> Obeyed<'_> {
        let left =
            self.refuses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        Box::pin(async move {
            if left.is_ok() {
                return Err("not paired".to_owned());
            }
            let _ = self.told.send((Instant::now(), what));
            Ok(())
        })
    }
}

impl LightPort for Bench {
    fn name(&self) -> String {
        "bench".to_owned()
    }
    fn flash(&self, time: Duration) -> Obeyed<'_> {
        self.obey(format!("flash {}", time.as_secs()))
    }
    fn hold(&self) -> Obeyed<'_> {
        self.obey("hold".to_owned())
    }
    fn put_back(&self) -> Obeyed<'_> {
        self.obey("put back".to_owned())
    }
    fn sparks(&self) -> bool {
        self.sparks
    }
}

type Hear = mpsc::UnboundedReceiver<(Instant, String)>;

fn bench(sparks: bool, refuses: u32) -> (Lights, Hear, mpsc::UnboundedReceiver<Report>) {
    let (told, hear) = mpsc::unbounded_channel();
    let (reports, heard) = mpsc::unbounded_channel();
    let port = Arc::new(Bench { told, refuses: AtomicU32::new(refuses), sparks });
    (Lights::start(vec![port], &reports), hear, heard)
}

fn want(alert: Option<&str>, may_spark: bool) -> Wanted {
    Wanted { alert: alert.and_then(AlertId::from_wire), may_spark }
}

#[tokio::test(start_paused = true)]
async fn it_blinks_again_each_minute_and_is_put_back() {
    let (lights, mut hear, mut heard) = bench(true, 0);
    lights.show(want(Some("box/1/1"), true));
    let (begin, first) = hear.recv().await.unwrap();
    assert_eq!(first, "flash 75");
    let Some(Report::Sounding { by, .. }) = heard.recv().await else { panic!() };
    assert_eq!(by, "light-bench");
    for after in [60, 120, 180, 240] {
        let (at, what) = hear.recv().await.unwrap();
        assert_eq!(((at - begin).as_secs(), what.as_str()), (after, "flash 75"));
    }
    for after in [300, 360] {
        let (at, what) = hear.recv().await.unwrap();
        assert_eq!(((at - begin).as_secs(), what.as_str()), (after, "flash 10"));
    }
    // Another alarm is shown like the first.
    lights.show(want(Some("box/1/2"), true));
    assert_eq!(hear.recv().await.unwrap().1, "flash 75");
    lights.show(want(None, true));
    assert_eq!(hear.recv().await.unwrap().1, "put back");
    drop(lights);
    assert!(hear.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn where_there_may_be_gas_nothing_is_switched() {
    let (lights, mut hear, _heard) = bench(true, 0);
    lights.show(want(Some("box/1/1"), true));
    assert_eq!(hear.recv().await.unwrap().1, "flash 75");
    lights.show(want(Some("box/1/1"), false));
    assert_eq!(hear.recv().await.unwrap().1, "hold");
    // Not even back, when somebody has accepted.
    lights.show(want(None, false));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(hear.try_recv().is_err());
    lights.show(want(None, true));
    assert_eq!(hear.recv().await.unwrap().1, "put back");

    let (lights, mut hear, _heard) = bench(true, 0);
    lights.show(want(Some("box/1/1"), false));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(hear.try_recv().is_err());
    drop(lights);

    let (lights, mut hear, _heard) = bench(false, 0);
    lights.show(want(Some("box/1/1"), false));
    assert_eq!(hear.recv().await.unwrap().1, "flash 75", "a strobe does not spark");
}

#[tokio::test(start_paused = true)]
async fn one_that_refuses_is_told_and_tried_again() {
    let (lights, mut hear, mut heard) = bench(true, 2);
    lights.show(want(Some("box/1/1"), true));
    assert_eq!(hear.recv().await.unwrap().1, "flash 75");
    let Some(Report::Health(broken)) = heard.recv().await else { panic!() };
    assert_eq!(broken, Health { part: "light-bench".into(), broken: Some("not paired".into()) });
    let Some(Report::Health(mended)) = heard.recv().await else { panic!() };
    assert_eq!(mended.broken, None);
}
