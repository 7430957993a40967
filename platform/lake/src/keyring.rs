use std::error::Error;
use std::fmt;
use std::sync::Arc;

use garrison_base::TenantId;
use garrison_secrets::StreamKey;
use jiff::civil::{Date, date};
use object_store::path::Path;

use crate::file::{SEALED, object};
use crate::sealed::{Kind, Seal, Seals};

/// Where the keys of the lake's objects are: one for each tenant, stream and day (in days since 1970).
pub trait Keyring: fmt::Debug + Send + Sync + 'static {
    /// The key for what is written; made where there is none yet.
    fn make(
        &self,
        tenant: TenantId,
        stream: &str,
        day: i64,
    ) -> Result<Arc<StreamKey>, Box<dyn Error + Send + Sync>>;

    /// The key of what was written. Nothing where it is not known, or was destroyed.
    fn find(&self, tenant: TenantId, stream: &str, day: i64) -> Option<Arc<StreamKey>>;
}

/// Tells by its place how a file of events is sealed.
#[derive(Debug)]
pub(crate) struct Places(pub(crate) Arc<dyn Keyring>);

impl Places {
    fn seal(&self, location: &str) -> Option<Seal> {
        let mut parts = location.split('/');
        let (tenant, stream, day, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let tenant: TenantId = tenant.parse().ok()?;
        let stem = name.strip_suffix(SEALED)?.strip_suffix(".parquet")?;
        let id = stem.split_once('-').map_or(stem, |(_, id)| id);
        let day = day.parse::<Date>().ok()?.since(date(1970, 1, 1)).ok()?.get_days();
        let key = self.0.find(tenant, stream, day.into())?;
        Some(Seal { key, object: object(tenant, id, "events") })
    }
}

impl Seals for Places {
    fn of(&self, location: &Path) -> Kind {
        match self.seal(location.as_ref()) {
            Some(seal) => Kind::Sealed(seal),
            None if location.as_ref().ends_with(".parquet") => Kind::Plain,
            None => Kind::Unknown,
        }
    }
}
