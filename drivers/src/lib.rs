//! Devices and their links.
