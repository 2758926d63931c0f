//! Chance with a seed that is printed, so that a failure can be had again.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::time::{SystemTime, UNIX_EPOCH};

/// Vigna's xorshift64*, good enough to choose moments and bytes.
pub struct Chance(u64);

impl Chance {
    /// Seeded by `ANJU_SEED`, else by the clock; the seed is printed.
    pub fn new(what: &str) -> Self {
        let seed = std::env::var("ANJU_SEED").ok().and_then(|seed| seed.parse().ok());
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
        let seed = seed.unwrap_or(clock);
        println!("{what}: ANJU_SEED={seed}");
        Self::seeded(seed)
    }

    pub fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
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

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }
}

/// How many rounds: `ANJU_ROUNDS`, else the short form.
pub fn rounds(short: usize) -> usize {
    std::env::var("ANJU_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(short)
}
