//! Alert life and the ways out.
