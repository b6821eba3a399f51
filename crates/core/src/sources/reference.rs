//! The reference of sources, made from the registry: what each takes, proves itself by, and is identified by.

use super::SOURCES;
use super::fields::SERVICE_LABELS;
use crate::proof::Scheme;

/// The table as Markdown, for the page on the sources.
pub fn reference() -> String {
    let rows = SOURCES.iter().map(|source| {
        let proof: Vec<&str> = source.schemes().iter().map(Scheme::word).collect();
        format!(
            "| `{name}` | {summary} | {proof} | {identity} | {resolves} | [`firing`](../events/{name}/firing.json) |\n",
            name = source.name(),
            summary = source.summary(),
            proof = proof.join(", "),
            identity = source.identity(),
            resolves = source.resolves(),
        )
    });
    let head = "| source | takes | proof | an alert is | it is over | sample |\n|---|---|---|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

/// The labels that may name the service, in their order.
pub fn service_labels() -> String {
    SERVICE_LABELS.map(|label| format!("`{label}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::sources::MOST_ALERTS;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The page with the text between `<!-- name -->` and `<!-- /name -->` replaced.
    fn with(page: &str, name: &str, text: &str) -> String {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = page.split_once(&begin).expect("the page has the first marker");
        let (_, after) = rest.split_once(&end).expect("the page has the second marker");
        format!("{before}{begin}{text}{end}{after}")
    }

    /// `FIREBREAK_BLESS=1` writes it anew.
    #[test]
    fn the_page_on_the_sources_shows_the_registry() {
        let path = root().join("docs/sources.md");
        let page = fs::read_to_string(&path).unwrap();
        let fresh = with(&page, "sources", &reference());
        let fresh = with(&fresh, "labels", &format!("  {}\n  ", service_labels()));
        let fresh = with(&fresh, "most", &format!("  {MOST_ALERTS}\n  "));
        let sample = root().join("events/standardwebhooks/firing.json");
        let sample = fs::read_to_string(sample).unwrap();
        let fresh = with(&fresh, "shape", &format!("```json\n{sample}```\n"));
        if std::env::var_os("FIREBREAK_BLESS").is_some() {
            fs::write(&path, fresh).unwrap();
        } else {
            assert_eq!(page, fresh, "set FIREBREAK_BLESS=1 to write it anew");
        }
    }

    #[test]
    fn every_source_has_the_sample_that_the_page_links() {
        for source in SOURCES {
            let sample = root().join("events").join(source.name()).join("firing.json");
            assert!(sample.exists(), "{} is missing", sample.display());
        }
    }
}
