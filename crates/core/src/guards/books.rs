//! `books`: what others did lately is known.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::{Book, BookKey};
use crate::trace::Ruling;

pub(super) struct BooksRead;

impl Guard for BooksRead {
    fn name(&self) -> &'static str {
        "books"
    }

    fn summary(&self) -> &'static str {
        "The books of targets, groups and the breaker can be read."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let unreadable = case
            .books
            .iter()
            .find_map(|(key, book)| book.unreadable.as_ref().map(|why| (key.as_str(), why)));
        match unreadable {
            Some((key, why)) => hold(
                format!("the book `{key}` cannot be read: {why}"),
                "repair or delete that record; until then act by hand",
            ),
            None => pass(format!("{} books were read", case.books.len())),
        }
    }

    fn example(&self, calm: &Scene) -> Example {
        let of = |book| calm.clone().book(BookKey::breaker(), book);
        Example { holds: of(Book::unreadable("not JSON".to_owned())), passes: of(Book::default()) }
    }
}
