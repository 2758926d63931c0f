//! What the tests of survival share: chance with a printed seed, and bodies that tell their number.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use anju_journal::{Number, Record};

#[path = "../../../tests/common/chance.rs"]
mod chance;
pub use chance::{Chance, rounds};

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
