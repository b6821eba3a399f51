//! How one message lies in a spill file: length, checksum, text, line end; so that a torn or damaged one is known.

use flate2::Crc;

/// Two numbers of eight hexadecimal digits, each with a space after it.
const HEAD: usize = 18;

pub(super) fn frame(message: &str) -> String {
    format!("{:08x} {:08x} {message}\n", message.len(), checksum(message.as_bytes()))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// What lies at a place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lies<'a> {
    /// A whole message; the next one begins `length` bytes after it began.
    Whole { message: &'a str, length: usize },
    /// Bytes that are no message, up to the next whole one or to the end.
    Damaged { length: usize },
    /// The end; `torn` bytes of a message that was never finished, and so never answered, stand after it.
    End { torn: usize },
}

/// What begins at the start of `bytes`, the rest of a file.
pub(super) fn read(bytes: &[u8]) -> Lies<'_> {
    if let Some((message, length)) = whole(bytes) {
        return Lies::Whole { message, length };
    }
    // Something later that is whole proves that this is damage, and not the end of the last write.
    match (1..bytes.len()).find(|at| bytes.get(*at..).and_then(whole).is_some()) {
        Some(length) => Lies::Damaged { length },
        None => Lies::End { torn: bytes.len() },
    }
}

fn whole(bytes: &[u8]) -> Option<(&str, usize)> {
    let length = number(bytes, 0)?;
    let checksum_said = number(bytes, 9)?;
    let message = bytes.get(HEAD..HEAD.checked_add(length)?)?;
    let ended = bytes.get(HEAD + length) == Some(&b'\n');
    if !ended || u32::try_from(checksum_said).ok()? != checksum(message) {
        return None;
    }
    Some((std::str::from_utf8(message).ok()?, HEAD + length + 1))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = std::str::from_utf8(bytes.get(at..at + 8)?).ok()?;
    (bytes.get(at + 8) == Some(&b' ')).then_some(())?;
    usize::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> (Vec<String>, usize, usize) {
        let (mut messages, mut damaged) = (Vec::new(), 0);
        loop {
            match read(bytes) {
                Lies::Whole { message, length } => {
                    messages.push(message.to_owned());
                    bytes = &bytes[length..];
                }
                Lies::Damaged { length } => {
                    damaged += length;
                    bytes = &bytes[length..];
                }
                Lies::End { torn } => return (messages, damaged, torn),
            }
        }
    }

    #[test]
    fn messages_come_back_in_order() {
        let file = ["one", "", "größer 🔥", "{\"a\":1}"].map(frame).concat();
        let expected = ["one", "", "größer 🔥", "{\"a\":1}"].map(str::to_owned).to_vec();
        assert_eq!(all(file.as_bytes()), (expected, 0, 0));
    }

    #[test]
    fn wherever_a_write_was_torn_the_messages_before_it_are_read() {
        let first = frame("one");
        let file = format!("{first}{}", frame("two"));
        for cut in first.len()..file.len() {
            let (messages, damaged, torn) = all(&file.as_bytes()[..cut]);
            assert_eq!((messages, damaged), (vec!["one".to_owned()], 0));
            assert_eq!(torn, cut - first.len());
        }
    }

    #[test]
    fn one_damaged_byte_costs_one_message_at_most() {
        let file = ["one", "two", "three"].map(frame).concat();
        for at in 0..file.len() {
            let mut damaged = file.clone().into_bytes();
            damaged[at] ^= 0x20;
            let (messages, lost, torn) = all(&damaged);
            assert!(messages.len() >= 2, "byte {at}: {messages:?}");
            assert!(messages.len() == 3 || lost + torn > 0, "byte {at} was not noticed");
        }
    }
}
