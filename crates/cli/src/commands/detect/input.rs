//! Lines of standard input and of files, plain or gz; several files are merged by event time, or followed as they grow.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use firebreak_detection::Detector;
use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc;

/// Lines travel in batches.
const MOST_TOGETHER: usize = 512;
/// Batches that wait for the detector.
const WAITING: usize = 8;
/// A longer line is cut, and is malformed then.
const LONGEST: u64 = 1024 * 1024;
/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(200);

type Batch = std::io::Result<Vec<String>>;

pub(super) struct Input(mpsc::Receiver<Batch>);

impl Input {
    /// Reads in a thread of its own, and no faster than lines are taken.
    pub(super) fn open(files: &[PathBuf], follow: bool, times: &Detector) -> anyhow::Result<Self> {
        let (send, receive) = mpsc::channel(WAITING);
        let is_stdin = files.is_empty() || files.iter().any(|path| path.as_os_str() == "-");
        if is_stdin && files.len() > 1 {
            bail!("standard input cannot be read together with files");
        }
        if is_stdin {
            std::thread::spawn(move || forward(&mut std::io::stdin().lock(), &send));
        } else if follow {
            for path in files {
                let tail = Tail::open(path)?;
                let send = send.clone();
                std::thread::spawn(move || tail.follow(&send));
            }
        } else {
            let readers =
                files.iter().map(|path| open(path)).collect::<anyhow::Result<Vec<_>>>()?;
            let clock = times.times();
            std::thread::spawn(move || merge(readers, &|line| clock.of(line), &send));
        }
        Ok(Self(receive))
    }

    pub(super) async fn lines(&mut self) -> Option<Batch> {
        self.0.recv().await
    }
}

fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(file)))));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 17, file)))
}

/// The next line without its end; what is no UTF-8 is replaced.
fn line(from: &mut dyn BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if !bytes.ends_with(b"\n") && bytes.len() as u64 == LONGEST {
        // The rest belongs to the same line.
        from.skip_until(b'\n')?;
    }
    Ok(Some(text(bytes)))
}

fn text(bytes: Vec<u8>) -> String {
    let mut text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

/// Hands over what is there at once, so that nobody waits for a batch to fill.
fn forward(from: &mut dyn BufRead, send: &mpsc::Sender<Batch>) {
    let mut batch = Vec::new();
    loop {
        match line(from) {
            Ok(Some(line)) => batch.push(line),
            Ok(None) => {
                drop(send.blocking_send(Ok(batch)));
                return;
            }
            Err(error) => {
                drop(send.blocking_send(Err(error)));
                return;
            }
        }
        let has_more = matches!(from.fill_buf(), Ok(buffer) if buffer.contains(&b'\n'));
        let is_full = batch.len() >= MOST_TOGETHER;
        if (is_full || !has_more) && send.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
            return;
        }
    }
}

/// Always the line with the earliest time; a line without one comes with the line before it.
fn merge(
    mut readers: Vec<Box<dyn BufRead + Send>>,
    time_of: &dyn Fn(&str) -> Option<i64>,
    send: &mpsc::Sender<Batch>,
) {
    if let [only] = readers.as_mut_slice() {
        return forward(only, send);
    }
    let mut heads: Vec<(i64, String)> = Vec::new();
    let mut batch = Vec::new();
    let fill = |reader: &mut Box<dyn BufRead + Send>, before: i64| {
        let line = line(reader)?;
        Ok::<_, std::io::Error>(line.map(|line| (time_of(&line).unwrap_or(before), line)))
    };
    let mut at = 0;
    while let Some(reader) = readers.get_mut(at) {
        match fill(reader, i64::MIN) {
            Ok(Some(head)) => {
                heads.push(head);
                at += 1;
            }
            Ok(None) => drop(readers.remove(at)),
            Err(error) => return drop(send.blocking_send(Err(error))),
        }
    }
    while let Some(first) =
        (0..heads.len()).min_by_key(|at| heads.get(*at).map_or(i64::MAX, |(time, _)| *time))
    {
        let (Some(head), Some(reader)) = (heads.get_mut(first), readers.get_mut(first)) else {
            return;
        };
        match fill(reader, head.0) {
            Ok(Some(next)) => batch.push(std::mem::replace(head, next).1),
            Ok(None) => {
                drop(readers.remove(first));
                batch.push(heads.remove(first).1);
            }
            Err(error) => return drop(send.blocking_send(Err(error))),
        }
        if batch.len() >= MOST_TOGETHER
            && send.blocking_send(Ok(std::mem::take(&mut batch))).is_err()
        {
            return;
        }
    }
    drop(send.blocking_send(Ok(batch)));
}

/// A file that grows. Where it is cut or another one takes its name, reading begins at the start of what is there now.
struct Tail {
    path: PathBuf,
    file: File,
    /// Bytes of a line that is not complete yet.
    rest: Vec<u8>,
}

impl Tail {
    /// From the end on: what was there before is not news.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), file, rest: Vec::new() })
    }

    fn follow(mut self, send: &mpsc::Sender<Batch>) {
        while !send.is_closed() {
            let lines = match self.lines() {
                Ok(lines) => lines,
                Err(error) => return drop(send.blocking_send(Err(error))),
            };
            if lines.is_empty() {
                std::thread::sleep(LOOK);
                if let Err(error) = self.reopen() {
                    return drop(send.blocking_send(Err(error)));
                }
            } else if send.blocking_send(Ok(lines)).is_err() {
                return;
            }
        }
    }

    fn lines(&mut self) -> std::io::Result<Vec<String>> {
        let mut read = Vec::new();
        (&mut self.file).take(LONGEST).read_to_end(&mut read)?;
        self.rest.extend(read);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            if self.rest.len() as u64 > LONGEST {
                self.rest.clear();
            }
            return Ok(Vec::new());
        };
        let complete: Vec<u8> = self.rest.drain(..=end).collect();
        let lines = complete.split_inclusive(|byte| *byte == b'\n');
        Ok(lines.map(|line| text(line.to_vec())).collect())
    }

    fn reopen(&mut self) -> std::io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        // Between two names of a rotation there may be no file at all.
        let Ok(there) = std::fs::metadata(&self.path) else { return Ok(()) };
        let here = self.file.metadata()?;
        let is_other = (there.ino(), there.dev()) != (here.ino(), here.dev());
        let is_cut = there.len() < self.file.stream_position()?;
        if is_other || is_cut {
            self.file = File::open(&self.path)?;
            self.rest.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(files: &[&str]) -> Vec<String> {
        let readers = files
            .iter()
            .map(|text| {
                Box::new(std::io::Cursor::new(text.as_bytes().to_vec())) as Box<dyn BufRead + Send>
            })
            .collect();
        let (send, mut receive) = mpsc::channel(8);
        merge(readers, &|line| line.split(' ').next()?.parse().ok(), &send);
        drop(send);
        let mut lines = Vec::new();
        while let Ok(batch) = receive.try_recv() {
            lines.extend(batch.unwrap());
        }
        lines
    }

    #[test]
    fn several_files_are_one_stream_in_order_of_time() {
        let (one, two) = ("1 a\n3 b\ntrace\n6 c\n", "2 d\r\n4 e");
        assert_eq!(merged(&[one, two, ""]), ["1 a", "2 d", "3 b", "trace", "4 e", "6 c"]);
        assert_eq!(merged(&[two]), ["2 d", "4 e"]);
    }

    #[test]
    fn a_file_is_followed_over_growth_and_rotation() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        std::fs::write(&path, "old\n").unwrap();
        let mut tail = Tail::open(&path).unwrap();
        let mut log = File::options().append(true).open(&path).unwrap();
        log.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.lines().unwrap(), ["one"]);
        log.write_all(b"o\n").unwrap();
        assert_eq!(tail.lines().unwrap(), ["two"]);
        std::fs::rename(&path, folder.path().join("app.log.1")).unwrap();
        tail.reopen().unwrap();
        std::fs::write(&path, "three\n").unwrap();
        tail.reopen().unwrap();
        assert_eq!(tail.lines().unwrap(), ["three"]);
        std::fs::write(&path, "4\n").unwrap();
        tail.reopen().unwrap();
        assert_eq!(tail.lines().unwrap(), ["4"]);
    }
}
