//! The life of alerts under virtual time.

mod anew;
mod commands;
mod floods;
mod home;
mod paths;
mod random;
mod routing;
