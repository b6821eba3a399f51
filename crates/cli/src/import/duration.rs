//! Durations as Prometheus writes them (`1d12h`), as ours: in hours, minutes, seconds.

/// `None` for what is no such duration.
pub(super) fn ours(text: &str) -> Option<String> {
    let millis = millis(text)?;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s"), (millis, "ms")];
    let written: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    Some(if written.is_empty() { "0s".to_owned() } else { written.concat() })
}

fn millis(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let each: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(each)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn days_and_weeks_become_hours() {
        for (theirs, expected) in [
            ("30s", Some("30s")),
            ("5m", Some("5m")),
            ("4h", Some("4h")),
            ("1d", Some("24h")),
            ("1w2d", Some("216h")),
            ("1h30m15s500ms", Some("1h30m15s500ms")),
            ("90s", Some("1m30s")),
            ("0", Some("0s")),
            ("0s", Some("0s")),
            ("", None),
            ("5", None),
            ("soon", None),
            ("-5m", None),
            ("99999999999999999999y", None),
        ] {
            assert_eq!(ours(theirs).as_deref(), expected, "{theirs}");
        }
    }
}
