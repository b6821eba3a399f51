//! Cuts a line into fields: separated by one space, or in double quotes with spaces inside.

use memchr::memchr;

/// The fields of one line, in order.
pub(crate) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    taken: usize,
}

/// A quote that nothing closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenQuote;

impl<'a> Fields<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii_end();
        Self { rest: (!line.is_empty()).then_some(line), taken: 0 }
    }

    /// How many fields were taken so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The next field without its quotes; none at the end of the line.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<Option<&'a [u8]>, OpenQuote> {
        let Some(rest) = self.rest else { return Ok(None) };
        self.taken += 1;
        let (field, after) = match rest.split_first() {
            Some((b'"', inside)) => quoted(inside)?,
            _ => match memchr(b' ', rest).and_then(|end| rest.split_at_checked(end)) {
                Some((field, after)) => (field, after.get(1..)),
                None => (rest, None),
            },
        };
        self.rest = after;
        Ok(Some(field))
    }
}

/// A quote ends a field only where a space or the end of the line follows; user agents hold others.
fn quoted(inside: &[u8]) -> Result<(&[u8], Option<&[u8]>), OpenQuote> {
    let mut from = 0;
    while let Some(found) = inside.get(from..).and_then(|rest| memchr(b'"', rest)) {
        let Some((field, after)) = inside.split_at_checked(from + found) else { break };
        match after.get(1) {
            None => return Ok((field, None)),
            Some(b' ') => return Ok((field, after.get(2..))),
            Some(_) => from += found + 1,
        }
    }
    Err(OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str) -> Result<Vec<&str>, OpenQuote> {
        let mut fields = Fields::of(line.as_bytes());
        let mut found = Vec::new();
        while let Some(field) = fields.take()? {
            found.push(std::str::from_utf8(field).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn quotes_keep_spaces_together() {
        assert_eq!(cut(r#"a "b c" - "" d"#).unwrap(), ["a", "b c", "-", "", "d"]);
    }

    #[test]
    fn a_quote_inside_a_quoted_field_does_not_end_it() {
        assert_eq!(cut(r#"a "b"c" d"#).unwrap(), ["a", r#"b"c"#, "d"]);
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert_eq!(cut(r#"a "b c"#), Err(OpenQuote));
    }

    #[test]
    fn a_line_end_of_windows_is_no_field() {
        assert_eq!(cut("a b\r").unwrap(), ["a", "b"]);
        assert_eq!(cut("\r").unwrap(), Vec::<&str>::new());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(
            // A quote is kept inside of a field unless a space follows it; no writer of these logs produces that.
            fields in proptest::collection::vec("[a-z -]{0,8}(\"[a-z-][a-z -]{0,8}){0,2}", 1..40),
        ) {
            let line = fields.iter().map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(" ");
            let read: Vec<String> = cut(&line).unwrap().into_iter().map(str::to_owned).collect();
            proptest::prop_assert_eq!(read, fields);
        }

        #[test]
        fn no_bytes_make_it_panic(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut fields = Fields::of(&line);
            while let Ok(Some(_)) = fields.take() {}
            proptest::prop_assert!(fields.taken() <= line.len());
        }
    }
}
