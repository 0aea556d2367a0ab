//! Worker threads: each reads chunks, decodes them to batches and passes these to a consumer.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use anyhow::{Error, Result};
use executor::{CancellationToken, Cancelled, on_threads};
use jsonl::chunks::ChunkReader;
use jsonl::input::Source;

use crate::decode::Decoder;
use crate::decode::batch::Batch;
use crate::decode::unknown_fields::UnknownFields;

/// A consumer of batches that is called by all worker threads at once.
pub trait Consumer: Sync {
    /// The state of a worker thread.
    type State;

    /// Creates the state of a worker thread.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be created.
    fn new_state(&self) -> Result<Self::State>;

    /// Processes batch `number`, or leaves it to another thread. The numbers are those of the chunks in input order. Returns
    /// a batch for reuse, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the batch cannot be processed or the run has been cancelled.
    fn consume(
        &self,
        number: u64,
        batch: Batch,
        state: &mut Self::State,
        stop: &CancellationToken,
    ) -> Result<Option<Batch>>;

    /// Finishes a worker thread after the last of `n_batches` batches has been passed to a thread.
    ///
    /// # Errors
    ///
    /// Fails if the remaining work fails or the run has been cancelled.
    fn finish(&self, n_batches: u64, state: &mut Self::State, stop: &CancellationToken) -> Result<()>;
}

/// Passes all batches of `sources` to `consumer` on up to `threads` threads. Returns the unknown fields of all batches.
///
/// # Errors
///
/// Fails if an input cannot be read or the consumer fails. The first failure cancels all threads.
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
            // The error of a cancelled thread is reported only if there is no other.
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

/// Cancels the run when its thread fails or panics.
struct CancelOnDrop<'a>(Option<&'a CancellationToken>);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(stop) = self.0 {
            stop.cancel();
        }
    }
}

impl<C: Consumer> Run<'_, C> {
    fn work(&self) -> Result<UnknownFields> {
        let mut guard = CancelOnDrop(Some(&self.stop));
        let (mut batch, mut decoder, mut state) = (Batch::default(), Decoder::default(), self.consumer.new_state()?);
        let n_batches = loop {
            match self.next(&mut batch)? {
                Ok(number) => {
                    batch.decode(self.sources, &mut decoder)?;
                    batch = self.consumer.consume(number, batch, &mut state, &self.stop)?.unwrap_or_default();
                }
                Err(n_batches) => break n_batches,
            }
        };
        // Frees the memory for the row groups that are encoded last.
        drop(batch);
        self.consumer.finish(n_batches, &mut state, &self.stop)?;
        guard.0 = None;
        Ok(decoder.into_unknown_fields())
    }

    /// Reads the next chunk and returns its number, or `Err` with the number of chunks after the last one.
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
