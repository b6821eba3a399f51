//! How well the models find what is known to be wrong: labelled made-up series, and what each method makes of them.

mod measure;
mod series;
mod table;

pub use measure::{Figures, Judged, measure};
pub use series::{Kind, Series, WARM_UP, series};
pub use table::{mean, table};

use crate::learner::{Learner, LearnerSettings, Method, SENSITIVITY};

/// Series of each kind, by seed.
pub const SEEDS: std::ops::Range<u64> = 1..7;

/// The scores of a method over a series, and whether it would raise an alarm, point by point after the warm-up.
pub fn judged(method: Method, series: &Series) -> Vec<Judged> {
    let mut learner = Learner::new(settings(method, series.seed));
    let judged = series.points.iter().map(|point| learner.observe(point));
    judged
        .skip(WARM_UP)
        .map(|judged| match judged {
            Some(judged) => Judged { score: judged.score, is_alarm: judged.is_unusual() },
            None => Judged { score: 0.0, is_alarm: false },
        })
        .collect()
}

fn settings(method: Method, seed: u64) -> LearnerSettings {
    LearnerSettings {
        method,
        features: series::FEATURES.len(),
        warm_up: WARM_UP,
        sensitivity: SENSITIVITY,
        seed,
    }
}

/// The figures for each kind of trouble, over all seeds, of whatever judges a series.
pub fn figures<E>(
    mut judge: impl FnMut(&Series) -> Result<Vec<Judged>, E>,
) -> Result<Vec<(Kind, Figures)>, E> {
    let mut figures = Vec::new();
    for kind in Kind::ALL {
        let mut all = Vec::new();
        for seed in SEEDS {
            let series = series(*kind, seed);
            let judged = judge(&series)?;
            all.push((series, judged));
        }
        figures.push((*kind, measure(&all)));
    }
    Ok(figures)
}

/// The figures of our own methods.
pub fn own() -> Vec<(String, Vec<(Kind, Figures)>)> {
    [("forest", Method::Forest), ("robust z-score", Method::Zscore)]
        .into_iter()
        .map(|(name, method)| {
            let Ok(figures) =
                figures(|series| Ok::<_, std::convert::Infallible>(judged(method, series)));
            (name.to_owned(), figures)
        })
        .collect()
}

#[cfg(test)]
mod tests;
