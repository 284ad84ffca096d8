use std::sync::{Arc, atomic::Ordering};

use tokio::sync::{mpsc, oneshot};

use super::{
    StoreError,
    journal::{Progress, Unapplied},
    writer::{Failure, Scribe, Waiting},
};

/// What the journal's keeper has the tables do.
pub enum Work {
    /// To write what the journal has.
    Batch(Unapplied),
    /// To write what the journal has not, and to answer it.
    Group(Vec<Waiting>),
    /// To say that everything before this is done.
    CaughtUp(oneshot::Sender<Result<(), StoreError>>),
}

/// Does one after the other, until the keeper has ended. After the first failure nothing is
/// written any more; the journal has what the tables lack.
pub async fn apply(
    mut scribe: Scribe,
    mut works: mpsc::Receiver<Work>,
    progress: Arc<Progress>,
    failure: Failure,
) {
    while let Some(work) = works.recv().await {
        match work {
            Work::Batch(batch) => {
                if failure.get().is_some() {
                    continue;
                }
                match scribe.apply(&batch).await {
                    Ok(()) => progress.applied.store(batch.through, Ordering::Release),
                    Err(error) => failure.set(error),
                }
            }
            Work::Group(group) => scribe.answer(group, &failure).await,
            Work::CaughtUp(answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(failure.get().map_or(Ok(()), Err));
            }
        }
    }
    scribe.close().await;
}
