//! Homes whose links come, go and lie, in virtual time.

use proptest::prelude::*;

use super::*;

/// A home: which links stand, over which something answers, and what the choice makes of it.
struct Home {
    choice: Choice,
    now: Duration,
    stand: BTreeMap<String, Kind>,
    answers: BTreeMap<String, bool>,
    tries: BTreeMap<String, u32>,
    told: Vec<String>,
}

impl Home {
    fn new() -> Self {
        Self {
            choice: Choice::default(),
            now: Duration::ZERO,
            stand: BTreeMap::new(),
            answers: BTreeMap::new(),
            tries: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn with(links: &[(&str, Kind)]) -> Self {
        let mut home = Self::new();
        for (name, kind) in links {
            home.stand.insert((*name).to_owned(), *kind);
            home.answers.insert((*name).to_owned(), true);
        }
        home.look();
        home
    }

    fn tell(&mut self, news: Vec<News>) {
        for news in news {
            let told = match news {
                News::Link { name, up, .. } => {
                    format!("{name} {}", if up { "good" } else { "bad" })
                }
                News::Preferred { name, .. } => format!("by {name}"),
                News::Uplinks { up, .. } => (if up { "up" } else { "down" }).to_owned(),
            };
            self.told.push(format!("{} {told}", self.now.as_secs()));
        }
    }

    fn look(&mut self) {
        let news = self.choice.stand(self.now, &self.stand);
        self.tell(news);
    }

    fn connect(&mut self, name: &str, kind: Kind) {
        self.stand.insert(name.to_owned(), kind);
        self.look();
    }

    fn pull(&mut self, name: &str) {
        self.stand.remove(name);
        self.look();
    }

    fn answer(&mut self, name: &str, answers: bool) {
        self.answers.insert(name.to_owned(), answers);
    }

    /// Lets time pass, from one thing to do to the next; an answer that does not come takes 5 s.
    fn pass(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(next) = self.choice.next(self.now).filter(|next| *next <= end) {
            self.now = self.now.max(next);
            let news = self.choice.pass(self.now);
            self.tell(news);
            for name in self.choice.due(self.now) {
                *self.tries.entry(name.clone()).or_default() += 1;
                let came = if self.answers.get(&name).copied().unwrap_or(false) {
                    Ok(())
                } else {
                    Err("no answer".to_owned())
                };
                let news = self.choice.tried(self.now, &name, came);
                self.tell(news);
            }
        }
        self.now = end;
        let news = self.choice.pass(self.now);
        self.tell(news);
        std::mem::take(&mut self.told)
    }
}

/// What was told, without the times.
fn words(told: &[String]) -> Vec<&str> {
    told.iter().filter_map(|line| line.split_once(' ')).map(|(_, words)| words).collect()
}

fn second(told: &str) -> u64 {
    told.split(' ').next().unwrap().parse().unwrap()
}

const ETHERNET: (&str, Kind) = ("eth0", Kind::Ethernet);
const WIFI: (&str, Kind) = ("wlan0", Kind::Wifi);
const MOBILE: (&str, Kind) = ("wwan0", Kind::Mobile);

#[test]
fn the_best_that_reaches_anything_is_used() {
    let mut home = Home::with(&[MOBILE, ETHERNET, WIFI]);
    let told = home.pass(60);
    assert_eq!(told, ["0 eth0 good", "0 by eth0", "0 up", "0 wlan0 good", "0 wwan0 good"]);
    let mut home = Home::with(&[MOBILE, ETHERNET, WIFI]);
    home.answer("eth0", false);
    home.answer("wlan0", false);
    let told = home.pass(60);
    assert_eq!(
        told,
        ["0 wwan0 good", "0 up", "10 eth0 bad", "10 wlan0 bad", "10 by wwan0"],
        "what may be better is waited for at the start"
    );
}

#[test]
fn a_link_with_a_carrier_that_reaches_nothing_is_left_and_gone_back_to_when_stable() {
    let mut home = Home::with(&[ETHERNET, WIFI]);
    home.pass(600);
    home.answer("eth0", false);
    // Tried each half minute, then twice more within ten seconds.
    let told = home.pass(40);
    assert_eq!(words(&told), ["eth0 bad", "by wlan0"]);
    home.answer("eth0", true);
    let told = home.pass(600);
    assert_eq!(words(&told), ["eth0 good", "by eth0"]);
    assert_eq!(second(&told[1]) - second(&told[0]), 120, "after two minutes without a miss");
}

#[test]
fn one_lost_packet_moves_nothing() {
    let mut home = Home::with(&[ETHERNET, MOBILE]);
    home.pass(60);
    for _ in 0..20 {
        home.answer("eth0", false);
        let tries = home.tries["eth0"];
        while home.tries["eth0"] == tries {
            assert_eq!(home.pass(1), Vec::<String>::new());
        }
        home.answer("eth0", true);
        assert_eq!(home.pass(60), Vec::<String>::new());
    }
}

#[test]
fn a_link_that_falls_again_and_again_is_trusted_later_each_time_and_forgiven_at_last() {
    let mut home = Home::with(&[ETHERNET, WIFI]);
    home.pass(60);
    let mut waits = Vec::new();
    for _ in 0..7 {
        home.answer("eth0", false);
        home.pass(120);
        home.answer("eth0", true);
        let told = home.pass(40 * 60);
        let at = |what: &str| second(told.iter().find(|line| line.ends_with(what)).unwrap());
        waits.push((at("by eth0") - at("eth0 good")) / 60);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 32, 32]);
    home.pass(3 * 3600);
    home.answer("eth0", false);
    home.pass(120);
    home.answer("eth0", true);
    let told = home.pass(150);
    assert!(told.iter().any(|line| line.ends_with("by eth0")), "{told:?}");
}

#[test]
fn all_links_lost_is_told_only_when_none_reaches_anything_and_told_when_one_does() {
    let mut home = Home::with(&[ETHERNET, MOBILE]);
    home.pass(60);
    home.answer("eth0", false);
    assert_eq!(words(&home.pass(120)), ["eth0 bad", "by wwan0"], "4G still reaches");
    home.answer("wwan0", false);
    let told = home.pass(3600);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("wwan0 bad") && told[1].ends_with("down"), "{told:?}");
    assert_eq!(home.choice.is_up(), Some(false));
    home.answer("eth0", true);
    let told = home.pass(30);
    assert_eq!(
        words(&told),
        ["eth0 good", "by eth0", "up"],
        "nothing is waited for when nothing is left"
    );
}

#[test]
fn a_pulled_cable_is_no_matter_of_tries() {
    let mut home = Home::with(&[ETHERNET, WIFI]);
    home.pass(60);
    home.pull("eth0");
    assert_eq!(home.pass(1), ["60 eth0 bad", "60 by wlan0"]);
    home.pull("wlan0");
    assert_eq!(home.pass(1), ["61 wlan0 bad", "61 down"]);
    home.connect("wlan0", Kind::Wifi);
    assert_eq!(home.pass(1), ["62 wlan0 good", "62 by wlan0", "62 up"]);
    home.connect("eth0", Kind::Ethernet);
    assert_eq!(home.pass(300), ["63 eth0 good", "183 by eth0"]);
}

#[test]
fn a_box_without_any_link_says_so_after_it_had_time_to_come_up() {
    let mut home = Home::new();
    home.look();
    assert_eq!(home.pass(59), Vec::<String>::new());
    assert_eq!(home.pass(2), ["60 down"]);
}

#[test]
fn mobile_data_that_stands_by_is_spared() {
    let mut home = Home::with(&[ETHERNET, MOBILE]);
    home.pass(24 * 3600);
    let tries = home.tries["wwan0"];
    assert!((40..=60).contains(&tries), "{tries} tries a day");
    let mut alone = Home::with(&[MOBILE]);
    alone.pass(24 * 3600);
    let tries = alone.tries["wwan0"];
    assert!((130..=160).contains(&tries), "{tries} tries a day");
}

#[derive(Debug, Clone)]
enum Deed {
    Connect(usize),
    Pull(usize),
    Answer(usize, bool),
    Pass(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (0_usize..4).prop_map(Deed::Connect),
        (0_usize..4).prop_map(Deed::Pull),
        (0_usize..4, any::<bool>()).prop_map(|(link, answers)| Deed::Answer(link, answers)),
        (1_u64..400).prop_map(Deed::Pass),
    ];
    proptest::collection::vec(deed, 1..60)
}

proptest! {
    #[test]
    fn whatever_happens(deeds in deeds()) {
        let all = [ETHERNET, ("eth1", Kind::Ethernet), WIFI, MOBILE];
        let mut home = Home::with(&[]);
        let mut before: Option<String> = None;
        for deed in deeds {
            match deed {
                Deed::Connect(link) => home.connect(all[link].0, all[link].1),
                Deed::Pull(link) => home.pull(all[link].0),
                Deed::Answer(link, answers) => home.answer(all[link].0, answers),
                Deed::Pass(seconds) => drop(home.pass(seconds)),
            }
            let reaching: Vec<&str> = home
                .choice
                .known()
                .filter(|(_, _, reach)| **reach == Reach::Reaches)
                .map(|(name, ..)| name)
                .collect();
            let preferred = home.choice.preferred();
            if let Some(name) = preferred {
                prop_assert!(home.stand.contains_key(name), "{name} does not stand");
                // A link that fails is used only while nothing else is known to work.
                prop_assert!(reaching.is_empty() || reaching.contains(&name), "{name}, {reaching:?}");
            }
            prop_assert!(home.choice.is_up() != Some(false) || reaching.is_empty());
            // A link that answers is not left for a worse one.
            if let (Some(now), Some(then)) = (preferred, before.as_deref())
                && now != then && reaching.contains(&then)
            {
                let rank = |name: &str| all.iter().position(|(other, _)| *other == name);
                prop_assert!(rank(now) < rank(then), "{then} was left for {now}");
            }
            before = preferred.map(str::to_owned);
        }
        // Given time and no more surprises, the best that answers is used.
        drop(home.pass(4 * 3600));
        let best = all.iter().find(|(name, _)| {
            home.stand.contains_key(*name) && home.answers.get(*name).copied().unwrap_or(false)
        });
        if let Some((best, _)) = best {
            prop_assert_eq!(home.choice.preferred(), Some(*best));
            prop_assert_eq!(home.choice.is_up(), Some(true));
        } else {
            prop_assert_eq!(home.choice.is_up(), Some(false));
        }
    }
}
