//! The rows that decisions rest on: sealed one by one, and counted as a whole.

use foldhash::HashMap;
use garrison_secrets::{MacKey, Tag};

use crate::db::{DbError, Row, Statement, Tx, Value};

/// A table whose rows carry `generation` and `mac`.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// How many of the first columns are the primary key.
    keys: usize,
}

pub(crate) static TENANT: Table =
    Table { name: "tenant", columns: &["tenant", "name", "root", "created"], keys: 1 };
pub(crate) static ACTOR: Table =
    Table { name: "actor", columns: &["actor", "tenant", "name", "principal", "state"], keys: 1 };
pub(crate) static NODE: Table = Table {
    name: "node",
    columns: &["node_id", "tenant", "parent", "name", "kind", "production", "state"],
    keys: 1,
};
pub(crate) static MEMBER: Table =
    Table { name: "member", columns: &["grp", "member", "tenant", "state"], keys: 2 };
pub(crate) static GRANT: Table = Table {
    name: "grants",
    columns: &[
        "grant_id", "tenant", "holder", "node_id", "role", "since", "until", "duty", "reason", "state",
    ],
    keys: 1,
};
pub(crate) static RULE: Table =
    Table { name: "approval_rule", columns: &["rule_id", "tenant", "node_id", "verb", "slots"], keys: 1 };

/// In the order in which they must be read: what refers comes after what it refers to.
pub(crate) static TABLES: [&Table; 6] = [&TENANT, &ACTOR, &NODE, &MEMBER, &GRANT, &RULE];

impl Table {
    fn list(&self) -> String {
        self.columns.join(", ")
    }

    fn key_condition(&self) -> String {
        let keys = self.columns.iter().take(self.keys).enumerate();
        keys.map(|(place, column)| format!("{column} = ${}", place + 1)).collect::<Vec<_>>().join(" AND ")
    }

    /// The row's own columns, its generation and its MAC, all rows since a generation.
    pub(crate) fn since(&self) -> String {
        format!("SELECT {}, generation, mac FROM {} WHERE generation > $1", self.list(), self.name)
    }

    /// What the index remembers a row by: its table and key, and a part of its MAC.
    pub(crate) fn mark(&self, cells: &[Value], tag: &Tag) -> (u64, u64) {
        let mut bytes = self.name.as_bytes().to_vec();
        for cell in cells.iter().take(self.keys) {
            bytes.push(0);
            bytes.extend_from_slice(&cell.canonical());
        }
        (first_eight(&garrison_secrets::digest(&bytes)), first_eight(tag))
    }

    /// One row by its key: own columns, generation, MAC.
    pub(crate) async fn find(
        &'static self,
        tx: &mut Tx<'_>,
        key: &MacKey,
        keys: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        let sql = format!(
            "SELECT {}, generation, mac FROM {} WHERE {}",
            self.list(),
            self.name,
            self.key_condition()
        );
        let row = tx.row(sql, keys).await?;
        row.map(|row| self.verify(key, &row).map(|_| row)).transpose()
    }

    fn upsert(&self) -> String {
        let count = self.columns.len() + 2;
        let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
        let keys: Vec<&str> = self.columns.iter().take(self.keys).copied().collect();
        let rest = self.columns.iter().skip(self.keys).copied().chain(["generation", "mac"]);
        let sets: Vec<String> = rest.map(|column| format!("{column} = excluded.{column}")).collect();
        format!(
            "INSERT INTO {} ({}, generation, mac) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            self.name,
            self.list(),
            places.join(", "),
            keys.join(", "),
            sets.join(", "),
        )
    }

    /// The MAC that the row of these cells (generation last) must carry.
    fn tag(&self, key: &MacKey, cells: &[Value]) -> Tag {
        let cells: Vec<_> = cells.iter().map(Value::canonical).collect();
        let parts: Vec<&[u8]> =
            std::iter::once(self.name.as_bytes()).chain(cells.iter().map(AsRef::as_ref)).collect();
        key.tag(&parts)
    }

    /// The row's MAC, when it fits.
    pub(crate) fn verify(&'static self, key: &MacKey, row: &Row) -> Result<Tag, DbError> {
        let count = self.columns.len() + 1;
        let expected = self.tag(key, row.cells(count));
        let found: Vec<u8> = row.get(count)?;
        if garrison_secrets::same(&expected, &found) {
            return Ok(expected);
        }
        Err(self.tampered(row.cells(self.keys)))
    }

    fn tampered(&self, cells: &[Value]) -> DbError {
        let key = cells.iter().take(self.keys).map(|cell| match cell {
            Value::Text(Some(text)) => text.clone(),
            other => format!("{other:?}"),
        });
        DbError::Tampered { table: self.name, row: key.collect::<Vec<_>>().join("/") }
    }
}

fn first_eight(tag: &Tag) -> u64 {
    tag.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The sum of all MACs, modulo 2^256. Whoever cannot make a MAC cannot make a set of rows with a given sum,
/// so a row that is missing, or an older one put back, is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Total(pub(crate) Tag);

impl Total {
    #[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
    pub(crate) fn add(&mut self, tag: &[u8]) {
        let mut carry = 0_u16;
        for (to, from) in self.0.iter_mut().zip(tag).rev() {
            let sum = u16::from(*to) + u16::from(*from) + carry;
            *to = sum as u8;
            carry = sum >> 8;
        }
    }

    pub(crate) fn subtract(&mut self, tag: &[u8]) {
        // Two's complement: minus a number is its inverse plus one.
        let mut inverse: Tag = self.0;
        for (to, from) in inverse.iter_mut().zip(tag) {
            *to = !from;
        }
        let mut one = Tag::default();
        if let Some(last) = one.last_mut() {
            *last = 1;
        }
        self.add(&inverse);
        self.add(&one);
    }
}

/// What one write transaction changes of the rows that decisions rest on.
#[derive(Default)]
pub(crate) struct Changes {
    /// Generation and sum before this transaction.
    before: (i64, Total),
    /// The generation that it makes; there from its first change on.
    generation: Option<i64>,
    total: Total,
    pub(crate) rows: Vec<(&'static Table, Vec<Value>, Tag)>,
    /// The marks of the rows that this transaction has written.
    marks: HashMap<u64, u64>,
}

impl Changes {
    /// None yet, on top of these.
    pub(crate) fn upon(before: (i64, Total)) -> Self {
        Self { before, total: before.1, ..Self::default() }
    }

    pub(crate) fn head(&self) -> Option<(i64, Total)> {
        self.generation.map(|generation| (generation, self.total))
    }

    /// Writes a row, new or changed, with its MAC, and keeps the sum.
    pub(crate) async fn put(
        &mut self,
        tx: &mut Tx<'_>,
        key: &MacKey,
        (table, mut cells): (&'static Table, Vec<Value>),
        known: &(dyn Fn(u64) -> Option<u64> + Sync),
    ) -> Result<(), DbError> {
        let generation = *self.generation.get_or_insert(self.before.0 + 1);
        let keys = cells.iter().take(table.keys).cloned().collect();
        let before = format!("SELECT mac FROM {} WHERE {}", table.name, table.key_condition());
        let before = tx.row(before, keys).await?;
        let before: Option<Tag> =
            before.map(|row| row.get::<Vec<u8>>(0)).transpose()?.and_then(|tag| tag.try_into().ok());
        self.expect(table, &cells, before.as_ref(), known)?;
        if let Some(before) = before {
            self.total.subtract(&before);
        }
        let own = cells.clone();
        cells.push(generation.into());
        let tag = table.tag(key, &cells);
        cells.push(tag.into());
        let (place, mark) = table.mark(&own, &tag);
        self.marks.insert(place, mark);
        self.rows.push((table, own, tag));
        tx.run(table.upsert(), cells).await?;
        self.total.add(&tag);
        Ok(())
    }

    /// Refuses a row that is not the one that was written last: an older one that was put back has a right MAC,
    /// and would become true when it is written again.
    pub(crate) fn expect(
        &self,
        table: &'static Table,
        cells: &[Value],
        found: Option<&Tag>,
        known: &(dyn Fn(u64) -> Option<u64> + Sync),
    ) -> Result<(), DbError> {
        let (place, _) = table.mark(cells, &Tag::default());
        let expected = self.marks.get(&place).copied().or_else(|| known(place));
        if expected == found.map(first_eight) { Ok(()) } else { Err(table.tampered(cells)) }
    }

    /// What writes the head, with the number of the record that tells of the changes.
    pub(crate) fn finish(&self, key: &MacKey, seq: i64) -> Option<Statement> {
        let (generation, total) = self.head()?;
        let tag = head_tag(key, generation, total, seq);
        let args = vec![generation.into(), total.0.into(), seq.into(), tag.into()];
        Some((
            "UPDATE authz_head SET generation = $1, total = $2, seq = $3, mac = $4 WHERE id = 1".into(),
            args,
        ))
    }
}

fn head_tag(key: &MacKey, generation: i64, total: Total, seq: i64) -> Tag {
    key.tag(&[b"authz_head", &generation.to_be_bytes(), &total.0, &seq.to_be_bytes()])
}

/// The first head, when the database is made.
pub(crate) async fn first_head(tx: &mut Tx<'_>, key: &MacKey) -> Result<(), DbError> {
    let args = vec![Total::default().0.into(), head_tag(key, 0, Total::default(), 0).into()];
    tx.run("INSERT INTO authz_head (id, generation, total, seq, mac) VALUES (1, 0, $1, 0, $2)", args).await?;
    Ok(())
}

/// Generation and sum as they are in the database.
pub(crate) async fn read_head(tx: &mut Tx<'_>, key: &MacKey) -> Result<(i64, Total), DbError> {
    read_whole_head(tx, key).await.map(|(generation, total, _)| (generation, total))
}

/// The same, and the number of the record that told of the last change: the log cannot end before it.
pub(crate) async fn read_whole_head(tx: &mut Tx<'_>, key: &MacKey) -> Result<(i64, Total, i64), DbError> {
    let row = tx.row(format!("SELECT {HEAD} FROM authz_head a WHERE a.id = 1"), Vec::new()).await?;
    head(key, &row.ok_or_else(|| DbError::Tampered { table: "authz_head", row: "1".into() })?, 0)
}

/// The columns of the head.
pub(crate) const HEAD: &str = "a.generation, a.total, a.seq, a.mac";

/// Reads [`HEAD`] from a row, beginning at a column.
pub(crate) fn head(key: &MacKey, row: &Row, at: usize) -> Result<(i64, Total, i64), DbError> {
    let tampered = || DbError::Tampered { table: "authz_head", row: "1".into() };
    let total = Total(row.get::<Vec<u8>>(at + 1)?.try_into().map_err(|_| tampered())?);
    let (generation, seq) = (row.get(at)?, row.get(at + 2)?);
    let fits = garrison_secrets::same(&head_tag(key, generation, total, seq), &row.get::<Vec<u8>>(at + 3)?);
    if fits { Ok((generation, total, seq)) } else { Err(tampered()) }
}

/// The rights are older than what was told of them.
pub(crate) fn put_back() -> DbError {
    DbError::Tampered { table: "authz_head", row: "1: older rows were put back".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_can_be_taken_away_in_any_order() {
        let tags: Vec<Tag> = (0..9_u8).map(|seed| garrison_secrets::digest(&[seed])).collect();
        let mut total = Total::default();
        for tag in &tags {
            total.add(tag);
        }
        let whole = total;
        total.subtract(&tags[4]);
        assert_ne!(total, whole);
        total.add(&tags[4]);
        assert_eq!(total, whole);
        tags.iter().rev().for_each(|tag| total.subtract(tag));
        assert_eq!(total, Total::default());
    }
}
