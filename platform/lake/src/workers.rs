use std::io;
use std::num::NonZeroUsize;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Bytes of each thread's stack: a plan is as deep as its statement is long, and it is walked by recursion.
const STACK: usize = 64 << 20;

/// The threads on which questions are answered. They serve nothing else, so that a question which does not let go of
/// its thread holds up other questions only.
pub(crate) struct Workers(Option<Runtime>);

impl Workers {
    pub(crate) fn start() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, NonZeroUsize::get).max(2);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("question")
            .thread_stack_size(STACK)
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Begins some work. Nothing begins while they are being dropped.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
        self.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for questions that are being answered is not allowed where a server's own tasks end.
            runtime.shutdown_background();
        }
    }
}
