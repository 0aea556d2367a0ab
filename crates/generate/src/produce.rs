//! Many threads, one order: pieces are made in parallel and handed over in sequence.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Result, anyhow};

use crate::defects::{Defects, Planted};
use crate::layout::{Layout, Piece};
use crate::render::render;
use crate::truth::Truth;
use crate::world::World;

/// Makes every piece of `layout` on `threads` threads and gives their bytes, and what was planted in them, to `take`, in order,
/// on the calling thread.
///
/// Memory is bounded by a fixed number of buffers, which wander between the makers and `take`. Returns the answers counted
/// on the way. Ends early with the first error of `take`.
pub fn produce(
    world: &World,
    layout: &Layout,
    defects: Option<Defects>,
    threads: NonZeroUsize,
    mut take: impl FnMut(Piece, &[u8], &Planted) -> Result<()>,
) -> Result<Truth> {
    let n_buffers = threads.get() * 2 + 2;
    let (give_back, free) = sync_channel(n_buffers);
    let (hand_over, made) = sync_channel(n_buffers);
    for _ in 0..n_buffers {
        give_back.send(Vec::new())?;
    }
    let (free, next) = (Mutex::new(free), AtomicU64::new(0));

    thread::scope(|scope| {
        let makers: Vec<_> = (0..threads.get())
            .map(|_| {
                let (free, next, hand_over) = (&free, &next, hand_over.clone());
                scope.spawn(move || make_pieces(world, layout, defects, next, free, &hand_over))
            })
            .collect();
        drop(hand_over);
        let taken = take_in_order(layout, made, give_back, &mut take);

        let mut truth = Truth::new(world.parameters());
        for maker in makers {
            truth.merge(&maker.join().map_err(|_| anyhow!("a thread that makes tickets has panicked"))?);
        }
        taken.map(|()| truth)
    })
}

/// Makes pieces until there are none left, or nobody wants them any more.
///
/// A maker takes a buffer before it takes a number, so the piece that is next in order always has one and the others can
/// only wait for it, never hold it up.
fn make_pieces(
    world: &World,
    layout: &Layout,
    defects: Option<Defects>,
    next: &AtomicU64,
    free: &Mutex<Receiver<Vec<u8>>>,
    hand_over: &SyncSender<(u64, Vec<u8>, Planted)>,
) -> Truth {
    let mut truth = Truth::new(world.parameters());
    loop {
        let buffer = free.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let i = next.fetch_add(1, Ordering::Relaxed);
        let (Ok(mut buffer), true) = (buffer, i < layout.n_pieces()) else {
            return truth;
        };
        buffer.clear();
        let tickets = layout.piece(i).tickets;
        let planted = if let Some(defects) = defects {
            defects.make(world, tickets, &mut buffer, |ticket| truth.count(ticket))
        } else {
            let n_lines = tickets.end - tickets.start;
            for ticket in world.tickets(tickets) {
                truth.count(&ticket);
                render(&ticket, &mut buffer);
            }
            Planted { n_lines, defects: Vec::new() }
        };
        if hand_over.send((i, buffer, planted)).is_err() {
            return truth;
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the makers end when `give_back` is gone")]
fn take_in_order(
    layout: &Layout,
    made: Receiver<(u64, Vec<u8>, Planted)>,
    give_back: SyncSender<Vec<u8>>,
    take: &mut impl FnMut(Piece, &[u8], &Planted) -> Result<()>,
) -> Result<()> {
    let mut early = BTreeMap::new();
    let mut due = 0;
    for (i, buffer, planted) in made {
        early.insert(i, (buffer, planted));
        while let Some((buffer, planted)) = early.remove(&due) {
            take(layout.piece(due), &buffer, &planted)?;
            due += 1;
            // Fails only when all makers have gone, and then nobody needs the buffer.
            let _ = give_back.send(buffer);
        }
    }
    Ok(())
}
