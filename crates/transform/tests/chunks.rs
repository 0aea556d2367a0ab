//! The division of inputs into chunks: no byte is lost or read twice.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use jsonl::chunks::{Chunk, ChunkReader, Content, InputChecksum, MAX_LINE_BYTES};
use jsonl::input::Source;
use proptest::prelude::*;
use publish::Checksum;
use tempfile::tempdir;

const MIB: usize = 1 << 20;

/// The public content of a chunk.
#[derive(Debug, PartialEq, Eq)]
struct ChunkContent {
    byte_offset: u64,
    content: Content,
    is_last: bool,
    bytes: Vec<u8>,
}

fn read_chunk(chunk: &mut Chunk, sources: &[Source]) -> anyhow::Result<ChunkContent> {
    let mut bytes = Vec::new();
    if chunk.content == Content::Lines {
        chunk.for_each_piece(sources, |offset, lines| {
            assert_eq!(offset, bytes.len());
            bytes.extend_from_slice(lines);
        })?;
    } else {
        bytes.extend_from_slice(chunk.bytes());
    }
    let Chunk { byte_offset, content, is_last, .. } = *chunk;
    Ok(ChunkContent { byte_offset, content, is_last, bytes })
}

/// Returns all chunks of a file and the checksum of the whole file.
fn chunks(path: &Path) -> (Vec<ChunkContent>, Checksum) {
    let sources = [Source::at(path.to_owned())];
    let (mut reader, mut chunk, mut seen) = (ChunkReader::new(&sources), Chunk::default(), Vec::new());
    let (mut checksum, mut whole) = (InputChecksum::default(), None);
    while reader.next(&mut chunk).unwrap() {
        seen.push(read_chunk(&mut chunk, &sources).unwrap());
        assert!(whole.is_none(), "a chunk follows the last one");
        whole = checksum.take(&chunk);
    }
    (seen, whole.unwrap())
}

fn checksum_of(bytes: &[u8]) -> String {
    let mut checksum = Checksum::default();
    checksum.update(bytes);
    checksum.to_base64()
}

/// Asserts that a file, which is read by position, and its compressed copy, which is read as a stream, are divided at the
/// same offsets and are complete.
fn assert_same_chunks(text: &[u8]) -> Vec<ChunkContent> {
    let home = tempdir().unwrap();
    let (plain, compressed) = (home.path().join("a.jsonl"), home.path().join("a.jsonl.zst"));
    fs::write(&plain, text).unwrap();
    fs::write(&compressed, zstd::encode_all(text, 1).unwrap()).unwrap();
    let (seen, checksum) = chunks(&plain);
    assert_eq!((checksum.n_bytes(), checksum.to_base64()), (text.len() as u64, checksum_of(text)));
    let (seen_compressed, checksum) = chunks(&compressed);
    assert_eq!(checksum.to_base64(), checksum_of(&fs::read(&compressed).unwrap()));
    assert!(seen == seen_compressed, "{:?}\n{:?}", outline(&seen), outline(&seen_compressed));
    let mut end = seen[0].byte_offset as usize;
    for chunk in &seen {
        assert_eq!(chunk.byte_offset as usize, end);
        assert!(text[end..].starts_with(&chunk.bytes));
        end += chunk.bytes.len();
        match chunk.content {
            Content::Lines => assert!(chunk.is_last || chunk.bytes.ends_with(b"\n")),
            Content::LongLine => {}
            // The content excludes the newline.
            Content::MoreOfLongLine { is_last } => end += usize::from(is_last && end < text.len()),
        }
    }
    assert_eq!(end, text.len());
    seen
}

fn outline(seen: &[ChunkContent]) -> Vec<(u64, usize, Content, bool)> {
    seen.iter().map(|it| (it.byte_offset, it.bytes.len(), it.content, it.is_last)).collect()
}

/// Returns lines of the given lengths, including newlines.
fn lines(lengths: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let line = |(i, n_bytes): (usize, usize)| {
        let mut line = vec![b'a' + (i % 26) as u8; n_bytes - 1];
        line.push(b'\n');
        line
    };
    lengths.into_iter().enumerate().flat_map(line).collect()
}

#[test]
fn files_and_compressed_copies_have_the_same_chunks() {
    let usual = || std::iter::repeat_n(400, 12_000);
    let long = [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 2, 20 * MIB, 40 * MIB];
    let texts = [
        Vec::new(),
        b"\n".to_vec(),
        b"x".to_vec(),
        lines([400; 3]),
        lines(usual()),
        // Chunk boundaries at the ends of lines, at the end of the file, or one byte beside them.
        lines(std::iter::repeat_n(512, 4096)),
        lines(std::iter::repeat_n(512, 8192)),
        lines([2 * MIB - 1, 1, 2 * MIB, 1, 2 * MIB - 1]),
        lines([2 * MIB + 1, 2 * MIB + 1]),
        // Lines longer than the window that is searched for a newline, and longer than a piece.
        lines(std::iter::repeat_n(5000, 1000)),
        lines(std::iter::repeat_n(300_000, 20)),
        lines(usual().chain([3 * MIB]).chain(usual())),
    ];
    let long = long.map(|n_bytes| lines([400, n_bytes, 400]));
    for text in texts.into_iter().chain(long) {
        let seen = assert_same_chunks(&text);
        let has_long_line = seen.iter().any(|chunk| chunk.content != Content::Lines);
        assert_eq!(has_long_line, text.split(|byte| *byte == b'\n').any(|line| line.len() > MAX_LINE_BYTES));
        let without_last_newline = text.strip_suffix(b"\n").unwrap_or(&text);
        assert_same_chunks(without_last_newline);
        assert_same_chunks(&[b"\xEF\xBB\xBF", &text[..]].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn arbitrary_files_and_compressed_copies_have_the_same_chunks(
        lengths in prop::collection::vec(
            prop_oneof![6 => 1..600_usize, 2 => 1..9000_usize, 1 => 1..200_000_usize],
            1..400,
        ),
        n_times in 1..6_usize,
    ) {
        let n_bytes = lengths.iter().sum::<usize>();
        let n_times = n_times.max(3 * MIB / n_bytes.max(30_000));
        assert_same_chunks(&lines(std::iter::repeat_n(lengths, n_times).flatten()));
    }
}

#[test]
fn growing_file_is_read_to_its_end() {
    for more in [&b"and more\n"[..], b"\n", b"no newline"] {
        let home = tempdir().unwrap();
        let sources = [Source::at(home.path().join("a.jsonl"))];
        let mut text = lines(std::iter::repeat_n(400, 12_000));
        fs::write(home.path().join("a.jsonl"), &text).unwrap();
        let (mut reader, mut chunk, mut found) = (ChunkReader::new(&sources), Chunk::default(), Vec::new());
        assert!(reader.next(&mut chunk).unwrap());
        let mut file = File::options().append(true).open(home.path().join("a.jsonl")).unwrap();
        file.write_all(more).unwrap();
        text.extend_from_slice(more);
        loop {
            found.extend(read_chunk(&mut chunk, &sources).unwrap().bytes);
            if !reader.next(&mut chunk).unwrap() {
                break;
            }
        }
        assert!(found == text);
    }
}

#[test]
fn truncated_file_is_named_in_the_error() {
    let text = lines(std::iter::repeat_n(400, 24_000));
    for (n_given, n_bytes_left) in [(1, 0), (1, MIB), (2, 2 * MIB + 1), (3, 5 * MIB), (2, 9 * MIB), (4, text.len() - 1)]
    {
        let home = tempdir().unwrap();
        let path = home.path().join("a.jsonl");
        let sources = [Source::at(path.clone())];
        fs::write(&path, &text).unwrap();
        let (mut reader, mut chunk) = (ChunkReader::new(&sources), Chunk::default());
        (0..n_given).for_each(|_| assert!(reader.next(&mut chunk).unwrap()));
        File::options().write(true).open(&path).unwrap().set_len(n_bytes_left as u64).unwrap();
        // The error occurs when the last located chunk is read or when the next one is located.
        let mut read_all = || {
            read_chunk(&mut chunk, &sources)?;
            while reader.next(&mut chunk)? {
                read_chunk(&mut chunk, &sources)?;
            }
            Ok::<_, anyhow::Error>(())
        };
        let error = format!("{:#}", read_all().unwrap_err());
        assert!(error.contains("a.jsonl became shorter while it was read"), "{n_given}, {n_bytes_left}: {error}");
    }
}
