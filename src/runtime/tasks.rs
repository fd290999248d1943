//! Tasks that cannot die unnoticed.

use std::future::Future;
use tokio::task::JoinSet;

/// A process's long-lived tasks by name. None of them may end before the process is told to.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinSet<&'static str>,
}

/// A task ended, or panicked, while it was needed.
#[derive(Debug, thiserror::Error)]
pub enum TaskEnded {
    #[error("the task {0:?} ended although it is needed; this is a bug, please report it")]
    Ended(&'static str),
    #[error("a task panicked: {0}")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Tasks {
    pub fn spawn(&mut self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(async move {
            future.await;
            name
        });
    }

    /// Waits until one of the tasks ends, which is always an error; for ever while none does.
    pub async fn first_to_end(&mut self) -> TaskEnded {
        match self.running.join_next().await {
            Some(Ok(name)) => TaskEnded::Ended(name),
            Some(Err(error)) => TaskEnded::Panicked(error),
            None => std::future::pending().await,
        }
    }
}
