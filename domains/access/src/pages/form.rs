//! Pages of one form.

use askama::Template;

use super::Frame;
use super::onward::Onward;
use super::problem::Told;
use super::words::Words;
use crate::EnrolmentView;

/// A page of one form.
#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct FormPage {
    pub(super) frame: Frame,
    pub(super) title: &'static str,
    pub(super) hint: String,
    /// What was wrong with what was sent before.
    pub(super) problem: Option<Told>,
    pub(super) action: String,
    pub(super) button: &'static str,
    pub(super) fields: Vec<Field>,
    /// Where the login leads, where this is one.
    pub(super) next: Option<Onward>,
    /// What the next step shows, where this is one.
    pub(super) login: Option<String>,
    pub(super) enrolment: Option<EnrolmentView>,
}

impl FormPage {
    pub(super) fn new(frame: Frame, title: &'static str, action: &str, fields: Vec<Field>) -> Self {
        let button = frame.words.go_on;
        let (hint, action, problem) = (String::new(), action.to_owned(), None);
        let (next, login, enrolment) = (None, None, None);
        Self { frame, title, hint, problem, action, button, fields, next, login, enrolment }
    }

    /// What was typed before, so that nobody types it again. Never what is secret.
    pub(super) fn typed(mut self, values: &[&str]) -> Self {
        for (field, value) in self.fields.iter_mut().zip(values) {
            (*value).clone_into(&mut field.value);
        }
        self
    }

    /// What is wrong with each of the fields.
    pub(super) fn refused(mut self, reasons: &[Option<&'static str>]) -> Self {
        for (field, reason) in self.fields.iter_mut().zip(reasons) {
            field.wrong = *reason;
        }
        self
    }
}

/// A field of a form.
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    value: String,
    /// What is wrong with the value.
    wrong: Option<&'static str>,
}

impl Field {
    const fn new(
        name: &'static str,
        label: &'static str,
        kind: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        Self { name, label, kind, autocomplete, value: String::new(), wrong: None }
    }

    pub(super) fn name(words: &Words) -> Self {
        Self::new("name", words.name, "text", "username")
    }

    pub(super) fn password(words: &Words) -> Self {
        Self::new("password", words.password, "password", "current-password")
    }

    pub(super) fn new_password(words: &Words) -> Self {
        Self::new("new_password", words.new_password, "password", "new-password")
    }

    pub(super) fn code(words: &Words) -> Self {
        Self::new("code", words.code, "text", "one-time-code")
    }

    pub(super) fn full_name(words: &Words) -> Self {
        Self::new("full_name", words.full_name, "text", "name")
    }

    pub(super) fn email(words: &Words) -> Self {
        Self::new("email", words.email, "email", "email")
    }
}
