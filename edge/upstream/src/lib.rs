//! The way to the centre over MQTT 5.
