//! The kernel's keys, and what they authenticate.

use garrison_base::Entropy;
use garrison_secrets::{MacKey, RootKey, SealKey};

use crate::KernelError;
use crate::db::{DbError, Value};

/// The keys of the kernel, derived from the root key.
pub(crate) struct Keys {
    pub(crate) rows: MacKey,
    domain_rows: MacKey,
    pub(crate) audit: MacKey,
    pub(crate) deposits: SealKey,
    pub(crate) outputs: SealKey,
    pub(crate) cursors: SealKey,
    domain_secrets: SealKey,
    domain_tags: MacKey,
}

impl Keys {
    pub(crate) fn derive(root: &RootKey) -> Self {
        Self {
            rows: root.mac("kernel/rows"),
            domain_rows: root.mac("kernel/domain-rows"),
            audit: root.mac("kernel/audit"),
            deposits: root.seal("kernel/deposits"),
            outputs: root.seal("kernel/outputs"),
            cursors: root.seal("kernel/cursors"),
            domain_secrets: root.seal("kernel/domain-secrets"),
            domain_tags: root.mac("kernel/domain-tags"),
        }
    }

    /// The MAC of a domain's row. The kernel's own rows have another key: no domain can make one.
    pub(crate) fn seal_row(&self, table: &str, cells: &[Value]) -> Vec<u8> {
        row_tag(&self.domain_rows, table, cells)
    }

    /// The MAC of a row of the kernel's that decisions do not rest on: objects, requests, approvals.
    pub(crate) fn seal_own(&self, table: &str, cells: &[Value]) -> Vec<u8> {
        row_tag(&self.rows, table, cells)
    }

    pub(crate) fn check_own(
        &self,
        table: &'static str,
        cells: &[Value],
        mac: &[u8],
    ) -> Result<(), KernelError> {
        right(&self.seal_own(table, cells), mac, table, cells)
    }

    pub(crate) fn tag(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        self.domain_tags.tag(&[purpose.as_bytes(), secret]).to_vec()
    }

    pub(crate) fn conceal(&self, place: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        self.domain_secrets.seal(place, plain, entropy)
    }

    pub(crate) fn reveal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, KernelError> {
        let opened = self.domain_secrets.open(place, sealed);
        let tampered = |_| DbError::Tampered { table: "a sealed column", row: place.to_owned() };
        Ok(opened.map_err(tampered)?.to_vec())
    }

    pub(crate) fn check_row(
        &self,
        table: &'static str,
        cells: &[Value],
        mac: &[u8],
    ) -> Result<(), KernelError> {
        right(&self.seal_row(table, cells), mac, table, cells)
    }
}

fn row_tag(key: &MacKey, table: &str, cells: &[Value]) -> Vec<u8> {
    let cells: Vec<_> = cells.iter().map(Value::canonical).collect();
    let parts: Vec<&[u8]> =
        std::iter::once(table.as_bytes()).chain(cells.iter().map(AsRef::as_ref)).collect();
    key.tag(&parts).to_vec()
}

fn right(expected: &[u8], mac: &[u8], table: &'static str, cells: &[Value]) -> Result<(), KernelError> {
    if garrison_secrets::same(expected, mac) {
        return Ok(());
    }
    let row = match cells.first() {
        Some(Value::Text(Some(text))) => text.clone(),
        _ => "unknown".to_owned(),
    };
    Err(KernelError::Database(DbError::Tampered { table, row }))
}
