//! Memory of the box with the demo's ten devices after all of them spoke and an alarm was announced,
//! beside bare sled holding the same journal: of a day, and of what the backlog left.

use std::path::Path;
use std::time::Duration;

use crate::failure::{Outcome, io};
use crate::figures::{Bound, Figure, median};
use crate::lab::{Home, Lab, settle};
use crate::mqtt::Client;
use crate::process::pss_mib;

/// The demo's devices.
const DEVICES: &[(&str, &str)] = &[
    ("sos-bedroom", "fixed-alarm"),
    ("sos-bathroom", "fixed-alarm"),
    ("pendant", "portable-alarm"),
    ("motion-living-room", "motion"),
    ("motion-bedroom", "motion"),
    ("motion-bathroom", "motion"),
    ("front-door", "door-contact"),
    ("smoke-kitchen", "smoke"),
    ("leak-bathroom", "water-leak"),
    ("siren-hall", "siren"),
];

/// Entries of a day: movement and doors, most of them.
const DAY: usize = 4_000;

/// The demo's devices as TOML.
pub fn devices() -> String {
    DEVICES.iter().map(|(id, kind)| Home::zigbee(id, kind)).collect()
}

/// Measures: a day's journal, and that of `long`, which has a long one.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let home = Home::new(lab, "day", &devices())?;
    let zigbee = Client::connect("devices-memory", lab.port, &[]).await?;
    live_a_day(lab, &home, &zigbee).await?;
    let mut day =
        Figure::new("memory (PSS), ten devices, a day's journal", "MiB", Bound::FloorPlus(12.0));
    measure(lab, &home, &zigbee, &mut day).await?;
    let most = day.judged("  at most", Bound::AtMost(25.0));
    let rival = day.judged("  below Node-RED's recorded 114 MiB", Bound::AtMost(114.0));
    // The same home with the journal that the backlog left.
    let long = Home::new(lab, "bk", &devices())?;
    let mut long_figure = Figure::new(
        "memory (PSS), ten devices, the backlog's journal",
        "MiB",
        Bound::FloorPlus(12.0),
    );
    let mut figures = vec![day, most, rival];
    // Without the scene of the backlog there is none.
    if long.data.exists() {
        measure(lab, &long, &zigbee, &mut long_figure).await?;
        figures.push(long_figure);
    }
    Ok(figures)
}

/// A day's movements through the real box, as fast as they go.
async fn live_a_day(lab: &Lab, home: &Home, zigbee: &Client) -> Outcome<()> {
    let mut centre = lab.centre(&home.box_id).await?;
    let anju = home.start()?;
    let pause = Duration::from_millis(50);
    home.press_until_heard(zigbee, &mut centre, "pendant", pause).await?;
    settle(&mut centre).await;
    for n in 0..DAY {
        let (id, _) = DEVICES.get(3 + n % 3).copied().unwrap_or_default();
        zigbee.say(&home.topic(id), format!("{{\"occupancy\":{}}}", (n / 3) % 2 == 0))?;
    }
    for _ in 0..DAY {
        let motion = "\"cn.anju.observation.motion\"";
        centre.until("a movement of the day", |arrived| arrived.has(motion)).await?;
    }
    anju.stop()
}

async fn measure(lab: &Lab, home: &Home, zigbee: &Client, figure: &mut Figure) -> Outcome<()> {
    let mut centre = lab.centre(&home.box_id).await?;
    for _ in 0..lab.amount(3, 1) {
        let anju = home.start()?;
        let pause = Duration::from_millis(50);
        home.press_until_heard(zigbee, &mut centre, "pendant", pause).await?;
        for (id, kind) in DEVICES {
            let payload = match *kind {
                "motion" => "{\"occupancy\":true,\"linkquality\":90}",
                "door-contact" => "{\"contact\":false,\"linkquality\":90}",
                "smoke" => "{\"smoke\":false,\"linkquality\":90}",
                "water-leak" => "{\"water_leak\":false,\"linkquality\":90}",
                _ => "{\"linkquality\":90}",
            };
            zigbee.say(&home.topic(id), payload.to_owned())?;
        }
        // The prompt is being played meanwhile.
        let mut samples = Vec::new();
        for _ in 0..5 {
            settle(&mut centre).await;
            samples.push(pss_mib(anju.pid())?);
        }
        let ours = median(samples.into_iter());
        anju.stop()?;
        let copy = lab.dir.path().join("held");
        copy_folder(&home.data.join("journal"), &copy)?;
        let mut bare = lab.floor(&["hold", &copy.to_string_lossy()])?;
        let floor = pss_mib(bare.pid())?;
        bare.let_go()?;
        std::fs::remove_dir_all(&copy).map_err(io("removing a copy"))?;
        figure.beside(ours, floor);
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to).map_err(io("copying a journal"))?;
    for entry in std::fs::read_dir(from).map_err(io("copying a journal"))? {
        let entry = entry.map_err(io("copying a journal"))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(io("copying a journal"))?;
        }
    }
    Ok(())
}
