//! SQL that cannot forget whose rows it touches.

/// A statement that reads what an actor may see: it holds `{scope:ALIAS}`, which the kernel replaces by the
/// condition on tenant and visible nodes. Made by [`scoped!`](crate::scoped), so never from input.
///
/// The first parameter of the statement is `$2`: `$1` is the tenant.
#[derive(Debug, Clone, Copy)]
pub struct Scoped(&'static str);

/// A statement of an act: it holds `{tenant}`, the tenant of the act's permit. Made by
/// [`tenanted!`](crate::tenanted).
///
/// The first parameter of the statement is `$2`: `$1` is the tenant.
#[derive(Debug, Clone, Copy)]
pub struct Tenanted(&'static str);

/// A [`Scoped`] statement; without `{scope:ALIAS}` it does not compile.
#[macro_export]
macro_rules! scoped {
    ($sql:expr) => {
        const { $crate::Scoped::checked($sql) }
    };
}

/// A [`Tenanted`] statement; without `{tenant}` it does not compile.
#[macro_export]
macro_rules! tenanted {
    ($sql:expr) => {
        const { $crate::Tenanted::checked($sql) }
    };
}

impl Scoped {
    #[doc(hidden)]
    pub const fn checked(sql: &'static str) -> Self {
        assert!(contains(sql, "{scope:"), "a statement that reads must hold {{scope:ALIAS}}");
        Self(sql)
    }

    /// The text with the condition in place. `roots`: nothing means the whole tenant; otherwise how many
    /// parameters, beginning with which number, are nodes whose subtrees are visible.
    pub(crate) fn expand(self, roots: Option<(usize, usize)>) -> String {
        let mut out = String::with_capacity(self.0.len() + 160);
        let mut rest = self.0;
        while let Some((before, after)) = rest.split_once("{scope:") {
            let (alias, after) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(before);
            out.push_str(&format!("({alias}.tenant = $1"));
            if let Some((first, count)) = roots {
                let list: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
                out.push_str(&format!(
                    " AND EXISTS (SELECT 1 FROM node_trail scope_trail WHERE scope_trail.node_id = {alias}.node_id \
                     AND scope_trail.ancestor IN ({}))",
                    list.join(", "),
                ));
            }
            out.push(')');
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

impl Tenanted {
    #[doc(hidden)]
    pub const fn checked(sql: &'static str) -> Self {
        assert!(contains(sql, "{tenant}"), "a statement of an act must hold {{tenant}}");
        Self(sql)
    }

    pub(crate) fn expand(self) -> String {
        self.0.replace("{tenant}", "$1")
    }
}

#[expect(clippy::indexing_slicing, reason = "places are below the lengths; iterators are not const")]
const fn contains(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let mut start = 0;
    while start + wanted.len() <= text.len() {
        let mut place = 0;
        while place < wanted.len() && text[start + place] == wanted[place] {
            place += 1;
        }
        if place == wanted.len() {
            return true;
        }
        start += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_a_condition_in_the_text() {
        const LIST: Scoped = scoped!("SELECT n.name FROM node n WHERE {scope:n} AND n.name > $2");
        assert_eq!(LIST.expand(None), "SELECT n.name FROM node n WHERE (n.tenant = $1) AND n.name > $2");
        let narrowed = LIST.expand(Some((3, 2)));
        assert!(
            narrowed.contains("scope_trail.node_id = n.node_id AND scope_trail.ancestor IN ($3, $4)))"),
            "{narrowed}"
        );
    }
}
