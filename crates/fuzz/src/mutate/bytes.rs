//! Changes that know nothing of the format: bits, ranges, repeats, splices and lines.

use fastrand::Rng;

use super::ODD;

/// Anything at all: bytes, or words of [`ODD`] after each other.
pub(super) fn random(dice: &mut Rng) -> Vec<u8> {
    if dice.bool() {
        let length = dice.usize(0..64);
        return std::iter::repeat_with(|| dice.u8(..)).take(length).collect();
    }
    let count = dice.usize(0..12);
    let words = (0..count).filter_map(|_| dice.choice(ODD).copied()).collect::<Vec<_>>();
    words.concat().into_bytes()
}

/// One to six changes.
pub(super) fn changed(mut input: Vec<u8>, seeds: &[Vec<u8>], dice: &mut Rng) -> Vec<u8> {
    for _ in 0..dice.usize(1..=6) {
        change(&mut input, seeds, dice);
        if input.len() > super::MOST {
            break;
        }
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Rng) {
    let at = dice.usize(0..=input.len());
    match dice.u8(0..12) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << dice.u8(0..8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = dice.u8(..);
            }
        }
        2 => {
            let odd = dice.choice(ODD).copied().unwrap_or_default();
            drop(input.splice(at..at, odd.bytes()));
        }
        3 => {
            let range = range(input.len(), dice);
            input.drain(range);
        }
        4 => {
            let range = range(input.len(), dice);
            let part = input.get(range).unwrap_or_default().to_vec();
            drop(input.splice(at..at, part));
        }
        5 => input.truncate(at),
        6 => {
            let other = dice.choice(seeds).map(Vec::as_slice).unwrap_or_default();
            let part = other.get(range(other.len(), dice)).unwrap_or_default();
            drop(input.splice(at..at, part.iter().copied()));
        }
        7 => {
            let range = range(input.len(), dice);
            let odd = dice.choice(ODD).copied().unwrap_or_default();
            drop(input.splice(range, odd.bytes()));
        }
        8 => digit(input, dice),
        9 => lines(input, dice),
        10 => {
            let part = input.get(range(input.len(), dice)).unwrap_or_default().to_vec();
            let part: Vec<u8> = part.into_iter().take(64).collect();
            let times = dice.usize(1..200);
            drop(input.splice(at..at, part.repeat(times)));
        }
        _ => {
            let broken: &[u8] = dice
                .choice(&[&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
                .unwrap_or(&&b"\xff"[..]);
            drop(input.splice(at..at, broken.iter().copied()));
        }
    }
}

/// A short range more often than a long one.
fn range(length: usize, dice: &mut Rng) -> std::ops::Range<usize> {
    let begin = dice.usize(0..=length);
    let most = if dice.bool() { 16 } else { length };
    let end = begin + dice.usize(0..=most.min(length - begin));
    begin..end
}

/// Another digit in place of one.
fn digit(input: &mut [u8], dice: &mut Rng) {
    let places: Vec<usize> = input
        .iter()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    if let Some(byte) = dice.choice(&places).and_then(|at| input.get_mut(*at)) {
        *byte = b'0' + dice.u8(0..10);
    }
}

/// A line doubled, dropped, moved or indented: what breaks YAML and lists of headers.
fn lines(input: &mut Vec<u8>, dice: &mut Rng) {
    let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = dice.usize(0..lines.len());
    let line = lines.remove(at);
    match dice.u8(0..5) {
        0 => {}
        1 => {
            lines.insert(at, line.clone());
            lines.insert(at, line);
        }
        2 => {
            let to = dice.usize(0..=lines.len());
            lines.insert(to, line);
        }
        3 => lines.insert(at, [b"  ".as_slice(), &line].concat()),
        _ => lines.insert(at, line.trim_ascii_start().to_vec()),
    }
    *input = lines.join(&b'\n');
}
