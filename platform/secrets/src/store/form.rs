//! What stands in `keys.store`.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{Entropy, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Class, TenantKey, wrapping};
use crate::{KeyFileError, RootKey};

/// What stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) version: u32,
    pub(super) base: String,
    pub(super) keys: Vec<Wrapped>,
    #[serde(default)]
    pub(super) mac: String,
}

/// A version of a tenant's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    pub(super) tenant: TenantId,
    pub(super) class: Class,
    pub(super) version: u32,
    pub(super) made: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) destroyed: Option<Timestamp>,
    /// Nothing once it is destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
}

impl Stored {
    pub(super) fn new(root: &RootKey, base: &RootKey, entropy: &dyn Entropy) -> Self {
        let base = STANDARD.encode(wrapping(root).seal("base", base.bytes(), entropy));
        Self { version: 1, base, keys: Vec::new(), mac: String::new() }
    }

    pub(super) fn tag(&self, root: &RootKey) -> String {
        let unsigned = Self { mac: String::new(), ..self.clone() };
        // Serialising these types cannot fail; an empty text would only make the tag not fit.
        let text = serde_json::to_vec(&unsigned).unwrap_or_default();
        STANDARD.encode(root.mac("key store").tag(&[&text]))
    }

    /// Whether it was written under this root key, and not changed since.
    pub(super) fn fits(&self, root: &RootKey) -> bool {
        crate::same(self.tag(root).as_bytes(), self.mac.as_bytes())
    }
}

impl Wrapped {
    pub(super) fn is(&self, (tenant, class, version): (TenantId, Class, u32)) -> bool {
        self.tenant == tenant && self.class == class && self.version == version
    }

    pub(super) fn place(&self) -> String {
        format!("{}/{}/{}", self.tenant, self.class.name(), self.version)
    }

    pub(super) fn shown(&self) -> TenantKey {
        let &Self { tenant, class, version, made, destroyed, .. } = self;
        TenantKey { tenant, class, version, made, destroyed }
    }
}

/// Nothing where there is no store yet.
pub(super) fn read(path: &Path) -> Result<Option<Stored>, KeyFileError> {
    match fs::read(path) {
        Ok(text) => match serde_json::from_slice::<Stored>(&text) {
            Ok(stored) if stored.version == 1 => Ok(Some(stored)),
            _ => Err(KeyFileError::Malformed(path.into())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyFileError::Io(path.into(), error)),
    }
}
