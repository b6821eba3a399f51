//! How deep an expression may go: its parser, its check and its evaluation all call themselves for each level, and
//! a stack that overflows ends the whole process.

use super::check::Flaw;

/// Far more than anybody writes by hand.
const MOST_BYTES: usize = 4096;

/// Brackets within each other. A debug build on a thread of two megabytes holds twice as many.
const MOST_NESTED: usize = 16;

/// A macro becomes a loop in the tree: its brackets weigh as much as so many plain ones.
const MACRO_WEIGHS: usize = 4;
const MACROS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

/// Operators that go one level deeper each: signs, sums, products and choices.
const MOST_OPERATORS: usize = 48;

/// What makes the text too deep to be read.
pub(super) fn too_deep(text: &str) -> Option<Flaw> {
    if text.len() > MOST_BYTES {
        return Some(Flaw::whole(text, "the expression is longer than 4096 bytes; cut it in two"));
    }
    // What stands in a string is no depth; where strings are hard to tell, everything counts.
    let strings = !text.contains("\"\"\"") && !text.contains("'''");
    let (mut nested, mut deepest, mut operators) = (0_usize, 0, 0);
    let mut open_weights: Vec<usize> = Vec::new();
    let mut word = String::new();
    let (mut quote, mut raw, mut escaped, mut before) = (None, false, false, ' ');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = !raw,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') if strings => {
                quote = Some(c);
                raw = matches!(before, 'r' | 'R');
            }
            (None, '(' | '[' | '{') => {
                let weight = if MACROS.contains(&word.as_str()) { MACRO_WEIGHS } else { 1 };
                open_weights.push(weight);
                nested += weight;
                deepest = deepest.max(nested);
            }
            (None, ')' | ']' | '}') => nested -= open_weights.pop().unwrap_or_default(),
            (None, '!') if rest.peek() == Some(&'=') => {}
            (None, '!' | '-' | '+' | '*' | '/' | '%' | '?') => operators += 1,
            (Some(_) | None, _) => {}
        }
        let is_letter = c.is_alphanumeric() || c == '_';
        if !(is_letter || c.is_whitespace()) || (is_letter && before.is_whitespace()) {
            word.clear();
        }
        if is_letter {
            word.push(c);
        }
        before = c;
    }
    if deepest > MOST_NESTED {
        return Some(Flaw::whole(
            text,
            "brackets stand more than 16 deep, those of a macro counted four times; write it flatter",
        ));
    }
    (operators > MOST_OPERATORS).then(|| {
        Flaw::whole(text, "it has more than 48 signs, sums, products and choices; cut it in two")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_not_too_deep() {
        let many = vec![r#"alert.labels.zone != "a(b[c{""#; 60].join(" && ");
        for fine in [
            "alert.name == \"x\"",
            &many,
            r#"alert.title.matches(r"\(\(\(")"#,
            "((((((((true))))))))",
            "alert.labels.exists(k, ['a', 'b'].all(s, s.split(',').exists(p, p == k)))",
        ] {
            assert_eq!(too_deep(fine), None, "{fine}");
        }
    }

    #[test]
    fn what_would_exhaust_the_stack_is_refused() {
        let nested = "(".repeat(17);
        let behind = format!("r\"\\\" == {nested}");
        let tripled = format!("\"\"\"a\"b\"\"\" == {nested}");
        for deep in [
            nested,
            behind,
            tripled,
            "[1].exists (x, ".repeat(5),
            "!".repeat(49),
            "1+".repeat(49),
            "a?b:".repeat(49),
            "x".repeat(5000),
        ] {
            assert!(too_deep(&deep).is_some(), "{deep}");
        }
    }
}
