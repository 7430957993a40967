//! Parquet files, as they were measured to be read fastest: zstd-1, plain text builders, bloom filters where a value
//! is looked for, row groups of a size that a question can skip.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::TimestampNanosecondType;
use garrison_base::NodeId;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::words::{Index, Words};
use crate::{LakeError, Layout};

/// Rows of a row group: of a file in the order of time, and of a sorted one.
pub(crate) const HOT_GROUP: usize = 128 << 10;
pub(crate) const SORTED_GROUP: usize = 256 << 10;

/// A file that is being written, in memory: its size is bounded by who writes.
pub(crate) struct Writer {
    layout: Arc<Layout>,
    out: ArrowWriter<Vec<u8>>,
    group: usize,
    in_group: usize,
    words: Words,
    index: Index,
    rows: u64,
    span: (i64, i64),
    nodes: BTreeSet<NodeId>,
}

/// A file that was written.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) words: Vec<u8>,
    pub(crate) rows: u64,
    pub(crate) span: (i64, i64),
    pub(crate) nodes: Vec<NodeId>,
}

fn properties(layout: &Layout, group: usize) -> Result<WriterProperties, LakeError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(group))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from(layout.time), EnabledStatistics::Page)
        // Texts are long and rarely equal: a dictionary of them is built only to be thrown away.
        .set_column_dictionary_enabled(ColumnPath::from(layout.text), false)
        .set_column_statistics_enabled(ColumnPath::from(layout.text), EnabledStatistics::None);
    for column in layout.keyed {
        builder = builder
            .set_column_bloom_filter_enabled(ColumnPath::from(*column), true)
            .set_column_bloom_filter_fpp(ColumnPath::from(*column), 0.01);
    }
    Ok(builder.build())
}

impl Writer {
    pub(crate) fn new(layout: &Arc<Layout>, group: usize) -> Result<Self, LakeError> {
        let options = ArrowWriterOptions::new().with_properties(properties(layout, group)?);
        Ok(Self {
            layout: layout.clone(),
            out: ArrowWriter::try_new_with_options(Vec::new(), layout.schema.clone(), options)?,
            group,
            in_group: 0,
            words: Words::default(),
            index: Index::default(),
            rows: 0,
            span: (i64::MAX, i64::MIN),
            nodes: BTreeSet::new(),
        })
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let mut from = 0;
        while from < batch.num_rows() {
            let length = (batch.num_rows() - from).min(self.group - self.in_group);
            self.slice(&batch.slice(from, length))?;
            from += length;
        }
        Ok(())
    }

    fn slice(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.out.write(batch)?;
        self.words.add(batch, &self.layout);
        self.look(batch);
        self.rows += batch.num_rows() as u64;
        self.in_group += batch.num_rows();
        if self.in_group == self.group {
            self.end_group()?;
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), LakeError> {
        self.out.flush()?;
        self.index.group(&mut self.words);
        self.in_group = 0;
        Ok(())
    }

    /// Notes what the list tells of the file.
    fn look(&mut self, batch: &RecordBatch) {
        let times = batch.column_by_name(self.layout.time);
        if let Some(times) = times.and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>()) {
            for time in times.values() {
                self.span = (self.span.0.min(*time), self.span.1.max(*time));
            }
        }
        let nodes = batch.column_by_name(self.layout.node);
        if let Some(nodes) = nodes.and_then(|column| column.as_string_opt::<i32>()) {
            let mut last = "";
            for row in 0..nodes.len() {
                let node = nodes.value(row);
                if node != last {
                    self.nodes.extend(node.parse::<NodeId>());
                    last = node;
                }
            }
        }
    }

    pub(crate) fn finish(mut self) -> Result<Written, LakeError> {
        if self.in_group > 0 {
            self.end_group()?;
        }
        Ok(Written {
            bytes: self.out.into_inner()?,
            words: self.index.finish(),
            rows: self.rows,
            span: self.span,
            nodes: self.nodes.into_iter().collect(),
        })
    }
}
