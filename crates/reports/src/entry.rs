//! One line of an access log as far as the report needs it, or the reason why it is none.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::fields::{Fields, OpenQuote};

/// The number of fields that each layout since 2016 had; from the last of these on, more may follow.
const OLD_LAYOUTS: [usize; 6] = [18, 20, 21, 24, 25, 27];
const TODAY: usize = 29;
const CLASSIFICATION: usize = 28;

/// A line longer than this is not read: the largest request line and user agent together stay far below.
pub(crate) const LONGEST_LINE: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Minutes since 1970.
    pub(crate) minute: i64,
    /// As written, with 0 for `-`.
    pub(crate) elb_status: u16,
    /// As written, with 0 for `-`: no target answered.
    pub(crate) target_status: u16,
    /// How long the target took; none when no target answered.
    pub(crate) milliseconds: Option<u32>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Method, address and protocol.
    pub(crate) request: &'a [u8],
    /// The ARN, or `-`.
    pub(crate) target_group: &'a [u8],
    /// `TLSv1.3`, or `-`.
    pub(crate) tls: &'a [u8],
    /// `Acceptable`, `Ambiguous`, `Severe`, or `-`; layouts before 2020 have none.
    pub(crate) classification: &'a [u8],
}

/// Why a line is not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Malformed {
    #[error(
        "it has {0} fields; an access log has 29 or more (older ones 18, 20, 21, 24, 25 or 27)"
    )]
    Fields(usize),
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("`time` is not like 2026-11-20T10:15:30.000000Z")]
    Time,
    #[error("`{0}` is not a number of seconds, -1 or -")]
    Seconds(&'static str),
    #[error("`{0}` is not a three-digit status or -")]
    Status(&'static str),
    #[error("`{0}` is not a number of bytes")]
    Bytes(&'static str),
    #[error("it is longer than 256 KiB")]
    TooLong,
}

impl From<OpenQuote> for Malformed {
    fn from(_: OpenQuote) -> Self {
        Self::OpenQuote
    }
}

/// Reads times; neighbours in a log mostly share their minute, which is then looked up only once.
#[derive(Default)]
pub(crate) struct Minutes {
    known: Option<[u8; 16]>,
    minute: i64,
}

impl Minutes {
    fn of(&mut self, time: &[u8]) -> Result<i64, Malformed> {
        let (head, tail) = time.split_first_chunk::<16>().ok_or(Malformed::Time)?;
        if !matches!(tail, [b':', ten, one, fraction @ .., b'Z']
            if ten.is_ascii_digit() && one.is_ascii_digit() && is_fraction(fraction))
        {
            return Err(Malformed::Time);
        }
        if self.known != Some(*head) {
            let text = std::str::from_utf8(head).map_err(|_| Malformed::Time)?;
            let parsed: DateTime = text.parse().map_err(|_| Malformed::Time)?;
            let at = parsed.to_zoned(TimeZone::UTC).map_err(|_| Malformed::Time)?;
            self.minute = at.timestamp().as_second().div_euclid(60);
            self.known = Some(*head);
        }
        Ok(self.minute)
    }
}

fn is_fraction(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        None => true,
        Some((b'.', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

impl<'a> Entry<'a> {
    /// Reads a line without its line end.
    pub(crate) fn read(line: &'a [u8], minutes: &mut Minutes) -> Result<Self, Malformed> {
        if line.len() >= LONGEST_LINE {
            return Err(Malformed::TooLong);
        }
        let mut fields = Fields::of(line);
        let mut next = || fields.take()?.ok_or(Malformed::Fields(fields.taken()));
        let _type = next()?;
        let time = next()?;
        let _balancer = next()?;
        let _client = next()?;
        let _target = next()?;
        let request_seconds = next()?;
        let target_seconds = next()?;
        let response_seconds = next()?;
        let elb_status = next()?;
        let target_status = next()?;
        let received = next()?;
        let sent = next()?;
        let request = next()?;
        let _user_agent = next()?;
        let _cipher = next()?;
        let tls = next()?;
        let target_group = next()?;
        let mut classification: &[u8] = b"-";
        while let Some(field) = fields.take()? {
            if fields.taken() == CLASSIFICATION {
                classification = field;
            }
        }
        let count = fields.taken();
        if count < TODAY && !OLD_LAYOUTS.contains(&count) {
            return Err(Malformed::Fields(count));
        }
        milliseconds(request_seconds, "request_processing_time")?;
        milliseconds(response_seconds, "response_processing_time")?;
        Ok(Self {
            minute: minutes.of(time)?,
            elb_status: status(elb_status, "elb_status_code")?,
            target_status: status(target_status, "target_status_code")?,
            milliseconds: milliseconds(target_seconds, "target_processing_time")?,
            received: number(received).ok_or(Malformed::Bytes("received_bytes"))?,
            sent: number(sent).ok_or(Malformed::Bytes("sent_bytes"))?,
            request,
            target_group,
            tls,
            classification,
        })
    }
}

fn status(text: &[u8], field: &'static str) -> Result<u16, Malformed> {
    let digit = |byte: u8| u16::from(byte.wrapping_sub(b'0'));
    match *text {
        [b'-'] => Ok(0),
        [a, b, c] if text.iter().all(u8::is_ascii_digit) => {
            Ok(digit(a) * 100 + digit(b) * 10 + digit(c))
        }
        _ => Err(Malformed::Status(field)),
    }
}

fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// `0.042` is 42, `-1` and `-` are none.
fn milliseconds(text: &[u8], field: &'static str) -> Result<Option<u32>, Malformed> {
    if matches!(text, b"-1" | b"-" | b"-1.000") {
        return Ok(None);
    }
    let broken = Malformed::Seconds(field);
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point.and_then(|at| text.split_at_checked(at)) {
        Some((whole, fraction)) => (whole, fraction.get(1..).unwrap_or_default()),
        None => (text, &b""[..]),
    };
    let seconds = number(whole).ok_or(broken)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(broken);
    }
    let digit = |place: usize| fraction.get(place).map_or(0, |byte| u64::from(byte - b'0'));
    let parts = digit(0) * 100 + digit(1) * 10 + digit(2) + u64::from(digit(3) >= 5);
    Ok(Some(u32::try_from(seconds.saturating_mul(1000).saturating_add(parts)).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"https 2026-11-20T10:15:30.186641Z app/shop/50dc6c495c0c9188 192.0.2.10:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 34 366 "GET https://www.example.com:443/orders/7?token=x HTTP/1.1" "curl/8.14.1" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "www.example.com" "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234" 1 2026-11-20T10:15:30.085000Z "forward" "-" "-" "10.0.0.1:80" "200" "Severe" "-""#;

    fn read(line: &str) -> Result<Entry<'_>, Malformed> {
        Entry::read(line.as_bytes(), &mut Minutes::default())
    }

    #[test]
    fn a_line_of_today_is_read() {
        let entry = read(LINE).unwrap();
        assert_eq!(entry.minute * 60, 1_795_169_700, "2026-11-20T10:15Z");
        assert_eq!((entry.elb_status, entry.target_status), (200, 200));
        assert_eq!(entry.milliseconds, Some(48));
        assert_eq!((entry.received, entry.sent), (34, 366));
        assert!(entry.request.starts_with(b"GET https://"));
        assert!(entry.target_group.ends_with(b"targetgroup/orders/73e2d6bc24d8a067"));
        assert_eq!((entry.tls, entry.classification), (&b"TLSv1.2"[..], &b"Severe"[..]));
    }

    #[test]
    fn longer_and_older_layouts_are_read() {
        let longer = format!(r#"{LINE} TID_0123 "-" "-" "-" 203.0.113.11 more to come"#);
        assert_eq!(read(&longer).unwrap(), read(LINE).unwrap());
        for count in OLD_LAYOUTS {
            let mut fields = Fields::of(LINE.as_bytes());
            let mut old = Vec::new();
            for _ in 0..count {
                old.push(format!(
                    "\"{}\"",
                    String::from_utf8_lossy(fields.take().unwrap().unwrap())
                ));
            }
            let whole = Entry { classification: b"-", ..read(LINE).unwrap() };
            assert_eq!(read(&old.join(" ")).unwrap(), whole, "{count} fields");
        }
    }

    #[test]
    fn a_request_that_reached_no_target_has_no_latency() {
        let line = LINE
            .replace("10.0.0.1:80 0.086 0.048 0.037 200 200", "- -1 -1 -1 503 -")
            .replace("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/73e2d6bc24d8a067", "-");
        let entry = read(&line).unwrap();
        assert_eq!((entry.elb_status, entry.target_status, entry.milliseconds), (503, 0, None));
        assert_eq!(entry.target_group, b"-");
    }

    #[test]
    fn every_way_of_being_broken_has_its_reason() {
        let cases = [
            ("", Malformed::Fields(0)),
            ("hello world", Malformed::Fields(2)),
            (LINE.strip_suffix('"').unwrap(), Malformed::OpenQuote),
            (LINE.strip_suffix(" \"-\"").unwrap(), Malformed::Fields(28)),
        ];
        for (line, reason) in &cases {
            assert_eq!(read(line).unwrap_err(), *reason, "{line}");
        }
        let changed = [
            ("2026-11-20T10:15:30.186641Z app", "2026-13-20T10:15:30.186641Z app", Malformed::Time),
            ("2026-11-20T10:15:30.186641Z app", "yesterday app", Malformed::Time),
            (" 0.048 ", " fast ", Malformed::Seconds("target_processing_time")),
            (" 0.086 ", " 0.0x6 ", Malformed::Seconds("request_processing_time")),
            (" 200 200 ", " ok 200 ", Malformed::Status("elb_status_code")),
            (" 200 200 ", " 200 2000 ", Malformed::Status("target_status_code")),
            (" 34 366 ", " 34 -366 ", Malformed::Bytes("sent_bytes")),
        ];
        for (from, to, reason) in changed {
            assert_eq!(read(&LINE.replacen(from, to, 1)).unwrap_err(), reason, "{to}");
        }
        assert_eq!(read(&"x".repeat(LONGEST_LINE)).unwrap_err(), Malformed::TooLong);
    }

    #[test]
    fn seconds_become_whole_milliseconds() {
        for (text, expected) in
            [("0.000", 0), ("1.234", 1234), ("0.0015", 2), ("12", 12000), ("0.5", 500)]
        {
            assert_eq!(milliseconds(text.as_bytes(), "x").unwrap(), Some(expected), "{text}");
        }
        assert_eq!(milliseconds(b"99999999999", "x").unwrap(), Some(u32::MAX));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let read = Entry::read(&line, &mut Minutes::default());
            proptest::prop_assert!(read.is_err());
        }

        #[test]
        fn a_cut_line_is_never_taken_for_whole(at in 0..LINE.len()) {
            let mut fields = Fields::of(&LINE.as_bytes()[..at]);
            while let Ok(Some(_)) = fields.take() {}
            let looks_old = OLD_LAYOUTS.contains(&fields.taken());
            proptest::prop_assert!(looks_old || Entry::read(&LINE.as_bytes()[..at], &mut Minutes::default()).is_err());
        }

        #[test]
        fn a_changed_byte_does_not_make_it_panic(at in 0..LINE.len(), byte: u8) {
            let mut line = LINE.as_bytes().to_vec();
            line[at] = byte;
            let mut minutes = Minutes::default();
            if let Err(reason) = Entry::read(&line, &mut minutes) {
                proptest::prop_assert!(!reason.to_string().is_empty());
            }
        }
    }
}
