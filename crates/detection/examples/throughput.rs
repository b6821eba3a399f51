//! Events a second of one core, with rules and a forest for each service; `write FILE N` makes the log, `run FILE` reads it.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use std::fmt::Write as _;
use std::io::{Error, Result};

use fastrand::Rng;
use firebreak_detection::{Detector, rules};
use jiff::Timestamp;

/// One rule of each kind; every event of a service goes through its forest.
const RULES: &str = include_str!("../bench/rules.yaml");
/// 2026-11-24T00:00:00Z in milliseconds.
const BEGIN: i64 = 1_795_478_400_000;
const SERVICES: [&str; 4] = ["checkout", "cart", "search", "login"];
const PATHS: [&str; 5] = ["/api/data", "/api/list", "/checkout", "/cart", "/login"];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", file, events] => {
            let events = events.parse().map_err(Error::other)?;
            std::fs::write(file, log(events)?)
        }
        ["run", file] => run(&std::fs::read_to_string(file)?),
        _ => Err(Error::other("usage: throughput write FILE EVENTS | run FILE")),
    }
}

/// A thousand events a second of four services, as their loggers write them.
fn log(events: i64) -> Result<String> {
    let mut rng = Rng::with_seed(1);
    let mut text = String::new();
    for number in 0..events {
        let at = Timestamp::from_millisecond(BEGIN + number).map_err(Error::other)?;
        let service = rng.choice(SERVICES).unwrap_or_default();
        let path = rng.choice(PATHS).unwrap_or_default();
        let status = if rng.u32(..100) == 0 { 500 } else { 200 };
        let latency = 20.0 + 60.0 * rng.f64() + if rng.u32(..5000) == 0 { 3500.0 } else { 0.0 };
        let (bytes, cpu, memory) = (rng.u32(200..9000), rng.f64() * 60.0, rng.f64() * 80.0);
        let (host, user) = (rng.u32(..40), rng.u32(..5000));
        let id: u64 = rng.u64(..);
        writeln!(
            text,
            r#"{{"time":"{at:.3}","level":"info","service":"{service}","message":"request served","method":"GET","path":"{path}","status":{status},"latency_ms":{latency:.2},"bytes":{bytes},"cpu":{cpu:.1},"memory":{memory:.1},"host":"web-{host}","user":"u{user}","trace_id":"{id:016x}"}}"#
        )
        .map_err(Error::other)?;
    }
    Ok(text)
}

/// Time of the processor and not of the clock: others may use the machine too.
fn run(text: &str) -> Result<()> {
    let mut detector = Detector::new(rules::read(RULES).map_err(Error::other)?);
    let begun = processor_seconds()?;
    for line in text.lines() {
        if let Err(why) = detector.read(line, Timestamp::MAX) {
            return Err(Error::other(why));
        }
    }
    detector.finish();
    let seconds = processor_seconds()? - begun;
    let tally = detector.tally();
    println!(
        "{{\"events\":{},\"seconds\":{seconds:.3},\"fired\":{},\"resolved\":{}}}",
        tally.events, tally.fired, tally.resolved
    );
    Ok(())
}

/// Of this process, in user mode and in the system, from `/proc/self/stat` in hundredths.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<u32>);
    let ticks: u32 = ticks.sum::<std::result::Result<u32, _>>().map_err(Error::other)?;
    Ok(f64::from(ticks) / 100.0)
}
