//! Finds the one entry that a broker can not bear: it never answers it, or hangs up on it. Without
//! this such an entry would come first on each new connection and block its lane for ever. It must
//! never condemn an entry because the network is bad: one is condemned only if others pass it, or
//! if the connection ended again and again while nothing but that entry was on its way.

/// So many points condemn an entry.
const CONDEMNED: u32 = 6;

/// Points for an entry without an answer while one behind it has its own.
const PASSED_BY: u32 = 2;

/// Points for an entry that was alone when a connection ended which had worked until then.
const ALONE: u32 = 1;

/// After so many connections on which no entry of the lane passed, they go one at a time.
const FRUITLESS: u32 = 2;

/// How a lane stood when its connection ended by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ended {
    /// The first entry without an answer.
    pub head: Option<u64>,
    /// An entry behind it was answered.
    pub passed_by: bool,
    /// It was the only one on its way, and the broker had answered something else before.
    pub alone: bool,
    /// How many entries passed on this connection.
    pub passed: u64,
    /// The broker said why, and that was no entry's fault.
    pub excused: bool,
}

/// One lane's trial.
#[derive(Debug, Default)]
pub struct Trial {
    suspect: Option<u64>,
    points: u32,
    fruitless: u32,
}

impl Trial {
    /// Whether entries go one at a time until one passes.
    pub const fn cautious(&self) -> bool {
        self.fruitless >= FRUITLESS
    }

    /// Whether this entry is given up.
    pub fn condemns(&self, seq: u64) -> bool {
        self.points >= CONDEMNED && self.suspect == Some(seq)
    }

    /// A connection ended by itself.
    pub fn ended(&mut self, end: Ended) {
        let Some(head) = end.head else { return };
        if end.excused {
            return;
        }
        if self.suspect != Some(head) {
            self.suspect = Some(head);
            self.points = 0;
        }
        self.points += if end.passed_by {
            PASSED_BY
        } else if end.alone {
            ALONE
        } else {
            0
        };
        self.fruitless = if end.passed == 0 { self.fruitless + 1 } else { 0 };
    }

    /// An entry passed, or was given up.
    pub fn settled(&mut self, seq: u64) {
        self.fruitless = 0;
        if self.suspect == Some(seq) {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(head: u64) -> Ended {
        Ended { head: Some(head), ..Ended::default() }
    }

    #[test]
    fn a_bad_network_condemns_nothing() {
        let mut trial = Trial::default();
        for _ in 0..100 {
            trial.ended(end(7));
            trial.ended(Ended { alone: true, excused: true, ..end(7) });
        }
        assert!(trial.cautious() && !trial.condemns(7));
        trial.settled(7);
        assert!(!trial.cautious());
    }

    #[test]
    fn what_kills_its_connection_alone_is_condemned() {
        let mut trial = Trial::default();
        trial.ended(end(7));
        assert!(!trial.cautious());
        trial.ended(end(7));
        for _ in 0..6 {
            assert!(trial.cautious() && !trial.condemns(7));
            trial.ended(Ended { alone: true, ..end(7) });
        }
        assert!(trial.condemns(7) && !trial.condemns(8));
        trial.settled(7);
        assert!(!trial.condemns(7) && !trial.cautious());
    }

    #[test]
    fn what_all_others_pass_is_condemned() {
        let mut trial = Trial::default();
        for _ in 0..3 {
            assert!(!trial.condemns(7));
            trial.ended(Ended { passed_by: true, passed: 99, ..end(7) });
        }
        assert!(trial.condemns(7));
        trial.ended(end(9));
        assert!(!trial.condemns(7));
    }
}
