//! Alertmanager's written form of matchers, read with the place of every mistake.

use std::fmt::{self, Write as _};

use super::{Comparison, MOST_MATCHERS, Matcher};

/// Why a text is not matchers, and where: `at` counts characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("matcher `{text}`, character {at}: {problem}")]
pub struct BadMatcher {
    pub text: String,
    pub at: usize,
    pub problem: String,
}

/// Longer texts are refused before they are read.
const MOST_TEXT: usize = 64 * 1024;
const SHOWN: usize = 120;

/// Letters, digits, `_` and `:`, not beginning with a digit: written without quotes by everybody.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// Writes a text in quotes so that it is read back as it was.
pub(super) fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, BadMatcher> {
    let chars: Vec<char> = text.chars().take(MOST_TEXT + 1).collect();
    let mut reader = Reader { chars: &chars, at: 0 };
    let read = if chars.len() > MOST_TEXT {
        Err(format!("longer than {MOST_TEXT} characters"))
    } else {
        reader.all()
    };
    read.map_err(|problem| {
        let mut shown: String = chars.iter().take(SHOWN).collect();
        if chars.len() > SHOWN {
            shown.push('…');
        }
        BadMatcher { text: shown, at: reader.at + 1, problem }
    })
}

/// Problems are texts; the place of a problem is where the reader stands.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn all(&mut self) -> Result<Vec<Matcher>, String> {
        self.skip_space();
        let braces = self.take('{');
        let mut matchers = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None if braces => return Err("the closing `}` is missing".to_owned()),
                None => break,
                Some('}') if braces => {
                    self.at += 1;
                    self.skip_space();
                    if self.peek().is_some() {
                        return Err("nothing may follow the closing `}`".to_owned());
                    }
                    break;
                }
                Some(_) => {}
            }
            matchers.push(self.one(braces)?);
            if matchers.len() > MOST_MATCHERS {
                return Err(format!("more than {MOST_MATCHERS} matchers in one place"));
            }
            self.skip_space();
            let ends = self.peek().is_none() || (braces && self.peek() == Some('}'));
            if !ends && !self.take(',') {
                return Err("expected `,` or the end".to_owned());
            }
        }
        if matchers.is_empty() && !braces {
            return Err("it is empty; write `{}` for what fits everything".to_owned());
        }
        Ok(matchers)
    }

    fn one(&mut self, braces: bool) -> Result<Matcher, String> {
        let start = self.at;
        let name = self.name()?;
        self.skip_space();
        let comparison = self.comparison()?;
        self.skip_space();
        let value = if self.peek() == Some('"') { self.quoted()? } else { self.bare(braces)? };
        Matcher::new(&name, comparison, &value).inspect_err(|_| self.at = start)
    }

    fn name(&mut self) -> Result<String, String> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let name = self.while_some(|c| !c.is_whitespace() && !"{}!=~,\\\"'`".contains(c));
        if name.is_empty() {
            return Err("expected the name of a label, such as `service`".to_owned());
        }
        Ok(name)
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        let two: String = self.chars.iter().skip(self.at).take(2).collect();
        let (comparison, width) = match two.as_str() {
            "=~" => (Comparison::Matches, 2),
            "!~" => (Comparison::MatchesNot, 2),
            "!=" => (Comparison::NotEqual, 2),
            _ if two.starts_with('=') => (Comparison::Equal, 1),
            _ => return Err("expected one of `=`, `!=`, `=~`, `!~`".to_owned()),
        };
        self.at += width;
        Ok(comparison)
    }

    /// `\"`, `\\` and `\n` stand for one character; any other backslash stands for itself, so that `\d` and
    /// `\.` need not be doubled.
    fn quoted(&mut self) -> Result<String, String> {
        let opening = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                self.at = opening;
                return Err("the closing quote is missing".to_owned());
            };
            self.at += 1;
            match (c, self.peek()) {
                ('"', _) => return Ok(text),
                ('\\', Some(escaped @ ('"' | '\\'))) => {
                    self.at += 1;
                    text.push(escaped);
                }
                ('\\', Some('n')) => {
                    self.at += 1;
                    text.push('\n');
                }
                (other, _) => text.push(other),
            }
        }
    }

    /// A value without quotes goes to the next comma or the end.
    fn bare(&mut self, braces: bool) -> Result<String, String> {
        let text = self.while_some(|c| c != ',' && c != '"' && !(braces && c == '}'));
        if self.peek() == Some('"') {
            return Err("a value that holds a quote must stand in quotes".to_owned());
        }
        Ok(text.trim_end().to_owned())
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn while_some(&mut self, fits: impl Fn(char) -> bool) -> String {
        let text: String =
            self.chars.iter().skip(self.at).copied().take_while(|c| fits(*c)).collect();
        self.at += text.chars().count();
        text
    }
}
