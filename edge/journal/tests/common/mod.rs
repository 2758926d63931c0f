//! What the tests of survival share: chance with a printed seed, and bodies that tell their number.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use anju_journal::{Number, Record};

/// xorshift64*, good enough to choose moments and places.
pub struct Chance(u64);

impl Chance {
    /// Seeded by `ANJU_SEED`, else by the clock; the seed is printed.
    pub fn new(what: &str) -> Chance {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = std::env::var("ANJU_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or_else(|| now.map_or(1, |d| d.as_nanos() as u64));
        println!("{what}: ANJU_SEED={seed}");
        Chance::seeded(seed)
    }

    pub fn seeded(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// How many rounds: `ANJU_ROUNDS`, else the short form.
pub fn rounds(short: usize) -> usize {
    std::env::var("ANJU_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(short)
}

/// A body that only this number has: mostly small, now and then in many pieces.
pub fn body(number: Number) -> Vec<u8> {
    let mut chance = Chance::seeded(number.seq.wrapping_mul(31).wrapping_add(number.epoch));
    let len = match chance.below(200) {
        0 => 5_000 + chance.below(55_000),
        _ => 40 + chance.below(500),
    };
    let mut body = number.to_string().into_bytes();
    while (body.len() as u64) < len {
        body.extend_from_slice(&chance.next().to_le_bytes());
    }
    body
}

/// Every record is what was appended under its number, and numbers rise.
pub fn verify(records: &[Record]) {
    for pair in records.windows(2) {
        assert!(
            pair[0].number.seq < pair[1].number.seq,
            "{} then {}",
            pair[0].number,
            pair[1].number
        );
        assert!(pair[0].number < pair[1].number, "{} then {}", pair[0].number, pair[1].number);
    }
    for record in records {
        assert_eq!(record.body, body(record.number), "body of {}", record.number);
    }
}
