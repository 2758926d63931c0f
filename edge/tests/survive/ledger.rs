//! What a centre got, kept by the rule that the contract gives it: on each topic it remembers the
//! highest pair of epoch and number, and drops whatever is not above. Then every number is there
//! once, or a gap tells of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::common::Got;

/// Epoch and number.
pub type Pair = (u64, u64);

/// Publications in flight at once, the most that may come twice after a restart.
pub const WINDOW: usize = 100;

#[derive(Default)]
pub struct Ledger {
    /// Everything that came, with the very bytes.
    bodies: BTreeMap<Pair, Vec<u8>>,
    /// What the rule kept, by its topic's last word.
    highest: BTreeMap<String, Pair>,
    pub kept: BTreeMap<Pair, Value>,
    /// What the box said is durable: the highest number of each epoch.
    promised: BTreeMap<u64, u64>,
    presses: u64,
    repeats: usize,
    pub most_repeats: usize,
}

impl Ledger {
    /// The box was started again.
    pub fn restarted(&mut self) {
        self.repeats = 0;
    }

    /// The box says that everything up to there is durable.
    pub fn promise(&mut self, (epoch, seq): Pair) {
        let highest = self.promised.entry(epoch).or_default();
        *highest = seq.max(*highest);
    }

    /// A message came. Returns the event if the rule keeps it.
    pub fn take(&mut self, got: &Got) -> Option<Value> {
        let topic = got.topic.rsplit('/').next().unwrap_or_default().to_owned();
        if topic != "alerts" && topic != "events" {
            return None;
        }
        let event = got.json();
        let number = |field: &str| event["data"][field].as_u64().unwrap();
        let pair = (number("epoch"), number("seq"));
        assert!(event["id"].as_str().unwrap().ends_with(&format!("/{}/{}", pair.0, pair.1)));
        if let Some(before) = self.bodies.insert(pair, got.payload.clone()) {
            assert_eq!(before, got.payload, "one id, other bytes");
            self.repeats += 1;
            self.most_repeats = self.most_repeats.max(self.repeats);
        }
        let highest = self.highest.entry(topic).or_default();
        if pair <= *highest {
            return None;
        }
        *highest = pair;
        if event["type"] == "cn.anju.observation.help" {
            self.presses += event["data"]["count"].as_u64().unwrap_or(1);
        }
        assert!(self.kept.insert(pair, event.clone()).is_none(), "{pair:?} on both topics");
        Some(event)
    }

    /// Gaps that the box told: epoch, from, to, reason.
    pub fn gaps(&self) -> Vec<(u64, u64, u64, String)> {
        let gaps = self.kept.values().filter(|event| event["type"] == "cn.anju.box.gap");
        let number = |event: &Value, field: &str| event["data"][field].as_u64().unwrap();
        gaps.map(|gap| {
            let reason = gap["data"]["reason"].as_str().unwrap().to_owned();
            (number(gap, "of_epoch"), number(gap, "from"), number(gap, "to"), reason)
        })
        .collect()
    }

    /// Numbers up to `last` that neither came nor are told as a gap.
    pub fn missing(&self, last: Pair) -> Vec<Pair> {
        let gaps = self.gaps();
        let epochs: BTreeSet<u64> =
            self.kept.keys().map(|(epoch, _)| *epoch).chain([last.0]).collect();
        let mut missing = Vec::new();
        for epoch in epochs {
            let of = |(e, seq): &Pair| (*e == epoch).then_some(*seq);
            let Some(first) = self.kept.keys().find_map(of) else {
                missing.push((epoch, last.1));
                continue;
            };
            let end = self.kept.keys().rev().find_map(of).unwrap_or(first);
            let end = end.max(self.promised.get(&epoch).copied().unwrap_or(0));
            let end = if epoch == last.0 { end.max(last.1) } else { end };
            missing.extend((first..=end).map(|seq| (epoch, seq)).filter(|pair| {
                !self.kept.contains_key(pair)
                    && !gaps
                        .iter()
                        .any(|(e, from, to, _)| *e == epoch && (*from..=*to).contains(&pair.1))
            }));
        }
        missing
    }

    /// Whether what was promised was kept: no gap but retention's takes it back.
    pub fn verify(&self) {
        for (epoch, from, to, reason) in self.gaps() {
            if reason == "retention" {
                continue;
            }
            let promised = self.promised.get(&epoch).copied().unwrap_or(0);
            for seq in from..=promised.min(to) {
                assert!(
                    self.kept.contains_key(&(epoch, seq)),
                    "{epoch}/{seq} was durable and is told as lost: {reason}"
                );
            }
        }
    }

    /// How many presses were told upstream, those merged into one counted each.
    pub const fn presses(&self) -> u64 {
        self.presses
    }
}
