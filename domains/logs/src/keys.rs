//! The keys of the lake's objects. A key is fresh for each tenant, stream and day; wrapped by the tenant's key it stands in
//! the state, which `log:keep` and `log:compact` write together with the first file that it seals.

use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{Clock, Day, Entropy, KeyChangeId, TenantId, Timestamp};
use garrison_lake::Keyring;
use garrison_secrets::{Class, KeyError, KeyStore, StreamKey, TenantKey};
use serde::{Deserialize, Serialize};

use crate::acts::DestroyedVersion;
use crate::renewal::KeyChange;

/// A wrapped key, as the state has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataKey {
    /// Of which stream.
    pub stream: String,
    /// The day, in days since 1970.
    pub day: i64,
    /// The version of the tenant's key that wraps it.
    pub version: u32,
    /// The wrapped key, in base64.
    pub wrapped: String,
    /// What it is for, and so which of the tenant's keys wraps it.
    #[serde(default)]
    pub class: Class,
}

/// What a stream holds, because somebody said so.
#[derive(Debug, Clone)]
pub(crate) struct Classified {
    pub(crate) stream: String,
    pub(crate) class: Class,
    /// The first day on which it counts. Before it, the stream holds security records.
    pub(crate) from: Day,
}

/// The keys of all tenants, unwrapped.
pub(crate) struct Keys {
    store: Arc<KeyStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    held: Mutex<HashMap<Of, Held>>,
    /// Those of files that went: questions that had begun still read them.
    retired: Mutex<HashMap<Of, Arc<StreamKey>>>,
    /// What streams hold, as the state last said.
    classes: Mutex<HashMap<(TenantId, String), Classified>>,
    /// The versions that this process made for changes.
    made: Mutex<HashMap<KeyChangeId, u32>>,
}

type Of = (TenantId, String, i64);

struct Held {
    key: Arc<StreamKey>,
    /// What the state does not have yet.
    unlisted: Option<DataKey>,
}

impl Keys {
    pub(crate) fn new(store: Arc<KeyStore>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let (held, retired) = (Mutex::default(), Mutex::default());
        Self { store, clock, entropy, held, retired, classes: Mutex::default(), made: Mutex::default() }
    }

    /// Takes what the state has. A key whose version was destroyed is gone, and with it what it sealed.
    pub(crate) fn load(&self, tenant: TenantId, keys: Vec<DataKey>) -> Result<(), KeyError> {
        for row in keys {
            match self.open(tenant, &row) {
                Ok(key) => {
                    let of = (tenant, row.stream, row.day);
                    self.held().insert(of, Held { key: Arc::new(key), unlisted: None });
                }
                Err(error @ KeyError::Destroyed { .. }) => {
                    tracing::warn!(stream = row.stream, day = row.day, "logs are unreadable: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open(&self, tenant: TenantId, row: &DataKey) -> Result<StreamKey, KeyError> {
        let wrapped = STANDARD.decode(&row.wrapped).map_err(|_| KeyError::NotWrapped { tenant })?;
        let place = place(tenant, &row.stream, row.day);
        self.store.unwrap((tenant, row.class, row.version), &place, &wrapped)
    }

    fn wrap(&self, (tenant, stream, day): &Of, class: Class, key: &StreamKey) -> Result<DataKey, KeyError> {
        let place = place(*tenant, stream, *day);
        let (version, wrapped) = self.store.wrap((*tenant, class), &place, key, self.clock.now())?;
        let wrapped = STANDARD.encode(wrapped);
        Ok(DataKey { stream: stream.clone(), day: *day, version, wrapped, class })
    }

    /// The keys of a tenant that the state does not have yet.
    pub(crate) fn unlisted(&self, tenant: TenantId) -> Vec<DataKey> {
        let held = self.held();
        let of_tenant = held.iter().filter(|((whose, ..), _)| *whose == tenant);
        of_tenant.filter_map(|(_, held)| held.unlisted.clone()).collect()
    }

    /// The state has these now.
    pub(crate) fn listed(&self, tenant: TenantId, keys: &[DataKey]) {
        let mut held = self.held();
        for key in keys {
            if let Some(held) = held.get_mut(&(tenant, key.stream.clone(), key.day)) {
                held.unlisted = None;
            }
        }
    }

    /// The state has these no longer: whatever comes for their days gets others.
    pub(crate) fn retire(&self, tenant: TenantId, days: impl IntoIterator<Item = (String, i64)>) {
        let (mut held, mut retired) = (self.held(), self.retired());
        for (stream, day) in days {
            let of = (tenant, stream, day);
            if let Some(gone) = held.remove(&of) {
                retired.insert(of, gone.key);
            }
        }
    }

    /// Forgets what was retired.
    pub(crate) fn forget_retired(&self) {
        self.retired().clear();
    }

    /// What the streams of a tenant hold now, where somebody said so: keys are made by that from now on.
    pub(crate) fn learn(&self, tenant: TenantId, classified: Vec<Classified>) {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes.retain(|(whose, _), _| *whose != tenant);
        classes.extend(classified.into_iter().map(|class| ((tenant, class.stream.clone()), class)));
    }

    fn class_of(&self, tenant: TenantId, stream: &str, day: i64) -> Class {
        let classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        let classified = classes.get(&(tenant, stream.to_owned()));
        let counts = classified.filter(|classified| classified.from.number() <= day);
        counts.map(|classified| classified.class).unwrap_or_default()
    }

    /// The version that wraps what must survive a change. It is made for the change, since an older one may wrap what must
    /// not; no clock tells which is older. What the state has noted and an older copy of the store does not know is made
    /// again.
    pub(crate) fn version_for(
        &self,
        change: &KeyChange,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u32, KeyError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = self.store.keys().into_iter();
        let of_class = keys.filter(|key| (key.tenant, key.class) == (tenant, change.class));
        let next = of_class.map(|key| key.version).max().unwrap_or(0) + 1;
        let noted = change.version.or_else(|| made.get(&change.id).copied());
        if let Some(version) = noted.filter(|version| *version != next) {
            return Ok(version);
        }
        let version = self.store.rotate(tenant, change.class, now)?;
        made.insert(change.id, version);
        Ok(version)
    }

    /// Whether a listed key opens; not where the version that wraps it was destroyed.
    pub(crate) fn is_readable(&self, tenant: TenantId, row: &DataKey) -> Result<bool, KeyError> {
        match self.open(tenant, row) {
            Ok(_) => Ok(true),
            Err(KeyError::Destroyed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A listed key, wrapped by the newest version. Nothing where the version that wraps it was destroyed.
    pub(crate) fn rewrap(&self, tenant: TenantId, row: &DataKey) -> Result<Option<DataKey>, KeyError> {
        match self.open(tenant, row) {
            Ok(key) => self.wrap(&(tenant, row.stream.clone(), row.day), row.class, &key).map(Some),
            Err(KeyError::Destroyed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Wraps the keys that the state does not have yet by the newest version.
    pub(crate) fn renew_unlisted(&self, tenant: TenantId, class: Class) -> Result<(), KeyError> {
        for (of, held) in self.held().iter_mut().filter(|((whose, ..), _)| *whose == tenant) {
            if let Some(row) = held.unlisted.as_mut().filter(|row| row.class == class) {
                *row = self.wrap(of, class, &held.key)?;
            }
        }
        Ok(())
    }

    /// The days of a stream whose keys the state had when they were last looked at.
    pub(crate) fn listed_days(&self, tenant: TenantId, stream: &str) -> Vec<i64> {
        let held = self.held();
        let of_stream = held.iter().filter(|((whose, of, _), _)| *whose == tenant && of == stream);
        of_stream.filter(|(_, held)| held.unlisted.is_none()).map(|((.., day), _)| *day).collect()
    }

    /// Forgets keys at once: what is still being asked of what they sealed breaks off.
    pub(crate) fn forget(&self, tenant: TenantId, stream: &str, days: &[i64]) {
        let gone = |(whose, of, day): &Of| *whose == tenant && of == stream && days.contains(day);
        self.held().retain(|of, held| held.unlisted.is_some() || !gone(of));
        self.retired().retain(|of, _| !gone(of));
    }

    /// Whether a version of a customer's key below this one is there.
    pub(crate) fn has_below(&self, tenant: TenantId, version: u32) -> bool {
        self.of_customer(tenant).any(|key| key.version < version && key.destroyed.is_none())
    }

    /// Destroys, in the key store, all versions of a customer's key below this one that are there.
    pub(crate) fn destroy_below(
        &self,
        tenant: TenantId,
        version: u32,
        now: Timestamp,
    ) -> Result<(), KeyError> {
        for key in self.of_customer(tenant) {
            if key.version < version && key.destroyed.is_none() {
                self.store.destroy((tenant, Class::Customer, key.version), now)?;
            }
        }
        Ok(())
    }

    /// Which of these versions of a customer's key were destroyed.
    pub(crate) fn destroyed(&self, tenant: TenantId, versions: Range<u32>) -> Vec<DestroyedVersion> {
        let of_these = self.of_customer(tenant).filter(|key| versions.contains(&key.version));
        of_these
            .filter_map(|key| Some(DestroyedVersion { version: key.version, destroyed: key.destroyed? }))
            .collect()
    }

    fn of_customer(&self, tenant: TenantId) -> impl Iterator<Item = TenantKey> {
        let keys = self.store.keys().into_iter();
        keys.filter(move |key| key.tenant == tenant && key.class == Class::Customer)
    }

    fn retired(&self) -> MutexGuard<'_, HashMap<Of, Arc<StreamKey>>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Of, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring for Keys {
    fn make(
        &self,
        tenant: TenantId,
        stream: &str,
        day: i64,
    ) -> Result<Arc<StreamKey>, Box<dyn Error + Send + Sync>> {
        let mut held = self.held();
        let of = (tenant, stream.to_owned(), day);
        if let Some(held) = held.get(&of) {
            return Ok(held.key.clone());
        }
        let key = Arc::new(StreamKey::fresh(&*self.entropy));
        let row = self.wrap(&of, self.class_of(tenant, stream, day), &key)?;
        held.insert(of, Held { key: key.clone(), unlisted: Some(row) });
        Ok(key)
    }

    fn find(&self, tenant: TenantId, stream: &str, day: i64) -> Option<Arc<StreamKey>> {
        let of = (tenant, stream.to_owned(), day);
        let held = self.held().get(&of).map(|held| held.key.clone());
        held.or_else(|| self.retired().get(&of).cloned())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn place(tenant: TenantId, stream: &str, day: i64) -> String {
    format!("{tenant}/{stream}/{day}")
}
