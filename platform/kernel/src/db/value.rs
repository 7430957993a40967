use std::borrow::Cow;

use garrison_base::{Day, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::DbError;

/// A parameter of a statement. Typed even where it is absent, because `PostgreSQL` wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// TEXT
    Text(Option<String>),
    /// BIGINT
    Int(Option<i64>),
    /// BLOB, BYTEA
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// Anything that has a text of its own: an id, a name.
    #[expect(clippy::needless_pass_by_value, reason = "ids are copied")]
    pub fn text(value: impl ToString) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// The same, where it may be absent.
    pub fn maybe(value: Option<impl ToString>) -> Self {
        Self::Text(value.map(|value| value.to_string()))
    }

    /// The bytes that a row's MAC covers: the kind, so that an absent text and an empty one differ.
    pub(crate) fn canonical(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Text(None) | Self::Int(None) | Self::Bytes(None) => Cow::Borrowed(b"-"),
            Self::Text(Some(text)) => Cow::Owned([b"t", text.as_bytes()].concat()),
            Self::Int(Some(number)) => Cow::Owned([b"i".as_slice(), &number.to_be_bytes()].concat()),
            Self::Bytes(Some(bytes)) => Cow::Owned([b"b", bytes.as_slice()].concat()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Int(Some(time.as_microsecond()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Int(time.map(Timestamp::as_microsecond))
    }
}

impl From<Day> for Value {
    fn from(day: Day) -> Self {
        Self::Int(Some(day.number()))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<[u8; 32]> for Value {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

/// A row, its columns by position.
#[derive(Debug, Clone)]
pub struct Row(Vec<Value>);

impl Row {
    /// The column's value, as the type that is asked for.
    pub fn get<T: FromCell>(&self, column: usize) -> Result<T, DbError> {
        self.0
            .get(column)
            .and_then(T::from_cell)
            .ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
    }

    pub(crate) fn of(cells: Vec<Value>) -> Self {
        Self(cells)
    }

    /// The first columns as they are, for the row's MAC.
    pub(crate) fn cells(&self, count: usize) -> &[Value] {
        self.0.get(..count).unwrap_or(&self.0)
    }

    pub(crate) fn from_sqlite(row: &SqliteRow) -> Result<Self, DbError> {
        (0..row.len())
            .map(|column| {
                let raw = row.try_get_raw(column)?;
                if raw.is_null() {
                    return Ok(Value::Text(None));
                }
                let kind = raw.type_info();
                Ok(match kind.name() {
                    "INTEGER" | "BOOLEAN" => Value::Int(row.try_get(column)?),
                    "BLOB" => Value::Bytes(row.try_get(column)?),
                    _ => Value::Text(row.try_get(column)?),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map(Self)
            .map_err(DbError::from)
    }

    pub(crate) fn from_postgres(row: &PgRow) -> Result<Self, DbError> {
        (0..row.len())
            .map(|column| {
                let raw = row.try_get_raw(column)?;
                if raw.is_null() {
                    return Ok(Value::Text(None));
                }
                let kind = raw.type_info();
                Ok(match kind.name() {
                    "INT8" => Value::Int(row.try_get(column)?),
                    "INT4" => Value::Int(Some(i64::from(row.try_get::<i32, _>(column)?))),
                    "BYTEA" => Value::Bytes(row.try_get(column)?),
                    _ => Value::Text(row.try_get(column)?),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map(Self)
            .map_err(DbError::from)
    }
}

/// What a column can be read as.
pub trait FromCell: Sized {
    /// The value, or nothing where the cell holds something else.
    fn from_cell(cell: &Value) -> Option<Self>;
}

impl FromCell for String {
    fn from_cell(cell: &Value) -> Option<Self> {
        if let Value::Text(text) = cell { text.clone() } else { None }
    }
}

impl FromCell for i64 {
    fn from_cell(cell: &Value) -> Option<Self> {
        if let Value::Int(number) = cell { *number } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = cell { bytes.clone() } else { None }
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: &Value) -> Option<Self> {
        i64::from_cell(cell).and_then(|micros| Self::from_microsecond(micros).ok())
    }
}

impl FromCell for Day {
    fn from_cell(cell: &Value) -> Option<Self> {
        i64::from_cell(cell).map(Self::numbered)
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Value) -> Option<Self> {
        match cell {
            Value::Text(None) | Value::Int(None) | Value::Bytes(None) => Some(None),
            there => T::from_cell(there).map(Some),
        }
    }
}

/// Types whose text stands in a TEXT column.
#[macro_export]
macro_rules! text_cells {
    ($($name:ty),* $(,)?) => { $(
        impl $crate::FromCell for $name {
            fn from_cell(cell: &$crate::Value) -> Option<Self> {
                <String as $crate::FromCell>::from_cell(cell)?.parse().ok()
            }
        }
    )* };
}

text_cells!(
    garrison_base::TenantId,
    garrison_base::NodeId,
    garrison_base::PersonId,
    garrison_base::ServiceId,
    garrison_base::GroupId,
    garrison_base::PostId,
    garrison_base::GrantId,
    garrison_base::RequestId,
    garrison_base::LoginId,
    garrison_base::InvitationId,
    garrison_base::HandOverId,
    garrison_base::SessionId,
    garrison_base::TokenId,
    garrison_base::DepositId,
    garrison_base::SourceId,
    garrison_base::SearchId,
    garrison_base::HoldId,
    garrison_base::KeyChangeId,
    garrison_base::BackupId,
    garrison_base::AlertId,
    garrison_base::DeliveryId,
    garrison_base::ReviewId,
);
