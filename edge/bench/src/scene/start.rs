//! From the start of the program to the first alert at the centre, with an empty journal and with a
//! day's; and the size of the program.

use std::time::{Duration, Instant};

use crate::failure::{Outcome, io};
use crate::figures::{Bound, Figure};
use crate::lab::{Home, Lab, settle};
use crate::mqtt::Client;
use crate::scene::memory;

/// Measures.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let zigbee = Client::connect("devices-start", lab.port, &[]).await?;
    let mut fresh =
        Figure::new("start to first alert upstream, new journal", "ms", Bound::AtMost(300.0));
    let mut old =
        Figure::new("start to first alert upstream, a day's journal", "ms", Bound::AtMost(300.0));
    // A day's journal was left by the scene of memory.
    let day = Home::new(lab, "day", &memory::devices())?;
    for run in 0..lab.runs {
        let new = Home::new(lab, &format!("new-{run}"), &memory::devices())?;
        fresh.alone(first_alert(lab, &new, &zigbee).await?);
        old.alone(first_alert(lab, &day, &zigbee).await?);
    }
    let rival = fresh.judged("  below Node-RED's recorded 1,700 ms", Bound::AtMost(1_700.0));
    let bytes = std::fs::metadata(&lab.anju).map_err(io("the program's size"))?.len();
    let mut size = Figure::new("program, stripped", "MiB", Bound::AtMost(15.0));
    size.alone(bytes as f64 / f64::from(1 << 20));
    Ok(vec![fresh, old, rival, size])
}

async fn first_alert(lab: &Lab, home: &Home, zigbee: &Client) -> Outcome<f64> {
    let mut centre = lab.centre(&home.box_id).await?;
    settle(&mut centre).await;
    let began = Instant::now();
    let anju = home.start()?;
    let pause = Duration::from_millis(2);
    let alert = home.press_until_heard(zigbee, &mut centre, "pendant", pause).await?;
    anju.kill();
    Ok(alert.duration_since(began).as_secs_f64() * 1e3)
}
