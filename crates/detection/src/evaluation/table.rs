//! The figures as a table for people.

use super::measure::Figures;
use super::series::Kind;

/// One line for each method and kind; `None` is all kinds together.
pub fn table(rows: &[(String, Vec<(Kind, Figures)>)]) -> String {
    let mut lines = vec![
        "| Trouble | Method | AUC | Precision | Recall | Delay (points) | False alarms a day |"
            .to_owned(),
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    for kind in Kind::ALL {
        for (method, figures) in rows {
            let found = figures.iter().find(|(of, _)| of == kind);
            lines.extend(found.map(|(_, figures)| line(kind.name(), method, figures)));
        }
    }
    for (method, figures) in rows {
        lines.push(line("**all**", method, &mean(figures)));
    }
    lines.join("\n")
}

fn line(kind: &str, method: &str, figures: &Figures) -> String {
    let Figures { auc, precision, recall, delay, false_a_day } = figures;
    format!(
        "| {kind} | {method} | {auc:.3} | {precision:.2} | {recall:.2} | {delay:.0} | {false_a_day:.2} |"
    )
}

/// Each kind counts the same.
pub fn mean(figures: &[(Kind, Figures)]) -> Figures {
    let count = f64::from(u32::try_from(figures.len().max(1)).unwrap_or(1));
    let of = |part: fn(&Figures) -> f64| {
        figures.iter().map(|(_, figures)| part(figures)).sum::<f64>() / count
    };
    Figures {
        auc: of(|figures| figures.auc),
        precision: of(|figures| figures.precision),
        recall: of(|figures| figures.recall),
        delay: of(|figures| figures.delay),
        false_a_day: of(|figures| figures.false_a_day),
    }
}
