//! A table as one question may see it.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, ParquetAccessPlan};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use garrison_base::{NodeId, TenantId};

use crate::barrier::Barrier;
use crate::table::Table;
use crate::{FileEntry, Lake, Layout};

/// Where the files lie, for the engine.
pub(crate) const STORE: &str = "lake://files/";

/// What a question may see. It is a condition below the question, not a part of its text.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose events.
    pub tenant: TenantId,
    /// Of which nodes; nothing means all of the tenant's.
    pub nodes: Option<Arc<HashSet<NodeId>>>,
    /// From this moment on, in nanoseconds since 1970.
    pub from: i64,
    /// Before this one.
    pub to: i64,
}

impl Scope {
    fn meets(&self, file: &FileEntry) -> bool {
        let seen = |nodes: &Arc<HashSet<NodeId>>| file.nodes.iter().any(|node| nodes.contains(node));
        file.first < self.to && file.last >= self.from && self.nodes.as_ref().is_none_or(seen)
    }

    /// Whether every row of the file may be seen.
    fn holds(&self, file: &FileEntry) -> bool {
        let seen = |nodes: &Arc<HashSet<NodeId>>| file.nodes.iter().all(|node| nodes.contains(node));
        file.first >= self.from && file.last < self.to && self.nodes.as_ref().is_none_or(seen)
    }

    /// The narrowing as a condition on rows.
    fn condition(&self, layout: &Layout) -> Expr {
        let moment = |at| lit(ScalarValue::TimestampNanosecond(Some(at), Some("UTC".into())));
        let time = col(layout.time).gt_eq(moment(self.from)).and(col(layout.time).lt(moment(self.to)));
        match &self.nodes {
            None => time,
            Some(nodes) => {
                let list = nodes.iter().map(|node| lit(node.to_string())).collect();
                time.and(col(layout.node).in_list(list, false))
            }
        }
    }
}

/// A table, narrowed, all from one moment.
#[derive(Debug)]
pub(crate) struct View {
    lake: Arc<Lake>,
    table: Table,
    scope: Scope,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} batches, {} files", self.hot.len(), self.files.len())
    }
}

impl View {
    pub(crate) fn new(lake: Arc<Lake>, scope: Scope) -> Self {
        let mut table = lake.table(scope.tenant);
        table.files.retain(|file| scope.meets(file));
        Self { lake, table, scope }
    }

    /// These files, all of them.
    pub(crate) fn of_files(lake: Arc<Lake>, tenant: TenantId, files: Vec<Arc<FileEntry>>) -> Self {
        let scope = Scope { tenant, nodes: None, from: i64::MIN, to: i64::MAX };
        Self { lake, table: Table { hot: Vec::new(), files }, scope }
    }

    /// The files, in as many groups as work at the same time, without the row groups that lack a word.
    fn groups(&self, files: &[&Arc<FileEntry>], words: &[String], count: usize) -> Vec<FileGroup> {
        let mut groups = vec![Vec::new(); count.max(1)];
        let mut sizes = vec![0_u64; groups.len()];
        for file in files {
            let Some(part) = self.part(file, words) else { continue };
            let least = (0..sizes.len()).min_by_key(|place| sizes.get(*place)).unwrap_or(0);
            if let (Some(group), Some(size)) = (groups.get_mut(least), sizes.get_mut(least)) {
                group.push(part);
                *size += file.bytes;
            }
        }
        groups.into_iter().filter(|group| !group.is_empty()).map(FileGroup::new).collect()
    }

    fn part(&self, file: &FileEntry, words: &[String]) -> Option<PartitionedFile> {
        let part = PartitionedFile::new(file.path(), file.plain_bytes());
        if words.is_empty() {
            return Some(part);
        }
        let Some(known) = self.lake.known(file) else { return Some(part) };
        let mut plan = ParquetAccessPlan::new_all(known.groups());
        let mut left = known.groups();
        for group in 0..known.groups() {
            if !known.may_hold(group, words) {
                plan.skip(group);
                left -= 1;
            }
        }
        (left > 0).then(|| part.with_extension(plan))
    }

    fn files(
        &self,
        state: &dyn Session,
        files: &[&Arc<FileEntry>],
        columns: &[usize],
        words: &[String],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let groups = self.groups(files, words, state.config().target_partitions());
        if groups.is_empty() {
            return Ok(None);
        }
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(self.lake.store.clone(), cache);
        let source = ParquetSource::new(self.schema())
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_bloom_filter_on_read(true)
            .with_parquet_file_reader_factory(Arc::new(reader));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE)?, Arc::new(source))
            .with_projection_indices(Some(columns.to_vec()))?
            .with_file_groups(groups)
            .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }

    fn memory(&self, columns: &[usize]) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if self.table.hot.is_empty() {
            return Ok(None);
        }
        let batches: Vec<_> = self.table.hot.iter().map(|hot| hot.batch.clone()).collect();
        let plan = MemorySourceConfig::try_new_exec(&[batches], self.schema(), Some(columns.to_vec()))?;
        Ok(Some(plan))
    }
}

#[async_trait]
impl TableProvider for View {
    fn schema(&self) -> SchemaRef {
        self.lake.layout.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Conditions come to `scan`, so that their words are known there; whatever can be judged while reading, the
    /// engine moves there by itself.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let wanted = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let words: Vec<String> = filters.iter().flat_map(|filter| (self.lake.layout.needs)(filter)).collect();
        // Files of which all may be seen are read as fast as the engine can; others and memory are narrowed first.
        let (whole, partly): (Vec<_>, Vec<_>) =
            self.table.files.iter().partition(|file| self.scope.holds(file));
        let mut plans = Vec::new();
        plans.extend(self.files(state, &whole, &wanted, &words)?);
        let narrow = Narrow::new(self, state, wanted.clone())?;
        let partly = self.files(state, &partly, &narrow.columns, &words)?;
        let memory = self.memory(&narrow.columns)?;
        for plan in partly.into_iter().chain(memory) {
            plans.push(narrow.over(plan)?);
        }
        match plans.len() {
            0 => Ok(MemorySourceConfig::try_new_exec(&[vec![]], schema, Some(wanted))?),
            1 => plans.pop().map_or_else(|| exec_err!("no plan"), Ok),
            _ => UnionExec::try_new(plans),
        }
    }
}

/// How rows are narrowed: what the condition looks at is read as well, and left out above it.
struct Narrow {
    columns: Vec<usize>,
    wanted: usize,
    condition: Arc<dyn PhysicalExpr>,
    hides: bool,
}

impl Narrow {
    fn new(view: &View, state: &dyn Session, mut columns: Vec<usize>) -> Result<Self> {
        let (schema, layout) = (view.schema(), &view.lake.layout);
        let wanted = columns.len();
        for name in [layout.time, layout.node] {
            let place = schema.index_of(name)?;
            if !columns.contains(&place) {
                columns.push(place);
            }
        }
        let narrowed = DFSchema::try_from(Arc::new(schema.project(&columns)?))?;
        let condition = state.create_physical_expr(view.scope.condition(layout), &narrowed)?;
        Ok(Self { columns, wanted, condition, hides: view.scope.nodes.is_some() })
    }

    fn over(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let out = (0..self.wanted).collect();
        let filter =
            FilterExecBuilder::new(self.condition.clone(), plan).apply_projection(Some(out))?.build()?;
        let filter: Arc<dyn ExecutionPlan> = Arc::new(filter);
        // Times hide nothing from whoever may ask for any time; nodes do.
        Ok(if self.hides { Arc::new(Barrier(filter)) } else { filter })
    }
}
