//! The pages of a one-time link by which somebody sets up their account, the first administrator among them.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use garrison_base::{AccountName, Email, Line, PersonId};
use garrison_kernel::{ActorId, Holder};
use garrison_web::{Client, from_this_site};
use serde::Deserialize;

use super::form::{Field, FormPage};
use super::language::Reader;
use super::login::stepped_page;
use super::onward::Onward;
use super::words::{Words, fill};
use super::{Frame, again, page, problem_page};
use crate::Access;
use crate::login::{Begin, Profile};

pub(super) async fn show(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    reader: Reader,
    Path(link): Path<String>,
) -> Response {
    match access.open_link(&link, &origin).await {
        Ok((_, person)) => page(reader, StatusCode::OK, &form(&access, reader, &link, person)),
        Err(problem) => problem_page(reader, &problem.into()),
    }
}

fn form(access: &Access, reader: Reader, link: &str, person: Option<PersonId>) -> FormPage {
    let (words, action) = (reader.lang.words(), format!("/activate/{link}"));
    let (hint, fields) = if let Some(person) = person {
        let name = access.kernel.name_of(Holder::Actor(ActorId::Person(person)));
        (fill(words.activate_hint, "name", &name), Vec::new())
    } else {
        let fields = vec![Field::name(words), Field::full_name(words), Field::email(words)];
        (words.founder_hint.to_owned(), fields)
    };
    FormPage { hint, ..FormPage::new(Frame::at(reader, &action), words.welcome, &action, fields) }
}

#[derive(Deserialize)]
pub(super) struct ProfileForm {
    name: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
}

impl ProfileForm {
    /// What was typed, if it is what it should be; else what is wrong with each field.
    fn read(&self, words: &Words) -> Result<Profile, [Option<&'static str>; 3]> {
        let [name, full_name, email] = self.values();
        let name = name.to_lowercase().parse::<AccountName>();
        match (name, full_name.parse::<Line>(), email.parse::<Email>()) {
            (Ok(name), Ok(full_name), Ok(email)) => Ok(Profile { name, full_name, email }),
            (name, full_name, email) => Err([
                name.err().map(|_| words.bad_name),
                full_name.err().map(|_| words.bad_full_name),
                email.err().map(|_| words.bad_email),
            ]),
        }
    }

    fn values(&self) -> [&str; 3] {
        [&self.name, &self.full_name, &self.email].map(|value| value.as_deref().unwrap_or_default().trim())
    }
}

pub(super) async fn begin(
    Extension(access): Extension<Access>,
    (Client(origin), reader): (Client, Reader),
    Path(link): Path<String>,
    headers: HeaderMap,
    Form(given): Form<ProfileForm>,
) -> Response {
    if !from_this_site(&headers) {
        // What cannot stand in a header is no link of ours.
        let ours = link.bytes().all(|byte| byte.is_ascii_graphic());
        let back = if ours { format!("/activate/{link}") } else { "/login".to_owned() };
        return Redirect::to(&back).into_response();
    }
    let person = match access.open_link(&link, &origin).await {
        Ok((_, person)) => person,
        Err(problem) => return problem_page(reader, &problem.into()),
    };
    let form = || form(&access, reader, &link, person).typed(&given.values());
    let profile = match person {
        Some(_) => None,
        None => match given.read(reader.lang.words()) {
            Ok(profile) => Some(profile),
            Err(reasons) => {
                return page(reader, StatusCode::UNPROCESSABLE_ENTITY, &form().refused(&reasons));
            }
        },
    };
    let begin = Begin { invitation: Some(link.clone()), profile, ..Begin::default() };
    match access.begin(begin, &origin).await {
        Ok(begun) => stepped_page(reader, begun, &Onward::read(None)),
        Err(problem) => again(&access, reader, form(), problem),
    }
}
