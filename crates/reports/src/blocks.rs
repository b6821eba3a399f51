//! Cuts a log, plain or gzip, into blocks of whole lines.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use memchr::{memchr, memrchr};

use crate::entry::LONGEST_LINE;

/// Small enough for the cache of a core, large enough that handing it over costs nothing.
const BLOCK: usize = 2 * LONGEST_LINE;
const READ_AHEAD: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

type Reader = Box<dyn Read + Send>;

/// One log, opened when its turn comes. Whether it is gzip is seen from its first bytes.
pub struct Input {
    pub(crate) name: String,
    open: Box<dyn FnOnce() -> io::Result<Reader> + Send>,
}

impl Input {
    pub fn new(
        name: impl Into<String>,
        open: impl FnOnce() -> io::Result<Reader> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), open: Box::new(open) }
    }

    /// A log that is in memory.
    pub fn of_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self::new(name, || Ok(Box::new(io::Cursor::new(bytes))))
    }

    pub(crate) fn open(self, watch: impl Fn(u64) + Send + 'static) -> io::Result<Blocks> {
        let watched = Watched { reader: (self.open)()?, watch: Box::new(watch) };
        let mut reader = BufReader::with_capacity(READ_AHEAD, watched);
        let reader: Reader = if reader.fill_buf()?.starts_with(&GZIP) {
            Box::new(MultiGzDecoder::new(reader))
        } else {
            Box::new(reader)
        };
        Ok(Blocks { reader, begun: Vec::new(), skips: false })
    }
}

/// Says how many bytes were read, before they are inflated.
struct Watched {
    reader: Reader,
    watch: Box<dyn Fn(u64) + Send>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        (self.watch)(read as u64);
        Ok(read)
    }
}

/// The rest of one log.
pub(crate) struct Blocks {
    reader: Reader,
    /// The line that the last block ended in.
    begun: Vec<u8>,
    /// Inside of a line that is too long to be read.
    skips: bool,
}

/// What came into a buffer: whole lines, and whether more may follow.
pub(crate) struct Filled {
    pub(crate) length: usize,
    pub(crate) end: Option<End>,
}

pub(crate) enum End {
    Whole,
    Damaged(io::Error),
}

impl Blocks {
    /// A buffer to be filled, again and again.
    pub(crate) fn buffer() -> Vec<u8> {
        vec![0; BLOCK]
    }

    /// Fills the buffer with whole lines.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Filled {
        let mut length = self.begun.len();
        if let Some(start) = buffer.get_mut(..length) {
            start.copy_from_slice(&self.begun);
        }
        self.begun.clear();
        let end = loop {
            let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) else {
                break None;
            };
            match self.reader.read(free) {
                Ok(0) => break Some(End::Whole),
                Ok(read) => length += self.kept(free, read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(End::Damaged(error)),
            }
        };
        let filled = buffer.get(..length).unwrap_or_default();
        let whole = match (&end, memrchr(b'\n', filled)) {
            (Some(End::Whole), _) => length,
            (_, Some(last)) => last + 1,
            (Some(End::Damaged(_)), None) => 0,
            (None, None) => return self.too_long(length),
        };
        if end.is_none() {
            let begun = filled.get(whole..).unwrap_or_default();
            if begun.len() >= LONGEST_LINE {
                return self.too_long(length);
            }
            self.begun.extend_from_slice(begun);
        }
        Filled { length: whole, end }
    }

    /// The begun line counts as one that is too long, and the rest of it is passed over.
    fn too_long(&mut self, length: usize) -> Filled {
        self.skips = true;
        Filled { length, end: None }
    }

    /// How much of what was read stays: nothing up to the end of a line that is passed over.
    fn kept(&mut self, free: &mut [u8], read: usize) -> usize {
        if !self.skips {
            return read;
        }
        match free.get(..read).and_then(|bytes| memchr(b'\n', bytes)) {
            Some(end) => {
                self.skips = false;
                free.copy_within(end + 1..read, 0);
                read - end - 1
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// All lines, and the error at the end.
    fn lines(bytes: Vec<u8>) -> (Vec<Vec<u8>>, Option<io::Error>) {
        let mut blocks = Input::of_bytes("x", bytes).open(|_| ()).unwrap();
        let mut buffer = Blocks::buffer();
        let mut found = Vec::new();
        loop {
            let filled = blocks.fill(&mut buffer);
            let whole =
                buffer[..filled.length].strip_suffix(b"\n").unwrap_or(&buffer[..filled.length]);
            if filled.length > 0 {
                found.extend(whole.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
            }
            match filled.end {
                None => {}
                Some(End::Whole) => return (found, None),
                Some(End::Damaged(error)) => return (found, Some(error)),
            }
        }
    }

    fn numbered(count: usize) -> Vec<u8> {
        (0..count).fold(Vec::new(), |mut text, line| {
            writeln!(text, "{line} {}", "x".repeat(line % 1500)).unwrap();
            text
        })
    }

    #[test]
    fn no_line_is_lost_or_cut_between_blocks() {
        let text = numbered(4000);
        assert!(text.len() > 4 * BLOCK);
        let expected: Vec<_> = text
            .strip_suffix(b"\n")
            .unwrap()
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        assert_eq!(lines(text.clone()).0, expected);
        assert_eq!(lines(gz(&text)).0, expected);
        assert_eq!(
            lines(text.strip_suffix(b"\n").unwrap().to_vec()).0,
            expected,
            "no line end at the end"
        );
    }

    #[test]
    fn a_gzip_of_several_members_is_read_to_its_end() {
        let (first, second) = (numbered(1000), numbered(500));
        let (read, end) = lines([gz(&first), gz(b""), gz(&second)].concat());
        assert_eq!(read.len(), 1500);
        assert!(end.is_none());
    }

    #[test]
    fn a_cut_gzip_gives_its_whole_lines_and_says_so() {
        let whole = gz(&numbered(3000));
        let (read, end) = lines(whole[..whole.len() / 2].to_vec());
        assert!(end.is_some());
        assert!(read.len() > 500 && read.len() < 3000, "{}", read.len());
        for (number, line) in read.iter().enumerate() {
            assert!(line.starts_with(format!("{number} ").as_bytes()));
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over_in_bounded_memory() {
        let mut text = b"first\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 5 * BLOCK));
        text.extend_from_slice(b"\nlast\n");
        let (read, _) = lines(text);
        assert_eq!(read.first().unwrap(), b"first");
        assert_eq!(read.last().unwrap(), b"last");
        assert_eq!(read.len(), 3);
        assert!(read[1].len() >= LONGEST_LINE && read[1].len() <= BLOCK);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(lines(Vec::new()).0.len(), 0);
        assert_eq!(lines(gz(b"")).0.len(), 0);
    }
}
