use std::sync::Mutex;

use tokio::sync::mpsc;

use super::*;

/// A siren that writes down what it is told; it fails while told to.
struct Bench {
    told: mpsc::UnboundedSender<(Instant, Option<SirenPattern>)>,
    broken: Mutex<Vec<Broken>>,
}

#[derive(Clone, Copy)]
enum Broken {
    Refuses,
    Hangs,
}

impl Bench {
    fn obey(&self, what: Option<SirenPattern>) -> Obeyed<'_> {
        let broken = self.broken.lock().unwrap().pop();
        Box::pin(async move {
            match broken {
                Some(Broken::Hangs) => std::future::pending().await,
                Some(Broken::Refuses) => Err("not paired".to_owned()),
                None => {
                    let _ = self.told.send((Instant::now(), what));
                    Ok(())
                }
            }
        })
    }
}

impl SirenPort for Bench {
    fn name(&self) -> String {
        "bench".to_owned()
    }
    fn sound(&self, pattern: SirenPattern, _seconds: u32) -> Obeyed<'_> {
        self.obey(Some(pattern))
    }
    fn hush(&self) -> Obeyed<'_> {
        self.obey(None)
    }
}

fn alert() -> AlertId {
    AlertId::from_wire("box/1/1").unwrap()
}

fn bench(
    broken: &[Broken],
) -> (Arc<Bench>, mpsc::UnboundedReceiver<(Instant, Option<SirenPattern>)>) {
    let (told, hear) = mpsc::unbounded_channel();
    (Arc::new(Bench { told, broken: Mutex::new(broken.to_vec()) }), hear)
}

#[tokio::test(start_paused = true)]
async fn it_sounds_is_renewed_and_is_still_at_the_end() {
    let (port, mut hear) = bench(&[]);
    let (reports, mut heard) = mpsc::unbounded_channel();
    let sirens = Sirens::start(vec![port], &reports);
    sirens.sound(alert(), SirenPattern::Evacuate);
    let (first, what) = hear.recv().await.unwrap();
    assert_eq!(what, Some(SirenPattern::Evacuate));
    let sounding = heard.recv().await.unwrap();
    assert!(matches!(sounding, Report::Sounding { alert: of, .. } if of == alert()));
    let (second, _) = hear.recv().await.unwrap();
    assert_eq!((second - first), RENEW_AFTER);
    sirens.hush();
    assert_eq!(hear.recv().await.unwrap().1, None);
    sirens.sound(alert(), SirenPattern::Attract);
    assert_eq!(hear.recv().await.unwrap().1, Some(SirenPattern::Attract));
    sirens.stop().await;
    assert_eq!(hear.recv().await.unwrap().1, None, "a stopping box leaves no siren sounding");
    assert!(hear.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_or_refuses_is_tried_again_and_holds_up_no_other() {
    let (bad, mut hear_bad) = bench(&[Broken::Refuses, Broken::Hangs]);
    let (good, mut hear_good) = bench(&[]);
    let (reports, mut heard) = mpsc::unbounded_channel();
    let sirens = Sirens::start(vec![bad, good], &reports);
    let begin = Instant::now();
    sirens.sound(alert(), SirenPattern::Attract);
    assert_eq!(hear_good.recv().await.unwrap().0, begin);
    let (at, what) = hear_bad.recv().await.unwrap();
    assert_eq!(what, Some(SirenPattern::Attract));
    let took = (at - begin).as_secs_f64();
    assert!((5.0 + 0.8 + 1.6..5.0 + 1.2 + 2.4).contains(&took), "{took}");
    let mut healths = Vec::new();
    while let Ok(report) = heard.try_recv() {
        if let Report::Health(health) = report {
            assert_eq!(health.part, "siren-bench");
            healths.push(health.broken);
        }
    }
    // The recovery is told just before or just after the siren writes it down.
    if healths.len() == 1 {
        let Some(Report::Health(health)) = heard.recv().await else { panic!() };
        healths.push(health.broken);
    }
    assert_eq!(healths, [Some("it did not obey within 5 s".to_owned()), None]);
    sirens.stop().await;
}
