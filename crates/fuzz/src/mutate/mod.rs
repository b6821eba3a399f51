//! Odd inputs from good ones: by structure where a seed has one, by bytes, and by pieces of other seeds.

mod bytes;
mod json;

use fastrand::Rng;

/// An input of at most this size is made; more is a matter of the limits before the parsers.
const MOST: usize = 64 * 1024;

/// Makes one input out of the seeds; the same for the same state of the dice.
pub(crate) fn input(seeds: &[Vec<u8>], dice: &mut Rng) -> Vec<u8> {
    let Some(seed) = dice.choice(seeds) else { return bytes::random(dice) };
    let mut made = match dice.u8(0..16) {
        // Now and then something that no seed led to.
        0 => bytes::random(dice),
        1..=7 => bytes::changed(seed.clone(), seeds, dice),
        8..=13 => json::changed(seed, seeds, dice)
            .unwrap_or_else(|| bytes::changed(seed.clone(), seeds, dice)),
        _ => {
            let changed = json::changed(seed, seeds, dice).unwrap_or_else(|| seed.clone());
            bytes::changed(changed, seeds, dice)
        }
    };
    made.truncate(MOST);
    made
}

/// Texts that parsers are known to stumble over.
const ODD: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{feff}",
    "\n",
    "\r\n",
    "\t",
    "null",
    "true",
    "NaN",
    "N/A",
    "0",
    "-0",
    "-1",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.1",
    "1795224030",
    "1795224030000",
    "1795224030000000000",
    "99999999999999999999",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30T25:61:61Z",
    "2026-11-21T04:00:20+99:99",
    "2021-02-18T17:15:27.892+0000",
    "Thu, 02 Aug 2018 05:30:00 GMT",
    "24:00",
    "P999999999Y",
    "1000000000000h",
    "${X}",
    "{{Name}}",
    "$ALERT_ID",
    "<no value>",
    "%00%ff%",
    "\u{202e}",
    "\u{1f525}",
    "\u{e000}",
    "é\u{301}",
    "\\ud800",
    "\\",
    "\"",
    "'",
    "`",
    "]]]]",
    "{{{{",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "((((((((((((((((((((((((((((((((",
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary x",
    "---",
    "arn:aws:sns:eu-west-1:111122223333:alarms",
    "arn::::::",
    "https://",
    "javascript:alert(1)",
    "../../../../etc/passwd",
    "=~\".*\"",
    "(a+)+$",
    "(?i)(?x",
    "resolved",
    "firing",
    "critical",
    "Watchdog",
    "__proto__",
];
