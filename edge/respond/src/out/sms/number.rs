//! Whether two telephone numbers are the same one. Networks give a sender's number with or without
//! the country code. Pure.

/// Digits of a Chinese mobile number without the country code (GB/T 15120.1's numbering aside, the
/// ministry's plan: 1 and ten more).
const MOBILE: usize = 11;

/// Whether the sender `from`, as a network gives it, is the contact's E.164 `number`.
pub fn same(number: &str, from: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (own, from_digits) = (digits(number), digits(from));
    if own.is_empty() || from_digits.is_empty() {
        return false;
    }
    if own == from_digits {
        return true;
    }
    // Without the country code, as within the country.
    let national = own.strip_prefix("86").filter(|rest| rest.len() == MOBILE);
    !from.trim_start().starts_with('+') && national == Some(from_digits.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_with_and_without_its_country_code() {
        let own = "+8613800000000";
        for from in ["+8613800000000", "8613800000000", "13800000000", "+86 138-0000-0000"] {
            assert!(same(own, from), "{from}");
        }
        for from in ["", "3800000000", "+13800000000", "13800000001", "0000", "10086"] {
            assert!(!same(own, from), "{from}");
        }
        assert!(!same("+44800000000", "800000000"));
    }
}
