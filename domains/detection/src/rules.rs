//! The rules that judge, for people: what they ask, and what came of them.

use std::collections::HashMap;

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use garrison_base::Timestamp;
use garrison_facts::AlertLevel;
use garrison_kernel::{KernelError, ReadTx, Verb};
use garrison_sigma::Rule;
use garrison_web::{Answer, Caller, Page, Web, page_limit, query_parameters};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::live::{Live, Rules, level};
use crate::predicate::Predicate;
use crate::store::figures::{self, RuleFigures};

/// Listing rules.
pub(crate) const LIST: Verb = Verb::new("rule:list");
/// Showing one.
pub(crate) const SHOW: Verb = Verb::new("rule:show");

/// Lists the rules that judge.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListRules {
    /// Only those with this text in title, id or a tag, in any case.
    pub text: Option<String>,
    /// Only those that are at least so severe: `informational`, `low`, `medium`, `high`, `critical`.
    #[param(value_type = Option<String>)]
    pub level: Option<AlertLevel>,
    /// Only those of this ATT&CK technique, or of one of its sub-techniques: `T1110`, `T1110.001`.
    pub technique: Option<String>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

/// Which logs a rule is about. What is absent means any.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleSource {
    /// Such as `process_creation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Such as `linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Such as `sshd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// A rule in a list, with what came of it. Figures are of the alerts that one may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleItem {
    /// Its id.
    pub id: String,
    /// What it finds, in a few words.
    pub title: String,
    /// How severe: `informational`, `low`, `medium`, `high`, `critical`.
    #[schema(value_type = String)]
    pub level: AlertLevel,
    /// How mature: `stable`, `test`, `experimental`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Which logs it is about.
    pub logsource: RuleSource,
    /// ATT&CK tactics, such as `credential-access`.
    pub tactics: Vec<String>,
    /// ATT&CK techniques, such as `T1110.001`.
    pub techniques: Vec<String>,
    /// Whether it came with the program.
    pub built_in: bool,
    /// How many alerts it raised.
    pub alerts: i64,
    /// How many events matched.
    pub hits: i64,
    /// How many of its alerts were closed as false positives.
    pub false_positives: i64,
    /// How many of its alerts are not closed.
    pub open: i64,
    /// When its last event was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleDetail {
    /// As in the list.
    #[serde(flatten)]
    pub item: RuleItem,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was written, as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// What else could make it match.
    pub falsepositives: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its text, as it was read.
    pub source: String,
    /// The name of its file.
    pub file: String,
    /// What it asks.
    pub condition: Predicate,
}

impl Rules {
    /// The place of a rule.
    pub(crate) fn place(&self, id: &str) -> Option<(usize, &Rule)> {
        self.set.rules().iter().enumerate().find(|(_, rule)| rule.id == id)
    }

    fn item(&self, (place, rule): (usize, &Rule), figures: RuleFigures) -> RuleItem {
        let RuleFigures { alerts, hits, false_positives, open, last_seen } = figures;
        RuleItem {
            id: rule.id.clone(),
            title: rule.title.clone(),
            level: level(rule.level),
            status: rule.status.clone(),
            logsource: RuleSource {
                category: rule.logsource.category.clone(),
                product: rule.logsource.product.clone(),
                service: rule.logsource.service.clone(),
            },
            tactics: rule.tactics(),
            techniques: rule.techniques(),
            built_in: place < self.built_in,
            alerts,
            hits,
            false_positives,
            open,
            last_seen,
        }
    }
}

impl ListRules {
    /// Whether a rule is one of those that are asked for.
    fn wants(&self, rule: &Rule) -> bool {
        let has_text = |text: &String| {
            let text = text.to_lowercase();
            let has = |of: &String| of.to_lowercase().contains(&text);
            has(&rule.title) || has(&rule.id) || rule.tags.iter().any(has)
        };
        let has_technique = |wanted: &String| {
            let wanted = wanted.to_ascii_uppercase();
            let is = |of: &String| {
                let sub = of.strip_prefix(wanted.as_str());
                sub.is_some_and(|sub| sub.is_empty() || sub.starts_with('.'))
            };
            rule.techniques().iter().any(is)
        };
        self.level.is_none_or(|least| level(rule.level) >= least)
            && self.text.as_ref().is_none_or(has_text)
            && self.technique.as_ref().is_none_or(has_technique)
    }

    async fn answer(self, rules: &Rules, tx: &mut ReadTx<'_>) -> Result<Page<RuleItem>, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: Option<Place> = tx.open_cursor(LIST, self.cursor.as_deref())?;
        let mut wanted: Vec<_> = rules.set.rules().iter().enumerate().collect();
        wanted.retain(|(_, rule)| self.wants(rule));
        wanted.sort_by_cached_key(|(_, rule)| Place::of(rule));
        if let Some(after) = after {
            wanted.retain(|(_, rule)| Place::of(rule) > after);
        }
        wanted.truncate(usize::try_from(limit + 1).unwrap_or(usize::MAX));
        let figures: HashMap<_, _> = figures::of_rules(tx, None).await?.into_iter().collect();
        let item = |(place, rule): (usize, &Rule)| {
            rules.item((place, rule), figures.get(&rule.id).copied().unwrap_or_default())
        };
        let items = wanted.into_iter().map(item).collect();
        Page::cut(items, limit, (tx, LIST), |last: &RuleItem| Place {
            mildness: -last.level.number(),
            title: last.title.clone(),
            id: last.id.clone(),
        })
    }
}

/// The place of a rule in the list: the most severe first, and of those by title.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    mildness: i64,
    title: String,
    id: String,
}

impl Place {
    fn of(rule: &Rule) -> Self {
        Self { mildness: -level(rule.level).number(), title: rule.title.clone(), id: rule.id.clone() }
    }
}

/// `GET /api/v1/rule`
pub(crate) async fn list(
    State(web): State<Web>,
    Extension(live): Extension<Live>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<RuleItem>>> {
    let asked: ListRules = query_parameters(query.as_deref())?;
    let mut tx = web.kernel.read(&actor, LIST).await?;
    Ok(Json(asked.answer(&live.rules(), &mut tx).await?))
}

/// `GET /api/v1/rule/{rule}`
pub(crate) async fn show(
    State(web): State<Web>,
    Extension(live): Extension<Live>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Answer<Json<RuleDetail>> {
    let mut tx = web.kernel.read(&actor, SHOW).await?;
    let rules = live.rules();
    let (place, rule) = rules.place(&id).ok_or(KernelError::NotFound)?;
    let figures = figures::of_rules(&mut tx, Some(&rule.id)).await?;
    let figures = figures.first().map(|(_, figures)| *figures).unwrap_or_default();
    Ok(Json(RuleDetail {
        item: rules.item((place, rule), figures),
        description: rule.description.clone(),
        author: rule.author.clone(),
        date: rule.date.clone(),
        references: rule.references.clone(),
        falsepositives: rule.falsepositives.clone(),
        tags: rule.tags.clone(),
        source: rule.source.clone(),
        file: file_name(&rule.file),
        condition: Predicate::of(&rule.expr),
    }))
}

/// Where the file lies is for whoever looks after the machine.
fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}
