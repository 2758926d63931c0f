//! What a device exposes (zigbee2mqtt.io, "Exposes"): which properties it has under which names, and
//! which of its values mean what. A device is understood from this, not from a list of models; where
//! it did not say, the documented values hold. Pure decoding.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::mqtt::value;

/// One exposed property.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Property {
    /// The key in the message: the name, with the endpoint where there are several.
    pub property: String,
    /// The value that means "on", for binary properties.
    pub value_on: Option<Value>,
    /// The value that means "off".
    pub value_off: Option<Value>,
    /// Words it can have.
    pub values: Vec<String>,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Largest number it takes.
    pub value_max: Option<f64>,
    /// Whether it can be set.
    pub settable: bool,
    /// Whether messages hold it, as far as is said.
    pub published: bool,
    /// Features of a composite property.
    pub features: Vec<Property>,
}

/// All properties of a device by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposes {
    by_name: BTreeMap<String, Vec<Property>>,
    count: usize,
}

/// Exposes nest: a specific type holds features. Deeper ones are not read.
const DEEPEST: usize = 4;

/// Most properties kept for one device.
const MOST_PROPERTIES: usize = 256;

/// The bit of `access` for "is in what the device publishes".
const PUBLISHED: u64 = 1;

/// The bit of `access` for "can be set".
const SETTABLE: u64 = 2;

/// A detector whose two alarm bits are both exposed has each under a name of its own. The first is
/// the danger (ZCL 8.2.2.2.1.3); the second may be unused, and is then of any value.
const FIRST_BIT: &[(&str, &str)] = &[
    ("smoke_alarm_1", "smoke"),
    ("gas_alarm_1", "gas"),
    ("carbon_monoxide_alarm_1", "carbon_monoxide"),
    ("water_leak_alarm_1", "water_leak"),
    ("occupancy_alarm_1", "occupancy"),
    ("contact_alarm_1", "contact"),
];

fn text(item: &Value, key: &str) -> Option<String> {
    item.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn property(item: &Value, depth: usize) -> Option<(String, Property)> {
    let property = text(item, "property")?;
    let name = text(item, "name").unwrap_or_else(|| property.clone());
    let plain = FIRST_BIT.iter().find(|(bit, _)| *bit == name).map(|(_, plain)| *plain);
    let name = plain.map_or(name, str::to_owned);
    let access = item.get("access").and_then(Value::as_u64);
    let list = |key: &str| item.get(key).and_then(Value::as_array).into_iter().flatten();
    let features = if depth < DEEPEST {
        let inner = list("features").take(MOST_PROPERTIES);
        inner.filter_map(|f| Some(self::property(f, depth + 1)?.1)).collect()
    } else {
        Vec::new()
    };
    let property = Property {
        property,
        value_on: item.get("value_on").cloned(),
        value_off: item.get("value_off").cloned(),
        values: list("values")
            .take(MOST_PROPERTIES)
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        unit: text(item, "unit"),
        value_max: item.get("value_max").and_then(value::number),
        settable: access.is_some_and(|access| access & SETTABLE != 0),
        published: access.is_none_or(|access| access & PUBLISHED != 0),
        features,
    };
    Some((name, property))
}

/// A unit without what makers write differently: `%LEL`, `% LEL` and `LEL` are one, and so are the
/// two letters for micro.
fn plain(unit: &str) -> String {
    let kept = unit.chars().filter(|c| !c.is_whitespace() && *c != '%');
    kept.map(|c| if c == 'μ' { 'µ' } else { c }).flat_map(char::to_lowercase).collect()
}

impl Exposes {
    /// Reads the `exposes` list of a device's definition.
    pub fn read(list: &[Value]) -> Self {
        let mut exposes = Self::default();
        exposes.add(list, 0);
        exposes
    }

    fn add(&mut self, list: &[Value], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for item in list {
            if self.count < MOST_PROPERTIES
                && let Some((name, property)) = property(item, depth)
            {
                self.count += 1;
                self.by_name.entry(name).or_default().push(property);
            }
            if item.get("type").and_then(Value::as_str) != Some("composite")
                && let Some(features) = item.get("features").and_then(Value::as_array)
            {
                self.add(features, depth + 1);
            }
        }
    }

    /// Whether the device said what it has.
    pub fn known(&self) -> bool {
        self.count > 0
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The properties of a name: one, or one for each endpoint.
    pub fn named(&self, name: &str) -> &[Property] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The values of a message under a name, with what is known of each.
    fn values<'m>(
        &self,
        fields: &'m Map<String, Value>,
        name: &str,
    ) -> Vec<(&'m Value, Option<&Property>)> {
        let named = self.named(name);
        let get = |key: &str| fields.get(key).filter(|value| !value.is_null());
        if named.is_empty() {
            return get(name).map(|value| (value, None)).into_iter().collect();
        }
        named.iter().filter_map(|p| Some((get(&p.property)?, Some(p)))).collect()
    }

    /// Whether a property of the message is on, on any endpoint; `None` if it is absent or null, or
    /// not a value the property can have.
    pub fn flag(&self, fields: &Map<String, Value>, name: &str) -> Option<bool> {
        let on = |(value, property): (&Value, Option<&Property>)| {
            if let Some(property) = property {
                if property.value_on.as_ref() == Some(value) {
                    return Some(true);
                }
                if property.value_off.as_ref() == Some(value) {
                    return Some(false);
                }
            }
            value::flag(value)
        };
        let found: Vec<bool> = self.values(fields, name).into_iter().filter_map(on).collect();
        (!found.is_empty()).then(|| found.contains(&true))
    }

    /// zigbee2mqtt: `contact` true means closed, so that its exposed "on" value, `false`, is the
    /// open door. Values of other types mean what the device exposes. A handle that knows three
    /// positions tells them as `opening_state`; a tilted window is open.
    pub fn open(&self, fields: &Map<String, Value>) -> Option<bool> {
        let mut found: Vec<bool> = self
            .values(fields, "contact")
            .into_iter()
            .filter_map(|(value, property)| match value {
                Value::Bool(closed) => Some(!closed),
                _ => {
                    let property = property?;
                    let is = |known: &Option<Value>| known.as_ref() == Some(value);
                    is(&property.value_on)
                        .then_some(true)
                        .or_else(|| is(&property.value_off).then_some(false))
                }
            })
            .collect();
        found.extend(match self.word(fields, "opening_state") {
            Some("open" | "tilted") => Some(true),
            Some("closed") => Some(false),
            _ => None,
        });
        (!found.is_empty()).then(|| found.contains(&true))
    }

    /// The numbers of a message under a name, one for each endpoint, with their unit.
    pub fn numbers(&self, fields: &Map<String, Value>, name: &str) -> Vec<(f64, Option<&str>)> {
        self.values(fields, name)
            .into_iter()
            .filter_map(|(v, p)| Some((value::number(v)?, p.and_then(|p| p.unit.as_deref()))))
            .collect()
    }

    /// The first number of a message under a name, if its unit is none or this one, however written.
    pub fn number(&self, fields: &Map<String, Value>, name: &str, unit: &str) -> Option<f64> {
        let numbers = self.numbers(fields, name);
        let is = |of: &str| plain(of) == plain(unit);
        numbers.into_iter().find(|(_, of)| of.is_none_or(is)).map(|(n, _)| n)
    }

    /// The first word of a message under a name.
    pub fn word<'m>(&self, fields: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
        self.values(fields, name).into_iter().find_map(|(value, _)| value.as_str())
    }
}
