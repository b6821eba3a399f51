//! Numbers as people read them.

/// `1,234,567`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `99.95 %`; what is not quite all or not quite nothing is never rounded to 100 or 0.
pub fn percent(percent: f64) -> String {
    let rounded = format!("{percent:.2}");
    match rounded.as_str() {
        "100.00" if percent < 100.0 => "> 99.99 %".to_owned(),
        "0.00" if percent > 0.0 => "< 0.01 %".to_owned(),
        "100.00" => "100 %".to_owned(),
        "0.00" | "-0.00" => "0 %".to_owned(),
        _ => format!("{rounded} %"),
    }
}

/// `1.2 GB`, by thousands.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = float(bytes);
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" || value >= 99.95 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// `420 ms`, `1.25 s`
pub(crate) fn milliseconds(value: f64) -> String {
    if value < 999.5 { format!("{value:.0} ms") } else { format!("{:.2} s", value / 1000.0) }
}

/// A change with its sign: `+1.25`, `-0.50`, `0`.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{value:+.decimals$}");
    if text.trim_start_matches(['+', '-']).trim_matches(['0', '.']).is_empty() {
        "0".to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// The share of a part in a whole, in percent; 0 of nothing.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * float(part) / float(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts past 2^53 are shown to a few digits only")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let cases = [
            (100.0, "100 %"),
            (99.999, "> 99.99 %"),
            (0.0, "0 %"),
            (0.0004, "< 0.01 %"),
            (3.456, "3.46 %"),
        ];
        for (value, text) in cases {
            assert_eq!(percent(value), text);
        }
    }

    #[test]
    fn bytes_have_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_600, "1.0 MB"),
            (29_900_000_000, "29.9 GB"),
            (123_000_000, "123 MB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text);
        }
    }

    #[test]
    fn changes_have_a_sign() {
        for (value, text) in [(1.25, "+1.25"), (-0.5, "−0.50"), (0.001, "0"), (-0.001, "0")] {
            assert_eq!(signed(value, 2), text);
        }
    }
}
