//! The figures: what was measured in each run, beside its floor of the same run, and the bound that
//! the median must hold.

use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Outcome, io};

/// What a figure must hold.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// At most so many times the floor.
    TimesFloor(f64),
    /// At least this part of the floor.
    PartOfFloor(f64),
    /// At most the floor and so much more.
    FloorPlus(f64),
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Only told.
    Told,
}

/// One figure.
#[derive(Debug)]
pub struct Figure {
    name: String,
    unit: &'static str,
    bound: Bound,
    runs: Vec<(f64, Option<f64>)>,
}

impl Figure {
    /// A figure without runs yet.
    pub fn new(name: impl Into<String>, unit: &'static str, bound: Bound) -> Self {
        Self { name: name.into(), unit, bound, runs: Vec::new() }
    }

    /// One run beside its floor.
    pub fn beside(&mut self, value: f64, floor: f64) {
        self.runs.push((value, Some(floor)));
    }

    /// One run of what has no floor.
    pub fn alone(&mut self, value: f64) {
        self.runs.push((value, None));
    }

    /// The same runs judged by another bound, under another name.
    pub fn judged(&self, name: impl Into<String>, bound: Bound) -> Self {
        Self { name: name.into(), unit: self.unit, bound, runs: self.runs.clone() }
    }

    fn value(&self) -> f64 {
        median(self.runs.iter().map(|run| run.0))
    }

    fn floor(&self) -> Option<f64> {
        let floors: Vec<f64> = self.runs.iter().filter_map(|run| run.1).collect();
        (!floors.is_empty()).then(|| median(floors.into_iter()))
    }

    fn against(&self, how: impl Fn(f64, f64) -> f64) -> f64 {
        median(self.runs.iter().filter_map(|(value, floor)| floor.map(|floor| how(*value, floor))))
    }

    /// Whether the median holds the bound; a figure without runs holds none.
    pub fn holds(&self) -> bool {
        match self.bound {
            Bound::TimesFloor(most) => self.against(|v, f| v / f) <= most,
            Bound::PartOfFloor(least) => self.against(|v, f| v / f) >= least,
            Bound::FloorPlus(most) => self.against(|v, f| v - f) <= most,
            Bound::AtMost(most) => self.value() <= most,
            Bound::AtLeast(least) => self.value() >= least,
            Bound::Told => !self.runs.is_empty(),
        }
    }

    fn bound_text(&self) -> String {
        match self.bound {
            Bound::TimesFloor(most) => format!("<= {most} x floor"),
            Bound::PartOfFloor(least) => format!(">= {least} x floor"),
            Bound::FloorPlus(most) => format!("<= floor + {most}"),
            Bound::AtMost(most) => format!("<= {most}"),
            Bound::AtLeast(least) => format!(">= {least}"),
            Bound::Told => String::new(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "unit": self.unit,
            "median": self.value(),
            "floor": self.floor(),
            "ratio": self.floor().map(|_| self.against(|v, f| v / f)),
            "bound": self.bound_text(),
            "holds": self.holds(),
            "runs": self.runs.iter().map(|(value, floor)| json!([value, floor])).collect::<Vec<_>>(),
        })
    }
}

/// The middle value; NaN of none, which holds no bound.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(&mut values.collect::<Vec<_>>(), 0.5)
}

/// The value below which this part of the values lies (nearest rank).
pub fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (part * values.len() as f64).ceil().max(1.0) as usize;
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// All figures.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds figures and shows them at once, so that one who waits sees something.
    pub fn add(&mut self, figures: impl IntoIterator<Item = Figure>) {
        for figure in figures {
            println!("{}", line(&figure));
            self.figures.push(figure);
        }
    }

    /// Whether every bound is held.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds)
    }

    /// The names of those that do not hold.
    pub fn missed(&self) -> Vec<&str> {
        self.figures.iter().filter(|f| !f.holds()).map(|f| f.name.as_str()).collect()
    }

    /// Writes all figures with their runs.
    ///
    /// # Errors
    /// When the file can not be written.
    pub fn write(&self, path: &Path, machine: &Value) -> Outcome<()> {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        let all = json!({"machine": machine, "holds": self.holds(), "figures": figures});
        std::fs::write(path, format!("{all:#}\n")).map_err(io("writing the figures"))
    }
}

/// The table's head.
pub fn head() -> String {
    format!(
        "{:<58} {:>11} {:>11} {:>7}  {:<16} {}",
        "figure (median)", "measured", "floor", "ratio", "bound", "held"
    )
}

fn line(figure: &Figure) -> String {
    let number = |value: f64| match value {
        v if v.abs() >= 1000.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    };
    let floor = figure.floor().map(number).unwrap_or_default();
    let ratio = figure.floor().map(|_| format!("{:.2}", figure.against(|v, f| v / f)));
    format!(
        "{:<58} {:>11} {:>11} {:>7}  {:<16} {}",
        format!("{}, {}", figure.name, figure.unit),
        number(figure.value()),
        floor,
        ratio.unwrap_or_default(),
        figure.bound_text(),
        match (figure.bound, figure.holds()) {
            (Bound::Told, true) => "",
            (_, true) => "yes",
            (_, false) => "NO",
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_run_is_judged_beside_its_own_floor() {
        let mut figure = Figure::new("a", "ms", Bound::TimesFloor(2.0));
        assert!(!figure.holds(), "nothing measured, nothing held");
        for (value, floor) in [(1.0, 1.0), (9.0, 1.0), (3.8, 2.0), (9.0, 5.0), (90.0, 1.0)] {
            figure.beside(value, floor);
        }
        assert!(figure.holds());
        assert!(!figure.judged("b", Bound::TimesFloor(1.8)).holds());
        assert!(!figure.judged("c", Bound::AtMost(8.0)).holds());
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut values, 0.99), 99.0);
        assert!(percentile(&mut [], 0.5).is_nan());
    }
}
