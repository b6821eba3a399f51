//! Learning from a stream: the latest points are remembered, the model follows them, and a new point is judged before it is
//! learned from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::bits::Exact;
use crate::forest::{Forest, MOST_FEATURES, Point, Shape, shares};
use crate::zscore::{Robust, median};

/// So many of the latest points are learned from.
const MEMORY: usize = 2048;
/// A tree is regrown after so many points, so that the whole forest is renewed about once while the memory is.
const RENEW_EVERY: u64 = 20;
/// The baseline is computed anew after so many points.
const MEASURE_EVERY: u64 = 64;
/// The limit follows so many of the latest scores, and is computed anew after so many.
const SCORES: usize = 512;
const LIMIT_EVERY: u64 = 64;
/// A lower score of a forest is ordinary, whatever the others are: the point takes as many cuts as the mean of all.
const LEAST_SCORE: f64 = 0.5;
/// Of the unusual points one in so many is learned from: trouble does not become usual at once, and what stays does.
const LEARN_ONE_IN: u64 = 8;
/// Points that stand for the ordinary when credit is given.
const ORDINARY: usize = 32;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// An isolation forest.
    #[default]
    Forest,
    /// The robust z-score: the baseline.
    Zscore,
}

/// How far above the ordinary scores the limit lies, where a rule does not say it.
pub(crate) const SENSITIVITY: f64 = 6.0;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LearnerSettings {
    pub method: Method,
    pub features: usize,
    pub warm_up: usize,
    /// How far above the median of the latest scores the limit lies, in their spread.
    pub sensitivity: f64,
    pub seed: u64,
}

/// What a point is, against those before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unusual {
    pub score: f64,
    /// From here on a point is unusual.
    pub limit: f64,
}

impl Unusual {
    pub fn is_unusual(&self) -> bool {
        self.score >= self.limit
    }
}

/// The model of one service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Learner {
    settings: LearnerSettings,
    points: Vec<Point>,
    next: usize,
    seen: u64,
    rng: Rng,
    model: Option<Model>,
    scores: Vec<f64>,
    limit: f64,
}

#[derive(Debug, Clone)]
enum Model {
    Forest(Forest),
    Robust(Robust),
}

impl Learner {
    pub fn new(settings: LearnerSettings) -> Self {
        Self {
            settings,
            points: Vec::new(),
            next: 0,
            seen: 0,
            rng: Rng::with_seed(settings.seed),
            model: None,
            scores: Vec::new(),
            limit: f64::INFINITY,
        }
    }

    /// Judges the point and learns from it. Nothing is said while warming up.
    pub fn observe(&mut self, point: &Point) -> Option<Unusual> {
        let judged = self.judge(point);
        self.seen += 1;
        let is_unusual = judged.is_some_and(|judged| judged.is_unusual());
        if !is_unusual || self.rng.u64(..LEARN_ONE_IN) == 0 {
            self.remember(point);
        }
        self.learn();
        if let Some(Unusual { score, limit }) = judged {
            self.follow(score.min(limit));
        }
        judged
    }

    fn judge(&self, point: &Point) -> Option<Unusual> {
        let score = match self.model.as_ref()? {
            Model::Forest(forest) => forest.score(point),
            Model::Robust(robust) => robust.score(point).0,
        };
        Some(Unusual { score, limit: self.limit })
    }

    fn remember(&mut self, point: &Point) {
        match self.points.get_mut(self.next) {
            Some(oldest) => *oldest = *point,
            None => self.points.push(*point),
        }
        self.next = (self.next + 1) % MEMORY;
    }

    fn learn(&mut self) {
        if self.points.len() < self.settings.warm_up.min(MEMORY) {
            return;
        }
        let features = self.settings.features;
        match (&mut self.model, self.settings.method) {
            (None, Method::Forest) => {
                let shape = Shape::of(features);
                self.model = Some(Model::Forest(Forest::grow(shape, &self.points, &mut self.rng)));
                self.calibrate();
            }
            (None, Method::Zscore) => {
                self.model = Some(Model::Robust(Robust::of(&self.points, features)));
                self.calibrate();
            }
            (Some(Model::Forest(forest)), _) => {
                if self.seen.is_multiple_of(RENEW_EVERY) {
                    forest.renew(&self.points, &mut self.rng);
                }
            }
            (Some(Model::Robust(robust)), _) => {
                if self.seen.is_multiple_of(MEASURE_EVERY) {
                    *robust = Robust::of(&self.points, features);
                }
            }
        }
    }

    /// The first limit comes from the points that were learned from.
    fn calibrate(&mut self) {
        let latest = self.points.len().saturating_sub(SCORES);
        let scores: Vec<f64> = self
            .points
            .get(latest..)
            .unwrap_or_default()
            .iter()
            .filter_map(|point| Some(self.judge(point)?.score))
            .collect();
        self.scores = scores;
        self.set_limit();
    }

    fn follow(&mut self, score: f64) {
        let at = usize::try_from(self.seen).unwrap_or_default() % SCORES;
        match self.scores.get_mut(at) {
            Some(oldest) => *oldest = score,
            None => self.scores.push(score),
        }
        if self.seen.is_multiple_of(LIMIT_EVERY) {
            self.set_limit();
        }
    }

    fn set_limit(&mut self) {
        let mut scores = self.scores.clone();
        let middle = median(&mut scores);
        let mut apart: Vec<f64> = scores.iter().map(|score| (score - middle).abs()).collect();
        let spread = (median(&mut apart) * 1.4826).max(1e-6);
        let least = match self.settings.method {
            Method::Forest => LEAST_SCORE,
            Method::Zscore => 0.0,
        };
        self.limit = (middle + self.settings.sensitivity * spread).max(least);
    }

    /// The share of each feature in the score of a point.
    pub fn shares(&self, point: &Point) -> [f64; MOST_FEATURES] {
        match &self.model {
            None => [0.0; MOST_FEATURES],
            Some(Model::Forest(forest)) => {
                let step = (self.points.len() / ORDINARY).max(1);
                let ordinary: Vec<Point> = self.points.iter().step_by(step).copied().collect();
                shares(forest, point, &ordinary)
            }
            Some(Model::Robust(robust)) => {
                let (_, each) = robust.score(point);
                let total: f64 = each.iter().sum();
                if total > 0.0 { each.map(|distance| distance / total) } else { each }
            }
        }
    }
}

/// A learner in the saved state; numbers of the model are kept bit by bit.
#[derive(Serialize, Deserialize)]
struct Saved {
    settings: LearnerSettings,
    points: String,
    next: usize,
    seen: u64,
    rng: u64,
    forest: Option<String>,
    robust: Option<Robust>,
    scores: Vec<Exact>,
    limit: Exact,
}

impl From<Learner> for Saved {
    fn from(learner: Learner) -> Self {
        let bytes: Vec<u8> =
            learner.points.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        let (forest, robust) = match learner.model {
            None => (None, None),
            Some(Model::Forest(forest)) => (Some(STANDARD.encode(forest.to_bytes())), None),
            Some(Model::Robust(robust)) => (None, Some(robust)),
        };
        Self {
            settings: learner.settings,
            points: STANDARD.encode(bytes),
            next: learner.next,
            seen: learner.seen,
            rng: learner.rng.get_seed(),
            forest,
            robust,
            scores: learner.scores.into_iter().map(Exact).collect(),
            limit: Exact(learner.limit),
        }
    }
}

impl TryFrom<Saved> for Learner {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let bytes = STANDARD.decode(&saved.points).map_err(|error| error.to_string())?;
        let (values, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let (points, _) = values.as_chunks::<MOST_FEATURES>();
        if points.len() > MEMORY || saved.next > points.len() {
            return Err("there are more points than are remembered".to_owned());
        }
        let model = match (saved.forest, saved.robust) {
            (Some(forest), _) => {
                let bytes = STANDARD.decode(forest).map_err(|error| error.to_string())?;
                Some(Model::Forest(Forest::of_bytes(&bytes).map_err(|error| error.to_string())?))
            }
            (None, Some(robust)) => Some(Model::Robust(robust)),
            (None, None) => None,
        };
        Ok(Self {
            settings: saved.settings,
            points: points.to_vec(),
            next: saved.next,
            seen: saved.seen,
            rng: Rng::with_seed(saved.rng),
            model,
            scores: saved.scores.into_iter().map(|Exact(score)| score).collect(),
            limit: saved.limit.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(method: Method) -> LearnerSettings {
        LearnerSettings { method, features: 2, warm_up: 256, sensitivity: 6.0, seed: 7 }
    }

    fn point(at: u32) -> Point {
        let mut rng = Rng::with_seed(u64::from(at));
        [rng.f32() * 10.0, rng.f32(), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    #[test]
    fn after_the_warm_up_it_knows_what_is_unusual_and_why() {
        for method in [Method::Forest, Method::Zscore] {
            let mut learner = Learner::new(settings(method));
            for at in 0..256 {
                assert_eq!(learner.observe(&point(at)), None);
            }
            for at in 256..3000 {
                learner.observe(&point(at)).unwrap();
            }
            let apart = [4.0, 40.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            let judged = learner.observe(&apart).unwrap();
            assert!(judged.is_unusual(), "{method:?}: {judged:?}");
            assert!(learner.shares(&apart)[1] > 0.8, "{:?}", learner.shares(&apart));
        }
    }

    #[test]
    fn a_learner_that_was_saved_goes_on_as_if_it_had_not_been() {
        for method in [Method::Forest, Method::Zscore] {
            let mut learner = Learner::new(settings(method));
            for at in 0..700 {
                learner.observe(&point(at));
            }
            let text = serde_json::to_string(&learner).unwrap();
            let mut restored: Learner = serde_json::from_str(&text).unwrap();
            for at in 700..1000 {
                assert_eq!(
                    learner.observe(&point(at)),
                    restored.observe(&point(at)),
                    "{method:?} {at}"
                );
            }
        }
    }
}
