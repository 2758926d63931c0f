//! What adverts of sensors and buttons carry, whatever their format: measurements with their units,
//! states, and presses. Meaning for a kind of device is given elsewhere.

/// One object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Object {
    /// A measurement.
    Measure(Measure, f64),
    /// A state.
    State(State, bool),
    /// What was done with a button.
    Button(Press),
    /// One that says nothing of use here.
    Other,
}

/// What is measured, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Charge, per cent.
    BatteryPercent,
    /// Degrees Celsius.
    Celsius,
    /// Relative humidity, per cent.
    HumidityPercent,
    /// Hectopascals.
    Hectopascals,
    /// Lux.
    Lux,
    /// Kilograms.
    Kilograms,
    /// Volts.
    Volts,
    /// Watts.
    Watts,
    /// Watt hours.
    WattHours,
    /// Fine dust PM2.5, µg/m³.
    Pm2_5,
    /// Fine dust PM10, µg/m³.
    Pm10,
    /// Carbon dioxide, parts per million.
    Co2Ppm,
    /// Water since manufacture, litres.
    WaterLitres,
}

/// States that are on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The battery is low.
    BatteryLow,
    /// Carbon monoxide.
    CarbonMonoxide,
    /// A door, window, lid or garage door is open.
    Open,
    /// Burnable gas.
    Gas,
    /// Wet.
    Wet,
    /// Something moves before it.
    Motion,
    /// It is moved itself.
    Moving,
    /// Somebody is on or in it.
    Occupancy,
    /// Somebody is there.
    Presence,
    /// Smoke.
    Smoke,
    /// Its case is open.
    Tamper,
    /// It shakes.
    Vibration,
    /// Something in it is wrong.
    Problem,
}

/// What was done with a button. The place of a button among several is its place in the advert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Nothing; another button was meant.
    None,
    /// Once.
    Single,
    /// Twice.
    Double,
    /// Three times.
    Triple,
    /// Held, once or more.
    Long,
    /// In a way that this version does not know: still a press.
    Unknown,
}
