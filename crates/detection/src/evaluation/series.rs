//! Made-up series of a service, with a daily rhythm, noise, and trouble that is labelled. The same seed gives the same.

use fastrand::Rng;

use crate::forest::Point;

pub(super) const FEATURES: [&str; 4] = ["rate", "latency", "errors", "cpu"];

/// One point stands for five minutes.
const DAY: usize = 288;
/// Days of each series.
const LENGTH: usize = 12 * DAY;
/// Points without trouble, to learn from.
pub const WARM_UP: usize = 4 * DAY;
/// Episodes of trouble in each series.
const EPISODES: usize = 8;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Latency and processor load rise at once and stay up.
    Level,
    /// One to three points of one feature are far out.
    Spike,
    /// Latency rises little by little.
    Drift,
    /// The processor works by day's measure at night, or rests by day: each number is usual, not both together.
    Season,
}

impl Kind {
    pub const ALL: &[Self] = &[Self::Level, Self::Spike, Self::Drift, Self::Season];

    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level shift",
            Self::Spike => "spike",
            Self::Drift => "drift",
            Self::Season => "broken rhythm",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub kind: Kind,
    pub seed: u64,
    pub points: Vec<Point>,
    /// By point: whether it is part of trouble.
    pub labels: Vec<bool>,
    /// Begin and end of each episode of trouble.
    pub episodes: Vec<(usize, usize)>,
}

pub fn series(kind: Kind, seed: u64) -> Series {
    let mut rng = Rng::with_seed(seed.wrapping_mul(1009).wrapping_add(kind as u64));
    let mut points: Vec<Point> = (0..LENGTH).map(|at| ordinary(at, at, &mut rng)).collect();
    let mut labels = vec![false; LENGTH];
    let mut episodes = Vec::new();
    let apart = (LENGTH - WARM_UP) / EPISODES;
    for episode in 0..EPISODES {
        let length = match kind {
            Kind::Level => rng.usize(30..70),
            Kind::Spike => rng.usize(1..4),
            Kind::Drift => rng.usize(80..140),
            Kind::Season => rng.usize(30..60),
        };
        let begin = WARM_UP + episode * apart + rng.usize(20..apart - length - 20);
        let strength = 0.6 + rng.f32() * 0.9;
        let feature = rng.usize(0..FEATURES.len());
        for at in begin..begin + length {
            let gone = fraction(at - begin + 1, length);
            let shifted = ordinary(at, at + DAY / 2, &mut rng);
            if let (Some(point), Some(label)) = (points.get_mut(at), labels.get_mut(at)) {
                trouble(kind, point, Trouble { strength, gone, feature, shifted });
                *label = true;
            }
        }
        episodes.push((begin, begin + length));
    }
    Series { kind, seed, points, labels, episodes }
}

#[derive(Clone, Copy)]
struct Trouble {
    strength: f32,
    /// How much of the episode is over.
    gone: f32,
    feature: usize,
    /// The same moment half a day away.
    shifted: Point,
}

fn trouble(kind: Kind, point: &mut Point, trouble: Trouble) {
    let Trouble { strength, gone, feature, shifted } = trouble;
    let [_, latency, _, cpu, ..] = point;
    match kind {
        Kind::Level => {
            *latency *= 1.0 + strength;
            *cpu += 15.0 * strength;
        }
        Kind::Drift => *latency *= 1.0 + 1.5 * strength * gone,
        Kind::Season => *cpu = shifted.get(3).copied().unwrap_or_default(),
        Kind::Spike => {
            if let Some(value) = point.get_mut(feature) {
                *value *= 2.0 + 1.5 * strength;
            }
        }
    }
}

/// Load follows the day; latency and processor follow the load. `phase` moves the processor alone.
fn ordinary(at: usize, phase: usize, rng: &mut Rng) -> Point {
    let load = |at: usize| 1.0 + 0.6 * (std::f32::consts::TAU * fraction(at % DAY, DAY)).sin();
    let rate = 100.0 * load(at) * (1.0 + 0.05 * normal(rng));
    let cpu = 10.0 + 35.0 * load(phase) * (1.0 + 0.05 * normal(rng));
    let latency = (60.0 + 20.0 * load(at)) * (0.10 * normal(rng)).exp();
    let errors = (0.5 + 0.15 * normal(rng)).max(0.0);
    [rate, latency, errors, cpu, 0.0, 0.0, 0.0, 0.0]
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn fraction(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// Twelve draws make it nearly normal.
fn normal(rng: &mut Rng) -> f32 {
    (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0
}
