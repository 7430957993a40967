//! `garrison config show`: every key, its value, and where it came from.

use serde::Serialize;
use serde_json::Value as Json;

use super::Loaded;

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key, as in `server.listen`.
    pub key: String,
    /// Its value: a text as it is, a list as in TOML, `(secret)` for what is not shown, nothing where
    /// nothing is set.
    pub value: String,
    /// Where the value came from. `None` where this was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Loaded {
    /// Every key with its value, and with origins if asked for.
    ///
    /// # Errors
    /// None with the sections of today; a section that cannot be written as JSON would be one.
    pub fn show(&self, origin: bool) -> anyhow::Result<Vec<Setting>> {
        let mut config = self.config.clone();
        config.server.public_url = Some(config.server.origin());
        let mut settings = Vec::new();
        flatten("", &serde_json::to_value(&config)?, &mut |key, value| {
            let origin = origin.then(|| self.origin(key).to_owned());
            settings.push(Setting { key: key.to_owned(), value, origin });
        });
        Ok(settings)
    }
}

fn flatten(key: &str, value: &Json, each: &mut dyn FnMut(&str, String)) {
    match value {
        Json::Object(table) if !table.is_empty() => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, each);
            }
        }
        Json::Null => each(key, String::new()),
        Json::String(text) => each(key, text.clone()),
        other => each(key, other.to_string()),
    }
}
