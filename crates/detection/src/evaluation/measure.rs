//! Precision, recall, delay and AUC of scores and alarms against the labels.

use super::series::{Series, WARM_UP};

/// Alarms no further apart than this are one.
const TOGETHER: usize = 5;

/// What a method made of one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub score: f64,
    pub is_alarm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The mean over the series of the chance that a point of trouble scores higher than another.
    pub auc: f64,
    /// The share of alarms that had a cause.
    pub precision: f64,
    /// The share of episodes for which there was an alarm.
    pub recall: f64,
    /// The median of the points from the begin of an episode to its alarm.
    pub delay: f64,
    /// Alarms without a cause in a day.
    pub false_a_day: f64,
}

/// Each series with what was made of it after the warm-up.
pub fn measure(all: &[(Series, Vec<Judged>)]) -> Figures {
    let (mut aucs, mut delays) = (Vec::new(), Vec::new());
    let (mut right, mut wrong, mut episodes, mut days) = (0.0, 0.0, 0.0, 0.0);
    for (series, judged) in all {
        let labels = series.labels.get(WARM_UP..).unwrap_or_default();
        aucs.push(auc(labels, judged));
        days += count(judged.len()) / 288.0;
        for (first, last) in alarms(judged) {
            let had_cause = series
                .episodes
                .iter()
                .any(|(begin, end)| first + WARM_UP < end + TOGETHER && last + WARM_UP >= *begin);
            if had_cause { right += 1.0 } else { wrong += 1.0 }
        }
        for (begin, end) in &series.episodes {
            episodes += 1.0;
            let within = judged.get(begin - WARM_UP..end - WARM_UP).unwrap_or_default();
            delays.extend(within.iter().position(|judged| judged.is_alarm).map(count));
        }
    }
    let found = count(delays.len());
    Figures {
        auc: aucs.iter().sum::<f64>() / count(aucs.len()),
        precision: if right + wrong > 0.0 { right / (right + wrong) } else { 0.0 },
        recall: found / episodes,
        delay: crate::zscore::median(&mut delays),
        false_a_day: wrong / days,
    }
}

/// First and last point of each alarm.
fn alarms(judged: &[Judged]) -> Vec<(usize, usize)> {
    let mut alarms: Vec<(usize, usize)> = Vec::new();
    for (at, _) in judged.iter().enumerate().filter(|(_, judged)| judged.is_alarm) {
        match alarms.last_mut() {
            Some((_, last)) if at - *last <= TOGETHER => *last = at,
            _ => alarms.push((at, at)),
        }
    }
    alarms
}

/// By ranks; equal scores share theirs.
fn auc(labels: &[bool], judged: &[Judged]) -> f64 {
    let mut scored: Vec<(f64, bool)> =
        judged.iter().map(|judged| judged.score).zip(labels.iter().copied()).collect();
    scored.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut ranks, mut positives, mut below) = (0.0, 0.0, 0.0);
    for equal in scored.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let among = count(equal.iter().filter(|(_, is_trouble)| *is_trouble).count());
        ranks += among * (below + f64::midpoint(count(equal.len()), 1.0));
        positives += among;
        below += count(equal.len());
    }
    let negatives = below - positives;
    (ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

#[expect(clippy::cast_precision_loss, reason = "counts of points")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_chance_of_the_right_order() {
        let of = |scores: &[f64], labels: &[bool]| {
            let judged: Vec<Judged> =
                scores.iter().map(|score| Judged { score: *score, is_alarm: false }).collect();
            auc(labels, &judged)
        };
        assert!((of(&[0.1, 0.2, 0.9], &[false, false, true]) - 1.0).abs() < 1e-12);
        assert!((of(&[0.5, 0.5, 0.5], &[false, true, true]) - 0.5).abs() < 1e-12);
        assert!((of(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]) - 0.75).abs() < 1e-12);
    }
}
