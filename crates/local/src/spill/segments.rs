//! The files of the spill: appended to at one end, read and removed at the other, owned by one thread.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use firebreak_engine::ports::{Backlog, SpillError, Spilled};

use super::frame::{self, Lies};
use crate::store::{private_file, private_folder};

/// A file is left for the next one at this size, so that what was taken in frees its room soon.
const FULL_FILE: u64 = 1024 * 1024;

/// Names how far reading has come. It is written without waiting for the disk: to read again is harmless.
const TAKEN: &str = "taken";

/// A message that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    file: u64,
    begin: u64,
    end: u64,
    /// The reason and the text itself, where this version cannot read it.
    pub spilled: Result<Spilled, String>,
}

/// One file.
struct Segment {
    number: u64,
    /// How much of it is whole and durable.
    length: u64,
}

pub(super) struct Segments {
    folder: PathBuf,
    most_bytes: u64,
    /// Oldest first.
    files: VecDeque<Segment>,
    /// The last of them, while it is written to.
    open: Option<File>,
    /// Never used twice: `TAKEN` may still name an earlier file.
    next_number: u64,
    /// How much of the first file was taken in.
    taken: u64,
    backlog: Backlog,
}

impl Segments {
    /// Finds what an earlier process left. Nothing is appended to its files: their last line may be torn.
    pub(super) fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        private_folder(folder)?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            if path.extension().is_some_and(|extension| extension == "spill") {
                numbers.extend(number);
            }
        }
        numbers.sort_unstable();
        let (file, taken) = recorded(folder).unwrap_or_default();
        let mut spill = Self {
            folder: folder.to_owned(),
            most_bytes,
            next_number: numbers.last().copied().unwrap_or(0).max(file) + 1,
            taken: if numbers.first() == Some(&file) { taken } else { 0 },
            files: VecDeque::new(),
            open: None,
            backlog: Backlog::default(),
        };
        for number in numbers {
            spill.survey(number)?;
        }
        Ok(spill)
    }

    /// Counts what waits in a file of an earlier process.
    fn survey(&mut self, number: u64) -> io::Result<()> {
        let path = self.path(number);
        let bytes = fs::read(&path)?;
        if self.files.is_empty() && self.taken > bytes.len() as u64 {
            self.taken = 0;
        }
        let begin = if self.files.is_empty() { self.taken } else { 0 };
        let mut reader = Reader { bytes: &bytes, at: begin };
        while let Some((_, message)) = reader.next_message() {
            self.backlog.deliveries += 1;
            if self.backlog.oldest.is_none() {
                let spilled = Spilled::from_message(message).ok();
                self.backlog.oldest = spilled.map(|spilled| spilled.delivery.received_at);
            }
        }
        let torn = bytes.len() as u64 - reader.at;
        if torn > 0 {
            tracing::warn!(file = %path.display(), torn, "a write to the spill never ended; its sender got no answer");
        }
        self.backlog.bytes += reader.at - begin;
        self.files.push_back(Segment { number, length: reader.at });
        Ok(())
    }

    pub(super) fn backlog(&self) -> Backlog {
        self.backlog
    }

    /// Appends all messages with one wait for the disk. Either all are durable, or none may be answered for.
    pub(super) fn put(&mut self, messages: &[Spilled]) -> Result<(), SpillError> {
        let frames: String =
            messages.iter().map(|message| frame::frame(&message.to_message())).collect();
        let (added, waiting) = (frames.len() as u64, self.backlog.bytes);
        if waiting.saturating_add(added) > self.most_bytes {
            return Err(SpillError::Full { waiting, most: self.most_bytes });
        }
        self.append(frames.as_bytes()).map_err(|error| {
            // The file may end in a torn line now, so the next write begins another one.
            self.open = None;
            SpillError::Unavailable(error.to_string())
        })?;
        self.backlog.bytes += added;
        self.backlog.deliveries += messages.len() as u64;
        let first = messages.first().map(|message| message.delivery.received_at);
        self.backlog.oldest = self.backlog.oldest.or(first);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.files.back().is_some_and(|last| last.length >= FULL_FILE) {
            self.open = None;
        }
        if self.open.is_none() {
            let number = self.next_number;
            self.next_number += 1;
            let file = private_file(&self.path(number))?;
            // The name of the file must be as durable as what is in it.
            File::open(&self.folder)?.sync_all()?;
            self.files.push_back(Segment { number, length: 0 });
            self.open = Some(file);
        }
        let (Some(file), Some(last)) = (&mut self.open, self.files.back_mut()) else {
            return Err(io::Error::other("no file is open"));
        };
        file.write_all(bytes)?;
        file.sync_data()?;
        last.length += bytes.len() as u64;
        Ok(())
    }

    /// The oldest messages that were not taken: `most` of them, or those of one file.
    pub(super) fn oldest(&mut self, most: usize) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for (index, segment) in self.files.iter().enumerate() {
            let mut bytes = fs::read(self.path(segment.number))?;
            bytes.truncate(usize::try_from(segment.length).unwrap_or(usize::MAX));
            let mut reader = Reader { bytes: &bytes, at: if index == 0 { self.taken } else { 0 } };
            while waiting.len() < most {
                let Some((begin, message)) = reader.next_message() else { break };
                let spilled =
                    Spilled::from_message(message).map_err(|error| format!("{error}: {message}"));
                waiting.push(Waiting { file: segment.number, begin, end: reader.at, spilled });
            }
            if !waiting.is_empty() {
                break;
            }
        }
        Ok(waiting)
    }

    /// The oldest messages were taken in. A file of which nothing waits any more is removed.
    pub(super) fn taken(&mut self, oldest: &[Waiting]) -> io::Result<()> {
        for one in oldest {
            self.leave(one)?;
        }
        self.record()
    }

    fn leave(&mut self, oldest: &Waiting) -> io::Result<()> {
        while self.files.front().is_some_and(|first| first.number < oldest.file) {
            self.remove_first()?;
        }
        if self.files.front().is_none_or(|first| first.number != oldest.file) {
            return Ok(());
        }
        self.taken = oldest.end;
        self.backlog.deliveries = self.backlog.deliveries.saturating_sub(1);
        self.backlog.bytes = self.backlog.bytes.saturating_sub(oldest.end - oldest.begin);
        if self.files.front().is_some_and(|first| oldest.end >= first.length) {
            self.remove_first()?;
        }
        if self.files.is_empty() {
            self.backlog = Backlog::default();
        } else if let Ok(spilled) = &oldest.spilled {
            // What waits now came no earlier.
            self.backlog.oldest = Some(spilled.delivery.received_at);
        }
        Ok(())
    }

    fn remove_first(&mut self) -> io::Result<()> {
        let Some(first) = self.files.pop_front() else { return Ok(()) };
        if self.files.is_empty() {
            self.open = None;
        }
        self.taken = 0;
        fs::remove_file(self.path(first.number))
    }

    fn record(&self) -> io::Result<()> {
        let Some(first) = self.files.front() else { return Ok(()) };
        let new = self.folder.join("taken.new");
        let mut file = private_file(&new)?;
        file.set_len(0)?;
        writeln!(file, "{} {}", first.number, self.taken)?;
        fs::rename(new, self.folder.join(TAKEN))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:012}.spill"))
    }
}

/// The number of a file and how much of it was taken in.
fn recorded(folder: &Path) -> Option<(u64, u64)> {
    let text = fs::read_to_string(folder.join(TAKEN)).ok()?;
    let (number, taken) = text.trim().split_once(' ')?;
    Some((number.parse().ok()?, taken.parse().ok()?))
}

/// Reads one file message by message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl<'a> Reader<'a> {
    /// Where the next whole message, or damage before it, begins; and the message. Leaves `at` after it.
    fn next_message(&mut self) -> Option<(u64, &'a str)> {
        let begin = self.at;
        loop {
            let rest = self.bytes.get(usize::try_from(self.at).ok()?..)?;
            match frame::read(rest) {
                Lies::End { .. } => return None,
                Lies::Damaged { length } => {
                    tracing::error!(
                        at = self.at,
                        length,
                        "a part of the spill is damaged and is passed over"
                    );
                    self.at += length as u64;
                }
                Lies::Whole { message, length } => {
                    self.at += length as u64;
                    return Some((begin, message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::sources::Delivery;
    use jiff::Timestamp;

    use super::*;

    const MOST: u64 = 64 * 1024 * 1024;

    fn spilled(n: usize) -> Spilled {
        let at = Timestamp::from_second(1_795_000_000 + i64::try_from(n).unwrap()).unwrap();
        let body = format!("body {n}");
        Spilled::of(
            body.clone(),
            "alertmanager",
            &Delivery { body: body.as_bytes(), content_type: None, headers: &[], received_at: at },
        )
    }

    fn body(waiting: &Waiting) -> String {
        let delivery = &waiting.spilled.as_ref().unwrap().delivery;
        String::from_utf8(delivery.body.unpack().unwrap()).unwrap()
    }

    fn drain(segments: &mut Segments) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let waiting = segments.oldest(7).unwrap();
            if waiting.is_empty() {
                return bodies;
            }
            for one in &waiting {
                bodies.push(body(one));
                segments.taken(std::slice::from_ref(one)).unwrap();
            }
        }
    }

    fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|n| format!("body {n}")).collect()
    }

    fn files(folder: &Path) -> usize {
        let ends = |path: &Path| path.extension().is_some_and(|extension| extension == "spill");
        fs::read_dir(folder).unwrap().filter(|entry| ends(&entry.as_ref().unwrap().path())).count()
    }

    #[test]
    fn what_was_put_comes_out_in_order_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut segments = Segments::open(folder.path(), MOST).unwrap();
        for n in 0..20 {
            segments.put(&[spilled(2 * n), spilled(2 * n + 1)]).unwrap();
        }
        let waiting = segments.oldest(5).unwrap();
        assert_eq!(waiting.iter().map(body).collect::<Vec<_>>(), numbered(0..5));
        for one in &waiting {
            segments.taken(std::slice::from_ref(one)).unwrap();
        }
        assert_eq!(segments.backlog().deliveries, 35);
        let before = segments.backlog();
        drop(segments);
        let mut segments = Segments::open(folder.path(), MOST).unwrap();
        assert_eq!(segments.backlog().deliveries, before.deliveries);
        assert_eq!(segments.backlog().bytes, before.bytes);
        assert_eq!(segments.backlog().oldest, Some(spilled(5).delivery.received_at));
        segments.put(&[spilled(40)]).unwrap();
        assert_eq!(drain(&mut segments), numbered(5..41));
        assert_eq!(segments.backlog(), Backlog::default());
        assert_eq!(files(folder.path()), 0);
    }

    #[test]
    fn the_number_of_a_removed_file_is_never_used_again() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..5 {
            let mut segments = Segments::open(folder.path(), MOST).unwrap();
            segments.put(&[spilled(2 * n), spilled(2 * n + 1)]).unwrap();
            let waiting = segments.oldest(1).unwrap();
            segments.taken(&waiting[..1]).unwrap();
            assert_eq!(drain(&mut segments), numbered(2 * n + 1..2 * n + 2));
        }
    }

    #[test]
    fn wherever_the_last_write_is_torn_the_answered_ones_before_it_survive() {
        let folder = tempfile::tempdir().unwrap();
        let mut segments = Segments::open(folder.path(), MOST).unwrap();
        segments.put(&[spilled(0), spilled(1)]).unwrap();
        let answered = segments.backlog().bytes;
        segments.put(&[spilled(2)]).unwrap();
        let file = segments.path(1);
        let whole = fs::read(&file).unwrap();
        drop(segments);
        for length in answered..whole.len() as u64 {
            fs::write(&file, &whole[..usize::try_from(length).unwrap()]).unwrap();
            let mut segments = Segments::open(folder.path(), MOST).unwrap();
            assert_eq!(segments.backlog().deliveries, 2);
            segments.put(&[spilled(3)]).unwrap();
            let waiting = segments.oldest(9).unwrap();
            assert_eq!(waiting.iter().map(body).collect::<Vec<_>>(), numbered(0..2));
            fs::remove_file(segments.path(segments.next_number - 1)).unwrap();
        }
    }

    #[test]
    fn a_full_spill_says_so_and_has_room_again_when_it_is_drained() {
        let folder = tempfile::tempdir().unwrap();
        let mut segments = Segments::open(folder.path(), 1000).unwrap();
        let mut put = 0;
        let refused = loop {
            match segments.put(&[spilled(put)]) {
                Ok(()) => put += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, SpillError::Full { .. }), "{refused}");
        assert!(put > 1);
        assert_eq!(drain(&mut segments), numbered(0..put));
        segments.put(&[spilled(0)]).unwrap();
    }

    #[test]
    fn many_files_are_read_one_after_the_other_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut segments = Segments::open(folder.path(), MOST).unwrap();
        let big: Vec<Spilled> = (0..12)
            .map(|n: u64| {
                let noise: Vec<u8> =
                    (0..300_000_u64).map(|i| ((i * i * 31 + n * 7) % 251) as u8).collect();
                let mut one = spilled(usize::try_from(n).unwrap());
                one.delivery.body = firebreak_engine::delivery::PackedBody::from_bytes(noise);
                one
            })
            .collect();
        for one in &big {
            segments.put(std::slice::from_ref(one)).unwrap();
        }
        assert!(files(folder.path()) >= 3);
        let mut seen = Vec::new();
        while let Some(one) = segments.oldest(1).unwrap().pop() {
            seen.push(one.spilled.clone().unwrap());
            segments.taken(&[one]).unwrap();
        }
        assert_eq!(seen, big);
        assert_eq!(files(folder.path()), 0);
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let spill = folder.path().join("spill");
        let mut segments = Segments::open(&spill, MOST).unwrap();
        segments.put(&[spilled(0)]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&spill), 0o700);
        assert_eq!(mode(&segments.path(1)), 0o600);
    }
}
