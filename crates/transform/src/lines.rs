//! Bytes to numbered lines, in bounded memory.

use std::io::{self, Read};

/// The longest line that is looked at as a whole. Longer ones are refused, and pass through in pieces.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// How much room for new bytes a read must at least find.
const READ_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line without its newline.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Where it starts in the file, in bytes from 0.
    pub byte_offset: u64,
    /// Its bytes; if it is not whole, the first [`MAX_LINE_BYTES`] of them.
    pub bytes: &'a [u8],
    /// Whether these are all of its bytes. If not, [`Lines::next_piece`] gives the others.
    pub is_whole: bool,
}

/// The lines of a stream.
///
/// A byte order mark at the start is passed over.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that have been read and not yet given out.
    start: usize,
    end: usize,
    /// What lies before `start` in the stream.
    byte_offset: u64,
    n_given: u64,
    at_end: bool,
    in_long_line: bool,
}

impl<R: Read> Lines<R> {
    /// The lines of `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            byte_offset: 0,
            n_given: 0,
            at_end: false,
            in_long_line: false,
        }
    }

    /// Where the lines come from.
    pub const fn reader(&self) -> &R {
        &self.reader
    }

    /// The next line, or `None` at the end. An empty line is a line; what follows the last newline is one only if it is not
    /// empty.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.in_long_line {
            self.next_piece()?;
        }
        if self.n_given == 0 && self.byte_offset == 0 {
            self.skip_byte_order_mark()?;
        }
        let mut searched = 0;
        let (n_bytes, is_whole) = loop {
            let unread = &self.buffer[self.start..self.end];
            match memchr::memchr(b'\n', &unread[searched..]) {
                Some(place) if searched + place <= MAX_LINE_BYTES => break (searched + place, true),
                _ if unread.len() > MAX_LINE_BYTES => break (MAX_LINE_BYTES, false),
                _ if self.at_end && unread.is_empty() => return Ok(None),
                _ if self.at_end => break (unread.len(), true),
                _ => searched = unread.len(),
            }
            self.read_more()?;
        };
        self.n_given += 1;
        self.in_long_line = !is_whole;
        let byte_offset = self.byte_offset;
        let taken = self.take(n_bytes, is_whole);
        Ok(Some(Line { number: self.n_given, byte_offset, bytes: &self.buffer[taken.0..taken.1], is_whole }))
    }

    /// The next piece of a line that was not whole, or `None` at its end.
    pub fn next_piece(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.in_long_line {
            return Ok(None);
        }
        while self.start == self.end && !self.at_end {
            self.read_more()?;
        }
        let unread = &self.buffer[self.start..self.end];
        let newline = memchr::memchr(b'\n', unread);
        let n_bytes = newline.unwrap_or(unread.len());
        self.in_long_line = newline.is_none() && !(self.at_end && unread.is_empty());
        let taken = self.take(n_bytes, newline.is_some());
        Ok(Some(&self.buffer[taken.0..taken.1]))
    }

    /// Steps over `n_bytes` of the buffer, and a newline after them if there is one; returns where the bytes lie.
    fn take(&mut self, n_bytes: usize, with_newline: bool) -> (usize, usize) {
        let taken = (self.start, self.start + n_bytes);
        // The last line may lack its newline.
        let step = if with_newline { (n_bytes + 1).min(self.end - self.start) } else { n_bytes };
        self.start += step;
        self.byte_offset += step as u64;
        taken
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        while self.end - self.start < BYTE_ORDER_MARK.len() && !self.at_end {
            self.read_more()?;
        }
        if self.buffer[self.start..self.end].starts_with(BYTE_ORDER_MARK) {
            self.take(BYTE_ORDER_MARK.len(), false);
        }
        Ok(())
    }

    /// Reads once, behind the unread bytes, which move to the front of the buffer if there is no room behind them.
    fn read_more(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.end < READ_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let needed = self.end + READ_BYTES;
            if self.buffer.len() < needed {
                self.buffer.resize(needed.max(self.buffer.len() * 2), 0);
            }
        }
        let n = loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += n;
        self.at_end = n == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE_BYTES};
    use std::io::Read;

    /// Gives at most `step` bytes a read.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn lines(text: &[u8], step: usize) -> Vec<(u64, u64, Vec<u8>)> {
        let mut lines = Lines::new(Dripping(text, step));
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            assert!(line.is_whole);
            all.push((line.number, line.byte_offset, line.bytes.to_vec()));
        }
        all
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let text = b"\xEF\xBB\xBFa\r\n\nbc\n\xEF\xBB\xBFlast";
        for step in [1, 2, 3, 5, 100] {
            let expected: Vec<(u64, u64, Vec<u8>)> = vec![
                (1, 3, b"a\r".to_vec()),
                (2, 6, vec![]),
                (3, 7, b"bc".to_vec()),
                (4, 10, b"\xEF\xBB\xBFlast".to_vec()),
            ];
            assert_eq!(lines(text, step), expected, "{step}");
        }
        assert!(lines(b"", 1).is_empty());
        assert!(lines(b"\xEF\xBB\xBF", 1).is_empty());
        assert_eq!(lines(b"\n", 1).len(), 1);
        assert_eq!(lines(b"\xEF\xBB", 1), [(1, 0, b"\xEF\xBB".to_vec())]);
    }

    #[test]
    fn a_line_at_the_limit_is_whole_and_a_longer_one_comes_in_pieces() {
        for (extra, ending) in
            [(0, &b"\nnext"[..]), (0, b""), (1, b"\nnext"), (1, b""), (5_000_000, b"\nnext"), (5_000_000, b"")]
        {
            let mut text = vec![b'x'; MAX_LINE_BYTES + extra];
            text.extend_from_slice(ending);
            let mut lines = Lines::new(&text[..]);
            let line = lines.next_line().unwrap().unwrap();
            assert_eq!((line.bytes.len(), line.is_whole), (MAX_LINE_BYTES, extra == 0));
            let mut rest = 0;
            while let Some(piece) = lines.next_piece().unwrap() {
                rest += piece.len();
            }
            assert_eq!(rest, extra);
            let next = lines.next_line().unwrap().map(|line| (line.number, line.byte_offset, line.bytes.to_vec()));
            let expected = (2, (MAX_LINE_BYTES + extra + 1) as u64, b"next".to_vec());
            assert_eq!(next, (!ending.is_empty()).then_some(expected));
        }
    }

    #[test]
    fn a_long_line_that_nobody_reads_is_passed_over() {
        let mut text = vec![b'x'; MAX_LINE_BYTES * 2];
        text.extend_from_slice(b"\nnext");
        let mut lines = Lines::new(&text[..]);
        assert!(!lines.next_line().unwrap().unwrap().is_whole);
        assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"next");
    }
}
