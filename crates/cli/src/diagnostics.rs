//! Diagnostics as people read them: the line of the file, a caret under the place, and the remedy.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level as Shown, Renderer, Snippet};
use firebreak_core::yaml::{Diagnostic, Level};

/// One diagnostic with its piece of the text. Colours are taken away where the terminal does not want them.
pub(crate) fn render(path: &Path, text: &str, diagnostic: &Diagnostic) -> String {
    let path = path.display().to_string();
    let level = match diagnostic.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let title = if diagnostic.place.is_empty() {
        diagnostic.message.clone()
    } else {
        format!("{}: {}", diagnostic.place, diagnostic.message)
    };
    let at = within(text, diagnostic);
    let snippet = Snippet::source(text)
        .path(&path)
        .annotation(AnnotationKind::Primary.span(at).label(&diagnostic.message));
    let mut group = level.primary_title(&title).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Shown::HELP.message(help));
    }
    Renderer::styled().render(&[group])
}

/// A place that spans several lines is shown by its first one.
fn within(text: &str, diagnostic: &Diagnostic) -> std::ops::Range<usize> {
    let at = diagnostic.at.clone();
    let marked = text.get(at.clone()).unwrap_or_default();
    let end = marked.find('\n').map_or(at.end, |first| at.start + first.max(1));
    at.start..end.min(text.len())
}
