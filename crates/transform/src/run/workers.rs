//! The threads: each takes a chunk, decodes it, and brings its batch to where batches are taken in order.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use anyhow::{Error, Result};
use executor::{CancellationToken, Cancelled, on_threads};

use crate::decode::Decoder;
use crate::decode::batch::Batch;
use crate::decode::unknown_fields::UnknownFields;
use jsonl::chunks::ChunkReader;
use jsonl::input::Source;

/// What is done with batches, on many threads at once.
pub trait Consumer: Sync {
    /// What a thread needs for it.
    type Tools;

    /// Gives a thread its tools.
    fn tools(&self) -> Result<Self::Tools>;

    /// Does what is to be done with the batch of a number, or has another thread do it. The numbers are those of the chunks in the
    /// order of the input. Returns a batch that nobody needs, if there is one.
    fn take(
        &self,
        number: u64,
        batch: Batch,
        tools: &mut Self::Tools,
        stop: &CancellationToken,
    ) -> Result<Option<Batch>>;

    /// Called on each thread when there are no more than the `n_batches` that it or others have taken or are taking.
    fn finish(&self, n_batches: u64, tools: &mut Self::Tools, stop: &CancellationToken) -> Result<()>;
}

/// Gives all batches of `sources` to `consumer`, on up to `threads` threads; returns the unknown fields they held.
///
/// Ends early, with the first error, if anything fails.
pub fn for_each_batch(sources: &[Source], threads: NonZeroUsize, consumer: &impl Consumer) -> Result<UnknownFields> {
    let run = Run {
        sources,
        reader: Mutex::new((ChunkReader::new(sources), 0)),
        stop: CancellationToken::default(),
        consumer,
    };
    let outcomes = on_threads(threads.get(), || run.work());
    let mut unknown_fields = UnknownFields::default();
    let mut failure: Option<Error> = None;
    for outcome in outcomes {
        match outcome {
            Ok(more) => unknown_fields.merge(&more),
            // Those who were only stopped have nothing to say beside the one who met the error.
            Err(error) if failure.as_ref().is_none_or(Error::is::<Cancelled>) => failure = Some(error),
            Err(_) => {}
        }
    }
    failure.map_or(Ok(unknown_fields), Err)
}

struct Run<'a, C> {
    sources: &'a [Source],
    /// The next chunk and its number.
    reader: Mutex<(ChunkReader<'a>, u64)>,
    stop: CancellationToken,
    consumer: &'a C,
}

/// Sets the others free when its thread fails or panics.
struct StopsOthers<'a>(Option<&'a CancellationToken>);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        if let Some(stop) = self.0 {
            stop.cancel();
        }
    }
}

impl<C: Consumer> Run<'_, C> {
    fn work(&self) -> Result<UnknownFields> {
        let mut unless_done = StopsOthers(Some(&self.stop));
        let (mut batch, mut decoder, mut tools) = (Batch::default(), Decoder::default(), self.consumer.tools()?);
        let n_batches = loop {
            match self.next(&mut batch)? {
                Ok(number) => {
                    batch.decode(self.sources, &mut decoder)?;
                    batch = self.consumer.take(number, batch, &mut tools, &self.stop)?.unwrap_or_default();
                }
                Err(n_batches) => break n_batches,
            }
        };
        // What follows needs the memory more.
        drop(batch);
        self.consumer.finish(n_batches, &mut tools, &self.stop)?;
        unless_done.0 = None;
        Ok(decoder.into_unknown_fields())
    }

    /// Takes the next chunk and returns its number; if there is none, how many there were.
    fn next(&self, batch: &mut Batch) -> Result<Result<u64, u64>> {
        self.stop.check()?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (reader, next) = &mut *reader;
        if !batch.next(reader)? {
            return Ok(Err(*next));
        }
        *next += 1;
        Ok(Ok(*next - 1))
    }
}
