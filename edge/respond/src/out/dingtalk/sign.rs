//! The signature of a message: HMAC-SHA256 (RFC 2104) with the robot's secret over the time in
//! milliseconds, a line feed and the secret again, in base64 (RFC 4648).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Signs for a moment, in milliseconds since 1970.
pub(super) fn sign(secret: &str, at_ms: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{at_ms}\n{secret}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figured out with Python's `hmac` and `base64`.
    #[test]
    fn it_is_what_another_implementation_says() {
        assert_eq!(
            sign("SEC0123456789abcdef", 1_577_262_236_757),
            "Pgr6tpIpjVrMPPJUPkaI9sivFPPTYOy5zIOMF2GPFMA="
        );
    }
}
