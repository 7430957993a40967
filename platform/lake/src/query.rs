//! Asking.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::functions_aggregate::count::count_all;
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::prelude::SessionConfig;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::provider::View;
use crate::spill::Aside;
use crate::{Lake, LakeError, Scope, statement};

/// Batches that were found and not taken yet.
const AHEAD: usize = 2;
/// Functions that make much of little, or work without a pause: no budget counts what they do.
const LEFT_OUT: [&str; 7] =
    ["levenshtein", "lpad", "regexp_replace", "repeat", "replace", "rpad", "translate"];
/// Tables that are made of nothing.
const MADE: [&str; 2] = ["generate_series", "range"];

/// What a question may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// So long, from the first row to the last.
    pub time: Duration,
    /// So many bytes of memory, beyond what is being read.
    pub memory: usize,
    /// So many bytes of the disk, for what sorting, joining and grouping put aside where memory does not do.
    pub disk: u64,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A statement in SQL that reads.
    Sql(String),
    /// Rows for which a condition holds.
    Rows {
        /// The condition; nothing means all rows.
        condition: Option<Expr>,
        /// What is wanted of each: columns, or what is made of them; none means all columns.
        wanted: Vec<Expr>,
        /// In which order. Without one, rows come as they are found, and the first ones soon.
        order: Vec<SortExpr>,
        /// How many at most.
        limit: Option<usize>,
    },
    /// How many rows there are of each kind: columns of what makes the kind, and the number as the last one.
    Counts {
        /// Which rows; nothing means all.
        condition: Option<Expr>,
        /// What makes the kind.
        by: Vec<Expr>,
    },
}

/// A question with its bounds.
#[derive(Debug, Clone)]
pub struct Question {
    /// What.
    pub ask: Ask,
    /// Of what.
    pub scope: Scope,
    /// For how much.
    pub budget: Budget,
}

/// Rows as they are found. Dropping it ends the work.
pub struct Answer {
    rows: mpsc::Receiver<Found>,
    work: Option<JoinHandle<()>>,
    until: Instant,
    budget: Budget,
}

/// Rows, nothing at the end, or why it did not get there.
type Found = Result<Option<RecordBatch>, LakeError>;

impl Answer {
    /// The next rows; nothing at the end. Comes in time, whatever the work is held up by.
    pub async fn next(&mut self) -> Found {
        match timeout_at(self.until, self.rows.recv()).await {
            Ok(Some(found)) => found,
            Ok(None) if Instant::now() < self.until => Err(LakeError::BrokeOff),
            Ok(None) | Err(_) => Err(self.budget.late()),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(work) = &self.work {
            work.abort();
        }
    }
}

impl Budget {
    fn late(&self) -> LakeError {
        LakeError::Time(self.time.as_secs())
    }

    fn judge(&self, error: DataFusionError) -> LakeError {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => LakeError::Memory(self.memory >> 20),
            // Rows are put aside in Arrow's form, and nothing else of a question is written.
            DataFusionError::ArrowError(arrow, _) if matches!(**arrow, ArrowError::IoError(..)) => {
                LakeError::Disk(self.disk >> 20)
            }
            _ => LakeError::from(error),
        }
    }
}

impl Lake {
    /// Asks. What the scope does not hold does not exist for the question. `held` is let go of when nothing is done for
    /// it any more.
    pub fn ask(self: &Arc<Self>, question: Question, held: impl Send + 'static) -> Answer {
        let budget = question.budget;
        let until = Instant::now() + budget.time;
        let (found, rows) = mpsc::channel(AHEAD);
        let lake = self.clone();
        let work = self.workers.spawn(async move {
            let _held = held;
            let ended = timeout_at(until, lake.find(question, until, &found)).await;
            let last = ended.unwrap_or_else(|_| Err(budget.late())).map(|()| None);
            // Whoever does not take it in time is late by the own clock.
            let _ = timeout_at(until, found.send(last)).await;
        });
        Answer { rows, work, until, budget }
    }

    async fn find(
        self: &Arc<Self>,
        question: Question,
        until: Instant,
        found: &mpsc::Sender<Found>,
    ) -> Result<(), LakeError> {
        let Question { ask, scope, budget } = question;
        let context = self.context(scope, budget)?;
        let frame = self.frame(&context, ask).await?;
        let mut stream = frame.execute_stream().await.map_err(|error| budget.judge(error))?;
        while let Some(batch) = stream.next().await {
            // Rows that are always there leave no moment in which the time is looked at.
            if Instant::now() >= until {
                return Err(budget.late());
            }
            let batch = batch.map_err(|error| budget.judge(error))?;
            if found.send(Ok(Some(batch))).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn frame(&self, context: &SessionContext, ask: Ask) -> Result<DataFrame, LakeError> {
        match ask {
            Ask::Sql(text) => {
                statement::check_text(&text)?;
                let state = context.state();
                let parsed = state.sql_to_statement(&text, &state.config_options().sql_parser.dialect)?;
                statement::check(&parsed)?;
                let plan = state.statement_to_plan(parsed).await?;
                // Nothing is defined, changed or set by a question.
                let options = SQLOptions::new()
                    .with_allow_ddl(false)
                    .with_allow_dml(false)
                    .with_allow_statements(false);
                options.verify_plan(&plan)?;
                Ok(context.execute_logical_plan(plan).await?)
            }
            Ask::Rows { condition, wanted, order, limit } => {
                let mut frame = self.those(context, condition).await?;
                if !order.is_empty() {
                    frame = frame.sort(order)?;
                }
                if limit.is_some() {
                    frame = frame.limit(0, limit)?;
                }
                if !wanted.is_empty() {
                    frame = frame.select(wanted)?;
                }
                Ok(frame)
            }
            Ask::Counts { condition, by } => {
                Ok(self.those(context, condition).await?.aggregate(by, vec![count_all()])?)
            }
        }
    }

    /// The rows for which a condition holds.
    async fn those(&self, context: &SessionContext, condition: Option<Expr>) -> Result<DataFrame, LakeError> {
        let frame = context.table(self.layout.table).await?;
        Ok(match condition {
            Some(condition) => frame.filter(condition)?,
            None => frame,
        })
    }

    fn context(self: &Arc<Self>, scope: Scope, budget: Budget) -> Result<SessionContext, LakeError> {
        self.context_of(View::new(self.clone(), scope), budget)
    }

    pub(crate) fn context_of(&self, view: View, budget: Budget) -> Result<SessionContext, LakeError> {
        let mut config = SessionConfig::new()
            .with_target_partitions(std::thread::available_parallelism().map_or(2, NonZeroUsize::get))
            .with_information_schema(false);
        let parquet = &mut config.options_mut().execution.parquet;
        parquet.pushdown_filters = true;
        parquet.reorder_filters = true;
        let context = SessionContext::new_with_config_rt(config, self.runtime(budget)?);
        for function in LEFT_OUT {
            context.deregister_udf(function);
        }
        for table in MADE {
            context.deregister_udtf(table);
        }
        for function in &self.layout.functions {
            context.register_udf((**function).clone());
        }
        context.register_table(self.layout.table, Arc::new(view))?;
        Ok(context)
    }

    /// A pool of memory of its own for each question, and files of its own for what it puts aside, which go with it;
    /// files' footers are read once for all.
    pub(crate) fn runtime(&self, budget: Budget) -> Result<Arc<RuntimeEnv>, LakeError> {
        let pool = GreedyMemoryPool::new(budget.memory);
        let aside = Aside::new(self.aside.clone(), budget.disk, self.entropy.clone());
        let builder = RuntimeEnvBuilder::from_runtime_env(&self.runtime)
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(DiskManager::builder().with_temp_file_factory(Arc::new(aside)));
        Ok(builder.build_arc()?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_disk_that_does_not_do_is_told_so() {
        let budget = Budget { time: Duration::from_secs(1), memory: 1 << 20, disk: 1 << 20 };
        // As the engine passes on what a writer of ours says.
        let full = ArrowError::from(Error::from(ErrorKind::QuotaExceeded));
        assert!(matches!(budget.judge(full.into()), LakeError::Disk(1)));
    }
}
