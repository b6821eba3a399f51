//! Matchers in the three ways in which Alertmanager lets them be written; all of them must fit.

use super::node::Node;
use crate::matcher::{Comparison, MOST_MATCHERS, Matcher, Matchers};

/// `keys` are those for equal values, for expressions and for texts. What is not understood is an error: fewer
/// matchers would fit more alerts than was meant.
pub(super) fn read(of: &Node, keys: [&str; 3]) -> Result<Matchers, String> {
    let [equal, expressions, texts] = keys;
    let mut all = Vec::new();
    for (key, comparison) in [(equal, Comparison::Equal), (expressions, Comparison::Matches)] {
        let Some(entry) = of.get(key) else { continue };
        if !matches!(entry.value, Node::Null | Node::Map(_)) {
            return Err(format!("`{key}` is not a map of labels"));
        }
        for pair in entry.value.entries() {
            let value = match &pair.value {
                Node::Null => "",
                Node::Scalar(text) => text,
                Node::List(_) | Node::Map(_) => {
                    return Err(format!("`{key}.{}` is not a text", pair.key));
                }
            };
            let matcher = Matcher::new(&pair.key, comparison, value)
                .map_err(|problem| format!("`{key}.{}`: {problem}", pair.key))?;
            all.push(matcher);
        }
    }
    if let Some(entry) = of.get(texts) {
        let lines =
            entry.value.texts().ok_or_else(|| format!("`{texts}` is not a list of texts"))?;
        for line in lines {
            let read = Matchers::read(&line).map_err(|bad| bad.to_string())?;
            all.extend(read.iter().cloned());
        }
    }
    if all.len() > MOST_MATCHERS {
        return Err(format!("more than {MOST_MATCHERS} matchers in one place"));
    }
    Ok(Matchers::new(all))
}
