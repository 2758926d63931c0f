//! Circles on the map for one locator. It must never say that somebody left or came because of a
//! position that is too inaccurate to tell, nor flutter at the edge of a circle. A position that is
//! less accurate than a circle is wide never lies inside it; it lies outside where even its error
//! does not reach the circle: who wanders off where only a mast is heard is still missed.

use anju_model::config::Zone;
use anju_model::observation::Location;

/// Mean radius of the earth, metres (IUGG).
const EARTH: f64 = 6_371_008.8;

/// Least width of the edge in which nothing changes, metres: phones jump that far when still.
const EDGE: f64 = 20.0;

/// A position that can be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Radius of its error, metres; 0 if the locator does not tell.
    pub accuracy: f64,
}

impl Fix {
    /// A position on the earth; `None` for anything else.
    pub fn new(latitude: f64, longitude: f64, accuracy: Option<f64>) -> Option<Self> {
        let accuracy = accuracy.unwrap_or(0.0);
        let sound = (-90.0..=90.0).contains(&latitude)
            && (-180.0..=180.0).contains(&longitude)
            && (0.0..=1e6).contains(&accuracy);
        sound.then_some(Self { latitude, longitude, accuracy })
    }

    /// Metres between two positions (haversine formula).
    fn metres_to(&self, zone: &Zone) -> f64 {
        let (a, b) = (self.latitude.to_radians(), zone.latitude.to_radians());
        let across = ((zone.longitude - self.longitude).to_radians() / 2.0).sin();
        let along = ((b - a) / 2.0).sin();
        let h = along * along + a.cos() * b.cos() * across * across;
        2.0 * EARTH * h.clamp(0.0, 1.0).sqrt().asin()
    }

    /// The observation of the position itself.
    pub fn location(&self) -> Location {
        Location {
            latitude_degrees: Some(self.latitude),
            longitude_degrees: Some(self.longitude),
            accuracy_metres: (self.accuracy > 0.0).then_some(self.accuracy),
            ..Location::default()
        }
    }
}

/// A circle that was entered or left.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// What to tell.
    pub location: Location,
    /// Whether it was unknown before, so that nobody moved.
    pub first: bool,
}

/// The circles and in which of them a locator is.
#[derive(Debug)]
pub struct Fence {
    zones: Vec<(Zone, Option<bool>)>,
}

impl Fence {
    /// Circles of which nothing is known yet.
    pub fn new(zones: &[Zone]) -> Self {
        Self { zones: zones.iter().map(|zone| (zone.clone(), None)).collect() }
    }

    /// The circle of a name that people or an app use for it.
    pub fn zone_named(&self, name: &str) -> Option<&str> {
        let mut ids = self.zones.iter().map(|(zone, _)| zone.id.as_str());
        ids.find(|id| id.eq_ignore_ascii_case(name.trim()))
    }

    /// Which circles a position enters and leaves. `claim` is a circle that the locator itself says
    /// to have entered or left; it decides only where the position can not.
    pub fn judge(&mut self, fix: &Fix, claim: Option<(&str, bool)>) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for (zone, inside) in &mut self.zones {
            let coarse = fix.accuracy > zone.radius;
            let metres = fix.metres_to(zone);
            let edge = EDGE.max(fix.accuracy).max(zone.radius / 10.0);
            let claimed = claim.filter(|(id, _)| *id == zone.id).map(|(_, entered)| entered);
            let now = if metres > zone.radius + edge {
                false
            } else if coarse {
                continue;
            } else if metres <= zone.radius && claimed != Some(false) {
                true
            } else if let Some(claimed) = claimed {
                claimed
            } else {
                continue;
            };
            let before = inside.replace(now);
            if before != Some(now) {
                crossings.push(Crossing {
                    location: Location {
                        zone: Some(zone.id.clone()),
                        entered: Some(now),
                        ..fix.location()
                    },
                    first: before.is_none(),
                });
            }
        }
        crossings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence() -> Fence {
        let home = Zone { id: "home".into(), latitude: 30.0, longitude: 120.0, radius: 150.0 };
        Fence::new(&[home])
    }

    /// A position that many metres north of home.
    fn north(metres: f64, accuracy: f64) -> Fix {
        Fix::new(30.0 + metres / 111_195.0, 120.0, Some(accuracy)).unwrap()
    }

    fn entered(crossings: &[Crossing]) -> Vec<(bool, bool)> {
        crossings.iter().map(|c| (c.location.entered.unwrap(), c.first)).collect()
    }

    #[test]
    fn the_edge_does_not_flutter_and_no_coarse_fix_is_inside() {
        let mut fence = fence();
        assert_eq!(entered(&fence.judge(&north(10.0, 5.0), None)), [(true, true)]);
        for metres in [149.0, 155.0, 165.0, 140.0] {
            assert_eq!(entered(&fence.judge(&north(metres, 5.0), None)), [], "{metres}");
        }
        assert_eq!(entered(&fence.judge(&north(171.0, 5.0), None)), [(false, false)]);
        // The middle, but less accurate than the circle is wide.
        assert_eq!(entered(&fence.judge(&north(0.0, 151.0), None)), []);
        assert_eq!(entered(&fence.judge(&north(0.0, 151.0), Some(("home", true)))), []);
        assert_eq!(entered(&fence.judge(&north(160.0, 5.0), None)), []);
        assert_eq!(entered(&fence.judge(&north(149.0, 5.0), None)), [(true, false)]);
        // 200 m with an error of 60 m is not surely out.
        assert_eq!(entered(&fence.judge(&north(200.0, 60.0), None)), []);
    }

    #[test]
    fn whoever_is_far_away_is_out_however_coarse_the_fix() {
        let inside = [(true, true)];
        for (metres, accuracy) in [(10_000.0, 800.0), (3000.0, 151.0), (311.0, 160.0)] {
            let mut fence = fence();
            assert_eq!(entered(&fence.judge(&north(0.0, 5.0), None)), inside);
            let left = fence.judge(&north(metres, accuracy), None);
            assert_eq!(entered(&left), [(false, false)], "{metres}");
        }
        for (metres, accuracy) in [(200.0, 60.0), (309.0, 160.0), (3000.0, 2900.0)] {
            let mut fence = fence();
            assert_eq!(entered(&fence.judge(&north(0.0, 5.0), None)), inside);
            assert_eq!(entered(&fence.judge(&north(metres, accuracy), None)), [], "{metres}");
        }
    }

    #[test]
    fn a_claim_decides_only_at_the_edge() {
        let mut fence = fence();
        fence.judge(&north(0.0, 5.0), None);
        assert_eq!(
            entered(&fence.judge(&north(160.0, 5.0), Some(("home", false)))),
            [(false, false)]
        );
        assert_eq!(
            entered(&fence.judge(&north(160.0, 5.0), Some(("home", true)))),
            [(true, false)]
        );
        assert_eq!(
            entered(&fence.judge(&north(900.0, 5.0), Some(("home", true)))),
            [(false, false)]
        );
    }

    #[test]
    fn what_is_no_position_is_none() {
        for (lat, lon, acc) in [(91.0, 0.0, 1.0), (0.0, 181.0, 1.0), (0.0, 0.0, -1.0)] {
            assert_eq!(Fix::new(lat, lon, Some(acc)), None);
        }
        assert_eq!(Fix::new(f64::NAN, 0.0, None), None);
    }
}
