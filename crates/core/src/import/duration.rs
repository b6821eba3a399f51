//! Durations as Prometheus writes them: `30s`, `1h30m`, `2w`.

use jiff::SignedDuration;

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units stand from large to small, each at most once; `0` needs none.
pub(super) fn read(text: &str) -> Option<SignedDuration> {
    if text == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut rest = text;
    let mut left = &UNITS[..];
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) =
            after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let at = left.iter().position(|(name, _)| *name == unit)?;
        let (_, milliseconds) = left.get(at)?;
        let part = number.parse::<i64>().ok()?.checked_mul(*milliseconds)?;
        total = total.checked_add(part)?;
        left = left.get(at + 1..)?;
        rest = after;
    }
    (!text.is_empty()).then(|| SignedDuration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        for (text, seconds) in
            [("0", 0), ("30s", 30), ("1h30m", 5400), ("1d", 86_400), ("2w", 1_209_600), ("0s", 0)]
        {
            assert_eq!(read(text).map(|read| read.as_secs()), Some(seconds), "{text}");
        }
        for wrong in
            ["", "5", "m", "1m1h", "1m1m", "-5m", "1.5h", "5 m", "99999999999999999y", "PT5M"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
