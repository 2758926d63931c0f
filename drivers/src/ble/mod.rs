//! Devices on a Bluetooth radio. Decoders are pure, one file for each format. Nothing heard over the
//! air may be trusted: only enrolled addresses count, and what can be encrypted should be.

pub mod beacon;
pub mod blood_pressure;
pub mod bthome;
pub mod bytes;
pub mod environment;
pub mod heart_rate;
pub mod hygrometer;
pub mod key;
pub mod mi_beacon;
pub mod mi_scale;
pub mod object;
pub mod oximeter;
pub mod thermometer;
pub mod weight;

#[cfg(test)]
mod tests;
