//! Made-up traffic of a shop behind a load balancer, the same for a seed, with exact counts of what is in it.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "times and shares of made-up traffic need no precision"
)]

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// What to make.
pub(crate) struct Wanted {
    pub(crate) lines: u64,
    pub(crate) seed: u64,
    /// 18 to 34: a layout of some year.
    pub(crate) fields: usize,
    /// One line in so many is broken; none for 0.
    pub(crate) broken_every: u64,
    /// Different ids in paths.
    pub(crate) ids: u32,
}

/// What was made, counted while it was made.
#[derive(Default, Serialize)]
pub(crate) struct Truth {
    pub(crate) lines: u64,
    pub(crate) requests: u64,
    pub(crate) malformed: u64,
    /// `checkout 5xx`, by the balancer's status.
    pub(crate) elb_classes: BTreeMap<String, u64>,
    /// The same by the target's status; `-` where no target answered.
    pub(crate) target_classes: BTreeMap<String, u64>,
    pub(crate) elb_codes: BTreeMap<u16, u64>,
    pub(crate) sent_bytes: u64,
    /// p50, p95 and p99 of the target's time in milliseconds, exact.
    pub(crate) latency_ms: BTreeMap<String, [u32; 3]>,
    /// `502 GET /api/orders/{}` of each API.
    pub(crate) failing_paths: BTreeMap<String, u64>,
    #[serde(skip)]
    latencies: BTreeMap<&'static str, Vec<u32>>,
}

struct Service {
    name: &'static str,
    group: &'static str,
    weight: u32,
    /// In a thousand requests.
    failures: f64,
    mean_ms: f64,
    port: u16,
    paths: &'static [&'static str],
}

const SERVICES: [Service; 8] = [
    Service {
        name: "storefront",
        group: "storefront/0a1b2c3d4e5f6071",
        weight: 30,
        failures: 1.0,
        mean_ms: 30.0,
        port: 8080,
        paths: &["/", "/p/{}", "/sale", "/static/app.{}.js"],
    },
    Service {
        name: "search",
        group: "search/1b2c3d4e5f607182",
        weight: 18,
        failures: 3.0,
        mean_ms: 90.0,
        port: 9000,
        paths: &["/search", "/search/suggest"],
    },
    Service {
        name: "orders",
        group: "orders/2c3d4e5f60718293",
        weight: 14,
        failures: 4.0,
        mean_ms: 55.0,
        port: 8080,
        paths: &["/api/orders", "/api/orders/{}", "/api/orders/{}/lines/{}"],
    },
    Service {
        name: "checkout",
        group: "checkout/3d4e5f6071829304",
        weight: 14,
        failures: 8.0,
        mean_ms: 130.0,
        port: 8080,
        paths: &["/api/checkout", "/api/checkout/{}/pay", "/api/checkout/{}/address"],
    },
    Service {
        name: "images",
        group: "images/4e5f607182930415",
        weight: 12,
        failures: 0.5,
        mean_ms: 12.0,
        port: 8000,
        paths: &["/img/{}.webp", "/img/{}.avif"],
    },
    Service {
        name: "accounts",
        group: "accounts/5f60718293041526",
        weight: 7,
        failures: 1.5,
        mean_ms: 40.0,
        port: 8443,
        paths: &["/login", "/logout", "/u/{}/profile"],
    },
    Service {
        name: "partners",
        group: "partners/6071829304152637",
        weight: 3,
        failures: 20.0,
        mean_ms: 420.0,
        port: 80,
        paths: &["/v1/feed", "/v1/feed/{}"],
    },
    Service {
        name: "reports",
        group: "reports/7182930415263748",
        weight: 2,
        failures: 2.0,
        mean_ms: 900.0,
        port: 8080,
        paths: &["/export/{}.csv"],
    },
];
const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "okhttp/5.1.0",
    r"agent with \x22quotes\x22 and  spaces/1.0",
    "-",
];
const BALANCER: &str = "(no target group)";
const START: &str = "2026-11-20T00:00:00Z";
const DAY_SECONDS: f64 = 86_400.0;

/// How one request ended.
struct Outcome {
    elb: u16,
    target: Option<u16>,
    reached: bool,
    action: &'static str,
}

/// Writes a day of traffic, in order of time, and says what is in it.
pub(crate) fn write(wanted: &Wanted, out: &mut impl Write) -> io::Result<Truth> {
    let mut dice = fastrand::Rng::with_seed(wanted.seed);
    let mut truth = Truth::default();
    let start: Timestamp = START.parse().expect("it is a time");
    let all: u32 = SERVICES.iter().map(|service| service.weight).sum();
    for line in 0..wanted.lines {
        let share = line as f64 / wanted.lines as f64;
        let at = start + SignedDuration::from_millis((second_of_day(share) * 1000.0) as i64);
        let service = pick(&mut dice, all);
        truth.lines += 1;
        if wanted.broken_every > 0 && dice.u64(..wanted.broken_every) == 0 {
            truth.malformed += 1;
            out.write_all(broken(&mut dice).as_bytes())?;
            continue;
        }
        truth.requests += 1;
        request(wanted, &mut dice, service, at, share, &mut truth, out)?;
    }
    for (name, mut latencies) in std::mem::take(&mut truth.latencies) {
        latencies.sort_unstable();
        let at = |percent: usize| {
            latencies
                .get((latencies.len() * percent).div_ceil(100).max(1) - 1)
                .copied()
                .unwrap_or_default()
        };
        truth.latency_ms.insert(name.to_owned(), [at(50), at(95), at(99)]);
    }
    Ok(truth)
}

/// Quiet at night: the inverse of a day curve, by its first step of Newton's method.
fn second_of_day(share: f64) -> f64 {
    let wave = 0.08 * (std::f64::consts::TAU * share).sin();
    (share + wave) * DAY_SECONDS * 0.9999
}

fn one_of<T: Copy>(dice: &mut fastrand::Rng, choices: &[T]) -> T {
    *dice.choice(choices).expect("there is something to choose from")
}

fn pick(dice: &mut fastrand::Rng, all: u32) -> &'static Service {
    let mut left = dice.u32(..all);
    for service in &SERVICES {
        match left.checked_sub(service.weight) {
            Some(rest) => left = rest,
            None => return service,
        }
    }
    &SERVICES[0]
}

fn outcome(dice: &mut fastrand::Rng, service: &Service, share: f64) -> Outcome {
    // Half an hour in which checkout fails: what a report must find.
    let incident = service.name == "checkout" && (0.50..0.52).contains(&share);
    let failures = if incident { 350.0 } else { service.failures };
    let to_target = |elb, target| Outcome { elb, target, reached: true, action: "forward" };
    let unreached = |elb, action| Outcome { elb, target: None, reached: false, action };
    let chance = dice.f64() * 1000.0;
    if chance < failures {
        return match dice.u8(..10) {
            0..5 => to_target(500, Some(500)),
            5..7 => to_target(502, None),
            7..9 => to_target(504, None),
            _ => unreached(503, "forward"),
        };
    }
    match dice.u32(..1000) {
        0..20 => {
            let code = one_of(dice, &[400, 401, 403, 404, 404, 404, 429, 499]);
            to_target(code, Some(code))
        }
        20..28 => unreached(301, "redirect"),
        28..31 => unreached(403, "waf"),
        31 => to_target(460, None),
        32 => unreached(400, "-"),
        33 => to_target(101, Some(101)),
        34 if dice.u8(..8) == 0 => unreached(one_of(dice, &[463, 561]), "-"),
        _ => {
            let code = one_of(dice, &[200, 200, 200, 200, 200, 200, 201, 204, 206, 304, 302]);
            to_target(code, Some(code))
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one line of a log has that much in it")]
fn request(
    wanted: &Wanted,
    dice: &mut fastrand::Rng,
    service: &'static Service,
    at: Timestamp,
    share: f64,
    truth: &mut Truth,
    out: &mut impl Write,
) -> io::Result<()> {
    let outcome = outcome(dice, service, share);
    let forwarded = outcome.action == "forward";
    let (name, arn) = if forwarded {
        (
            service.name,
            format!(
                "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{}",
                service.group
            ),
        )
    } else {
        (BALANCER, "-".to_owned())
    };
    // For an hour search is slow.
    let slow = if service.name == "search" && (0.75..0.80).contains(&share) { 8.0 } else { 1.0 };
    let latency = outcome
        .target
        .map(|_| (-service.mean_ms * slow * (1.0 - dice.f64()).ln()).min(60_000.0) as u32);
    let tls = dice.u8(..100) < 94;
    let template = one_of(dice, service.paths);
    let path = template.split("{}").fold(String::new(), |path, part| {
        let id =
            if path.is_empty() { String::new() } else { dice.u32(..wanted.ids.max(1)).to_string() };
        path + &id + part
    });
    let query = if dice.u8(..4) == 0 {
        format!("?page={}&q=red%20shoes", dice.u16(..))
    } else {
        String::new()
    };
    let method = if dice.u8(..10) < 8 { "GET" } else { "POST" };
    let (scheme, port, kind) = if tls {
        ("https", 443, if dice.u8(..10) < 6 { "h2" } else { "https" })
    } else {
        ("http", 80, "http")
    };
    let malformed_request = outcome.action == "-";
    let line = if malformed_request {
        format!("- {scheme}://www.shop.example:{port}- -")
    } else {
        format!(
            "{method} {scheme}://www.shop.example:{port}{path}{query} {}",
            if kind == "h2" { "HTTP/2.0" } else { "HTTP/1.1" }
        )
    };
    let client = if dice.u8(..50) == 0 {
        format!("[2001:db8:{:x}::{:x}]:{}", dice.u16(..), dice.u16(..), dice.u16(1024..))
    } else {
        format!("198.{}.{}.{}:{}", dice.u8(18..20), dice.u8(..), dice.u8(1..), dice.u16(1024..))
    };
    let target = if outcome.reached {
        format!("10.0.{}.{}:{}", dice.u8(..4), dice.u8(4..250), service.port)
    } else {
        "-".to_owned()
    };
    let times = match (outcome.reached, latency) {
        (true, Some(ms)) => {
            format!("0.{:03} {}.{:03} 0.{:03}", dice.u8(..3), ms / 1000, ms % 1000, dice.u8(..2))
        }
        (true, None) => format!("0.{:03} -1 -1", dice.u8(..3)),
        (false, _) => "-1 -1 -1".to_owned(),
    };
    let code = outcome.target.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let sent = dice.u32(120..60_000);
    let trace: u128 = dice.u128(..);
    let created = at - SignedDuration::from_millis(i64::from(latency.unwrap_or(0)) + 2);
    let dash = |text: &'static str| if tls { text } else { "-" };
    let all = [
        kind.to_owned(),
        stamp(at),
        "app/shop/50dc6c495c0c9188".to_owned(),
        client,
        target.clone(),
        times,
        format!("{} {code} {} {sent}", outcome.elb, dice.u16(30..3000)),
        format!("\"{line}\""),
        format!("\"{}\"", one_of(dice, &AGENTS)),
        dash("TLS_AES_128_GCM_SHA256").to_owned(),
        dash("TLSv1.3").to_owned(),
        arn,
        format!("\"Root=1-{:08x}-{:024x}\"", at.as_second(), trace >> 32),
        format!("\"{}\"", dash("www.shop.example")),
        format!(
            "\"{}\"",
            dash(
                "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
            )
        ),
        dice.u8(..20).to_string(),
        stamp(created),
        format!("\"{}\"", outcome.action),
        if outcome.action == "redirect" {
            format!("\"https://www.shop.example:443{path}\"")
        } else {
            "\"-\"".to_owned()
        },
        "\"-\"".to_owned(),
        format!("\"{target}\""),
        format!("\"{code}\""),
        format!("\"{}\"", if malformed_request { "Severe" } else { "-" }),
        format!("\"{}\"", if malformed_request { "BadMethod" } else { "-" }),
        format!("TID_{trace:032x}"),
        "\"-\"".to_owned(),
        "\"-\"".to_owned(),
        "\"-\"".to_owned(),
        format!("203.0.113.{}", dice.u8(11..14)),
    ];
    // Two of the parts above are three and four fields.
    writeln!(
        out,
        "{}",
        all.iter().take(wanted.fields - 5).map(String::as_str).collect::<Vec<_>>().join(" ")
    )?;
    truth.count(name, &outcome, latency, u64::from(sent));
    if outcome.elb >= 400 {
        let place =
            if malformed_request { "- /".to_owned() } else { format!("{method} {template}") };
        *truth.failing_paths.entry(format!("{name} {} {place}", outcome.elb)).or_default() += 1;
    }
    Ok(())
}

impl Truth {
    fn count(&mut self, name: &'static str, outcome: &Outcome, latency: Option<u32>, sent: u64) {
        let target =
            outcome.target.map_or_else(|| "-".to_owned(), |code| format!("{}xx", code / 100));
        *self.elb_classes.entry(format!("{name} {}xx", outcome.elb / 100)).or_default() += 1;
        *self.target_classes.entry(format!("{name} {target}")).or_default() += 1;
        *self.elb_codes.entry(outcome.elb).or_default() += 1;
        self.sent_bytes += sent;
        if let Some(latency) = latency {
            self.latencies.entry(name).or_default().push(latency);
        }
    }
}

fn stamp(at: Timestamp) -> String {
    let micros = at.subsec_microsecond();
    let at = at.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{at}.{micros:06}Z")
}

fn broken(dice: &mut fastrand::Rng) -> String {
    let kinds = [
        "not a line of an access log\n",
        "https 2026-11-20T10:00:00.000000Z app/shop/50dc6c495c0c9188 192.0.2.1:2817 - -1 -1 -1 200\n",
        "https 2026-11-20T10:00:00.000000Z app/shop/50dc6c495c0c9188 192.0.2.1:2817 - -1 -1 -1 200 - 1 2 \"GET https://a:443/ HTTP/1.1\" \"curl\n",
        "\u{0}\u{1}\u{2}\n",
    ];
    one_of(dice, &kinds).to_owned()
}
